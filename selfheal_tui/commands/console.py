"""`selfheal` alone, and what `run` and `demo` open: the operator's console. Opens it, and does nothing else.

Without a terminal it refuses politely and names the commands that do the same in plain text.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn, cast

import click

from selfheal_tui.commands import exits
from selfheal_tui.commands.common import Options, fail, own_failure, project_options, say

if TYPE_CHECKING:
    from selfheal_tui.operations.desk import Desk

OLDEST = "oldest"
"""Instead of an incident's id: the review of the oldest question."""
PLAIN_WAYS = (
    "the console needs a terminal. In plain text: `selfheal incidents`, `selfheal review --plain` and "
    "`selfheal history`; to serve without a terminal: `selfheal serve`; to run a program: `selfheal run --headless`"
)


@click.command("console")
@click.option("--read-only", is_flag=True, help="Look on: serve nothing, decide nothing.")
@click.option("--review", "review", metavar="INCIDENT", default="", help="Begin at this incident.")
@project_options
def console_command(*, options: Options, read_only: bool, review: str) -> None:
    """Open the operator's console on the project; the same as `selfheal` alone.

    It serves the project unless another process does. Several consoles on one project agree.
    """
    open_console(options, read_only=read_only, review=review.lstrip("#"))


def has_terminal() -> bool:
    """Returns whether a person sits at every end."""
    if os.environ.get("TEXTUAL_DRIVER", "").endswith("WebDriver"):
        return True  # `selfheal serve --web` stands in for the terminal
    streams = (sys.stdin, sys.stdout, sys.stderr)  # Textual draws on standard error
    return all(stream.isatty() for stream in streams) and os.environ.get("TERM", "") != "dumb"


def open_console(
    options: Options,
    *,
    read_only: bool = False,
    review: str = "",
    specs: Sequence[Any] = (),
    reset: Sequence[str] = (),
    farewell: Sequence[str] = (),
) -> NoReturn:
    """Opens the console and ends the command with it.

    Args:
        options: Of the command.
        read_only: Look on only.
        review: Incident whose review to open at once, or `OLDEST`.
        specs: Programs to keep running under it.
        reset: Programs whose breakers are lifted first.
        farewell: Lines to leave on the terminal.

    Raises:
        Failure: There is no terminal, or a setting is wrong.
    """
    if not has_terminal():
        fail(PLAIN_WAYS, exits.USAGE)
    if options.as_json:
        fail("the console draws; for data take `selfheal incidents --json` and its kin", exits.USAGE)
    from selfheal_tui.config import load_settings
    from selfheal_tui.operations.latedesk import LateDesk, Working
    from selfheal_tui.tui.app import Console
    from selfheal_tui.tui.keys import KeymapError, parse_keymap

    settings = load_settings(
        options.root, environ=os.environ, flags=options.flags, env_file=options.env_file
    ).settings.console
    try:
        keys = parse_keymap(settings.keys)
    except KeymapError as error:
        fail(str(error), exits.BAD_CONFIG)
    # Whatever is logged would be written across the screen.
    logging.getLogger("selfheal_tui").addHandler(logging.NullHandler())
    logging.getLogger("selfheal_tui").propagate = False

    def make_desk() -> Working:
        from selfheal_tui.operations.livedesk import LiveDesk

        return LiveDesk(
            options.root,
            flags=options.flags,
            env_file=options.env_file,
            read_only=read_only,
            specs=specs,
            reset=reset,
        )

    if read_only and specs:
        fail("a read-only console runs no programs; leave one of the two out", exits.USAGE)
    desk = LateDesk(make_desk)
    app = Console(
        cast("Desk", desk),  # it stands for all of a desk's methods without naming them
        theme=settings.theme.value,
        ascii_only=settings.ascii or not _speaks_unicode(),
        keys=keys,
        bell=settings.bell,
        desktop=settings.desktop_notifications,
        on_crash=lambda error: own_failure(options.root, error),
        review=review,
    )
    try:
        app.run()
    finally:
        desk.stop()
    code = app.return_code or 0
    if code == 1:
        code = exits.HEALER_FAILED
    elif code == 0 and specs:
        code = desk.exit_code()
    if code == 0 and app.board.requests:
        say(f"{len(app.board.requests)} open: `selfheal` or `selfheal review --plain` takes them up again")
    for line in farewell:
        say(line)
    # Threads that wait for a program or a disk must not keep the prompt from coming back.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _speaks_unicode() -> bool:
    return "utf" in (sys.stdout.encoding or "ascii").lower()
