"""The command `selfheal`: finds the command that was asked for and loads only that.

Nothing but click is imported until a command runs, so that `selfheal --help` answers at once. The table
below is the whole command line; `docs` and completion are made from it.
"""

from __future__ import annotations

import importlib
import sys

import click

COMMANDS: dict[str, tuple[str, str]] = {
    "console": ("console", "Open the operator's console; the same as `selfheal` alone."),
    "run": ("run", "Run a command, heal its crashes, run it again."),
    "serve": ("serve", "Serve a project: heal whatever its programs report."),
    "heal": ("heal", "Heal from a traceback text (a file, or - for standard input)."),
    "watch": ("watch", "Follow log files; their tracebacks become incidents."),
    "incidents": ("incidents", "List incidents."),
    "show": ("show", "Show one incident with its proof and timeline."),
    "diff": ("incidents", "Show the fix of an incident, and the code to approve it with."),
    "approve": ("approvals", "Approve the proposed fix of an incident."),
    "reject": ("approvals", "Reject the proposed fix of an incident."),
    "revise": ("revise", "Put your own version in place of a proposed fix; it is proved anew."),
    "next": ("revise", "Ask about the next proved fix instead."),
    "review": ("review", "Answer the open questions one after the other; --plain for screen readers."),
    "retry": ("retrying", "Have an incident that was not healed looked at anew."),
    "cancel": ("retrying", "End the work on an incident."),
    "history": (
        "history",
        "List past healing attempts; --verify proves the audit trail, --export writes a report.",
    ),
    "backups": ("backups", "List the backup tree."),
    "rollback": ("backups", "Take a fix back, restore one backup, or --undo that."),
    "pause": ("switch", "Kill switch: no change to the project until resumed."),
    "resume": ("switch", "Allow changes again."),
    "insights": ("insights", "Count what became of all incidents, and what was learned."),
    "policy": ("policy", "Show what is allowed unasked here, and what is left of the budgets."),
    "learn": ("learn", "Learn kinds of edits from the fixes in git histories."),
    "bench": ("bench", "Measure repair on a directory of faulty projects."),
    "doctor": ("doctor", "Tell what is found and what is missing."),
    "config": ("settings", "Show every setting, its value, and where that came from."),
    "keys": ("keys", "List the console's actions and their keys."),
    "probe": ("probe", "Write the probe as one file, for programs whose environment must stay clean."),
    "scan": ("scan", "Find faults before they crash."),
    "regression": ("regression", "Write a test that keeps a healed crash healed."),
    "demo": ("demo", "Heal a bundled agent project live."),
}
"""Name → (module in `selfheal_tui.commands`, one-line help)."""


class LazyGroup(click.Group):
    """A click group that imports a command's module only when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Loads a command."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"selfheal_tui.commands.{COMMANDS[cmd_name][0]}")
        command = getattr(module, f"{cmd_name}_command")
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Writes the list without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done · 1 not healed, or a check failed · 2 wrong usage · 65 bad input · "
    "66 no such incident, file or backup · 70 the healer itself failed · 75 a person has to decide · "
    "77 refused, or another engine serves the project · 78 a setting is wrong. `run` exits with the program's own last code.",
)
@click.version_option(package_name="selfheal-tui", prog_name="selfheal")
@click.option("--read-only", is_flag=True, help="Without a command: only look on in the console.")
@click.pass_context
def selfheal(context: click.Context, *, read_only: bool) -> None:
    """Supervised self-healing for Python programs.

    Detects a crash, finds its root cause, proposes a fix, proves it in an isolated copy, asks where the
    policy says so, applies it with a backup, and can take it back. Without a command it opens the operator's
    console on the project in this folder.
    """
    if context.invoked_subcommand is None:
        from selfheal_tui.commands.console import console_command

        context.invoke(console_command, read_only=read_only)
    elif read_only:
        raise click.UsageError(
            "--read-only is for the console; leave the command out, or say `selfheal console`"
        )


def main() -> None:
    """Runs the command line; the entry point of the package."""
    sys.exit(selfheal.main(prog_name="selfheal", standalone_mode=True))
