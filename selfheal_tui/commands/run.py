"""`selfheal run`: runs a command in the project, heals its crash, runs it again."""

from __future__ import annotations

import shlex
import shutil
import sys

import click

from selfheal_tui.commands import exits
from selfheal_tui.commands.common import Options, fail, opened, project_options, say
from selfheal_tui.commands.driver import Consent, drive


@click.command("run", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--headless", is_flag=True, help="Without the console; in this version the only way.")
@click.option(
    "--max-heals", type=click.IntRange(0, 100), default=5, show_default=True, help="Fixes in one call."
)
@click.option(
    "--yes",
    is_flag=True,
    help="Agree beforehand to proved, unflagged fixes. Never in production, never where a code is asked for.",
)
@click.option(
    "--wait",
    "wait_seconds",
    type=click.FloatRange(0),
    default=None,
    help="Seconds to wait for an approval; 0 leaves the request open for `selfheal approve`. "
    "Default: approval.wait_seconds, and 0 in local without a terminal.",
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED, required=True)
@project_options
def run_command(
    *,
    options: Options,
    headless: bool,  # noqa: ARG001 - the console comes with a later version; the flag is already the contract
    max_heals: int,
    yes: bool,
    wait_seconds: float | None,
    command: tuple[str, ...],
) -> None:
    """Run COMMAND; capture a crash, heal it, run it again.

    A command given as one quoted argument is split as a shell splits words; no shell is involved.

    Standard input, output, error, signals and the exit code are the program's. The exit code is that of
    its last run; 70 when the healer itself failed, 127 when there is no such command.
    """
    from selfheal_tui.model.kinds import Environment
    from selfheal_tui.supervisor.program import ProgramNotFoundError
    from selfheal_tui.supervisor.run_loop import run_and_heal

    with opened(options) as project:
        settings = project.loaded.settings
        wait = wait_seconds
        if wait is None:
            alone = settings.environment is Environment.LOCAL and not sys.stderr.isatty()
            wait = 0.0 if alone else settings.approval.wait_seconds
        if yes and settings.environment is Environment.PRODUCTION:
            say("selfheal: --yes does not count in production; every fix will be asked for")
        consent = Consent(yes=yes, wait_seconds=wait, leave_open=wait == 0)
        try:
            code = drive(
                project.engine,
                run_and_heal(project.engine, words_of(command), max_heals=max_heals),
                consent,
                as_json=options.as_json,
            )
        except ProgramNotFoundError as error:
            fail(str(error), exits.COMMAND_NOT_FOUND)
    sys.exit(code)


def words_of(command: tuple[str, ...]) -> tuple[str, ...]:
    """Splits a command that was handed over as one quoted argument.

    Args:
        command: The arguments after `--`.

    Returns:
        The command's words; unchanged when there are several, or when the one names a program.
    """
    if len(command) > 1 or shutil.which(command[0]):
        return command
    try:
        return tuple(shlex.split(command[0])) or command
    except ValueError as error:
        raise click.UsageError(f"the command cannot be split into words: {error}") from error
