"""`selfheal run`: runs a command in the project, heals its crash, runs it again; or keeps programs running."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

import click
from click.core import ParameterSource

from selfheal_tui.commands import exits
from selfheal_tui.commands.common import Options, fail, opened, project_options, say
from selfheal_tui.commands.driver import Consent, drive

if TYPE_CHECKING:
    from selfheal_tui.model.kinds import Restart
    from selfheal_tui.supervisor.programs import ProgramSpec


@click.command("run", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option(
    "--headless", is_flag=True, help="Without the console; so it is too where there is no terminal."
)
@click.option(
    "--max-heals",
    type=click.IntRange(0, 100),
    default=5,
    show_default=True,
    help="Fixes in one call, for one command that is not kept running.",
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
    "Default: approval.wait_seconds, and 0 in local without a terminal. Programs that are kept running "
    "never wait.",
)
@click.option(
    "--restart",
    type=click.Choice(["never", "on-crash", "always"]),
    default=None,
    help="Keep the program running: when to start it again. Wins over what selfheal.toml says.",
)
@click.option(
    "--name",
    "names",
    multiple=True,
    metavar="NAME",
    help="With a command: its name. Without: only this [[program]] of selfheal.toml; repeatable.",
)
@click.option(
    "--hang-after",
    "hang_seconds",
    type=click.FloatRange(0),
    default=None,
    metavar="SECONDS",
    help="End a command that is not kept running once its main thread has stayed so long in one endless loop "
    "or wait, heal it and run it again; 0 never. Default: supervision.hang_seconds.",
)
@click.option("--pty", is_flag=True, help="Give the command a terminal of its own; with --restart.")
@click.option(
    "--reset-breaker",
    "reset",
    multiple=True,
    metavar="NAME",
    help="Start this program although it was stopped in a crash loop; repeatable.",
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@project_options
def run_command(
    *,
    options: Options,
    headless: bool,
    max_heals: int,
    yes: bool,
    wait_seconds: float | None,
    restart: str | None,
    names: tuple[str, ...],
    hang_seconds: float | None,
    pty: bool,
    reset: tuple[str, ...],
    command: tuple[str, ...],
) -> None:
    """Run COMMAND; capture a crash, heal it, run it again.

    On a terminal this opens the console with the program under it, unless --headless, --yes, --wait, --max-heals,
    --pty or --json says otherwise; the program then gets no standard input and is started anew after a crash
    (--restart on-crash), and the exit code is told when the console is left.

    A command given as one quoted argument is split as a shell splits words; no shell is involved.

    Standard input, output, error, signals and the exit code are the program's. The exit code is that of
    its last run; 70 when the healer itself failed, 127 when there is no such command.

    With --restart on-crash or always, or without a command (then the [[program]] tables of selfheal.toml
    say what runs), programs are kept running and healed while they live: a fix is swapped in where that is
    possible, else the program is started anew. A program that crashes too often stays stopped until a fix
    is applied or --reset-breaker is given. The first Ctrl-C or TERM stops them, a second one kills them.
    The exit code is then 0 when every program ended with 0 or was stopped by us, else the first other one;
    77 when a program was not started because of an earlier crash loop.
    """
    if not headless and _has_console(options):
        _open_console(options, command, restart=restart, names=names, reset=reset)
    if command and restart in (None, "never"):
        if names or pty or reset:
            raise click.UsageError(
                "--name, --pty and --reset-breaker are for programs that are kept running; "
                "add --restart on-crash or always, or leave them out"
            )
        _run_one(
            options,
            command,
            max_heals=max_heals,
            yes=yes,
            wait_seconds=wait_seconds,
            hang_seconds=hang_seconds,
        )
    context = click.get_current_context()
    for name, option in (
        ("max_heals", "--max-heals"),
        ("wait_seconds", "--wait"),
        ("hang_seconds", "--hang-after"),
    ):
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(
                f"{option} is for one command that is not kept running; leave it out "
                "(the limits of selfheal.toml hold, and requests stay open for `selfheal approve`)"
            )
    if pty and not command:
        raise click.UsageError("--pty is for a command; write pty = true into the [[program]] table")
    _keep_running(options, command, restart=restart, names=names, pty=pty, reset=reset, yes=yes)


def _has_console(options: Options) -> bool:
    """Whether a person is there to look at a console, and no option speaks for doing without one."""
    from selfheal_tui.commands.console import has_terminal

    context = click.get_current_context()
    without = ("yes", "wait_seconds", "max_heals", "pty")
    told = any(context.get_parameter_source(name) is ParameterSource.COMMANDLINE for name in without)
    return has_terminal() and not options.as_json and not told


def _open_console(
    options: Options,
    command: tuple[str, ...],
    *,
    restart: str | None,
    names: tuple[str, ...],
    reset: tuple[str, ...],
) -> NoReturn:
    from dataclasses import replace

    from selfheal_tui.commands.console import open_console
    from selfheal_tui.model.kinds import Restart

    with opened(options) as project:
        default = project.loaded.settings.supervision.restart
    policy = Restart(restart) if restart else (Restart.ON_CRASH if command else None)
    specs = _specs(options, command, default=default, policy=policy, names=names, pty=False)
    _known(reset, specs)
    open_console(options, specs=[replace(spec, inherit_stdin=False) for spec in specs], reset=reset)


def _run_one(
    options: Options,
    command: tuple[str, ...],
    *,
    max_heals: int,
    yes: bool,
    wait_seconds: float | None,
    hang_seconds: float | None,
) -> NoReturn:
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
                run_and_heal(
                    project.engine,
                    words_of(command),
                    max_heals=max_heals,
                    hang_seconds=settings.supervision.hang_seconds if hang_seconds is None else hang_seconds,
                ),
                consent,
                as_json=options.as_json,
            )
        except ProgramNotFoundError as error:
            fail(str(error), exits.COMMAND_NOT_FOUND)
    sys.exit(code)


def _keep_running(
    options: Options,
    command: tuple[str, ...],
    *,
    restart: str | None,
    names: tuple[str, ...],
    pty: bool,
    reset: tuple[str, ...],
    yes: bool,
) -> NoReturn:
    from selfheal_tui.commands.running import keep_running
    from selfheal_tui.model.kinds import Restart

    policy = Restart(restart) if restart else None
    with opened(options) as project:
        default = project.loaded.settings.supervision.restart
        specs = _specs(options, command, default=default, policy=policy, names=names, pty=pty)
        _known(reset, specs)
        code = keep_running(project, options, specs, reset=reset, yes=yes)
    sys.exit(code)


def _specs(
    options: Options,
    command: tuple[str, ...],
    *,
    default: Restart,
    policy: Restart | None,
    names: tuple[str, ...],
    pty: bool,
) -> list[ProgramSpec]:
    from selfheal_tui.commands.running import name_of, specs_of
    from selfheal_tui.config.programs import load_programs, pick_programs, valid_name
    from selfheal_tui.model.kinds import Restart
    from selfheal_tui.supervisor.programs import ProgramSpec

    if command:
        if len(names) > 1:
            raise click.UsageError("a command has one name; give --name once")
        words = words_of(command)
        name = valid_name(names[0], "command line", "--name") if names else name_of(words)
        return [ProgramSpec(name, words, restart=policy or Restart.NEVER, pty=pty, inherit_stdin=True)]
    tables = load_programs(options.root)
    if not tables:
        raise click.UsageError(
            "no command was given and selfheal.toml has no [[program]] table; "
            "write it after `--`: selfheal run -- python app.py"
        )
    return specs_of(pick_programs(tables, names), default, policy)


def _known(reset: tuple[str, ...], specs: Sequence[ProgramSpec]) -> None:
    for name in reset:
        if name not in {spec.name for spec in specs}:
            raise click.UsageError(f"--reset-breaker {name}: no program of that name is to be run")


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
