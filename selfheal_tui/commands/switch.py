"""`selfheal pause` and `resume`: the kill switch."""

from __future__ import annotations

import click

from selfheal_tui.commands.common import Options, emit, emit_json, opened, operator, project_options


@click.command("pause")
@click.option("--reason", default="", help="Why, for the record.")
@project_options
def pause_command(*, options: Options, reason: str) -> None:
    """Stop all changes to the project, at once and in every process, until `selfheal resume`.

    Crashes are still recorded and explained.
    """
    from selfheal_tui.operations import decisions

    with opened(options) as project:
        answer = decisions.pause(project, by=operator(), reason=reason)
    _show(options, answer.text, paused=True)


@click.command("resume")
@project_options
def resume_command(*, options: Options) -> None:
    """Allow changes again."""
    from selfheal_tui.operations import decisions

    with opened(options) as project:
        answer = decisions.resume(project, by=operator())
    _show(options, answer.text, paused=False)


def _show(options: Options, text: str, *, paused: bool) -> None:
    if options.as_json:
        emit_json({"paused": paused})
    else:
        emit(text)
