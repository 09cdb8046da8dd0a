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
    with opened(options) as project:
        store = project.engine.store
        store.pause.pause(operator(), reason)
        store.audit.append("policy.paused", actor=f"operator:{operator()}", data={"reason": reason})
    _show(options, paused=True)


@click.command("resume")
@project_options
def resume_command(*, options: Options) -> None:
    """Allow changes again."""
    with opened(options) as project:
        store = project.engine.store
        store.pause.resume(operator())
        store.audit.append("policy.resumed", actor=f"operator:{operator()}", data={})
    _show(options, paused=False)


def _show(options: Options, *, paused: bool) -> None:
    if options.as_json:
        emit_json({"paused": paused})
    else:
        emit(
            "paused: nothing will be changed until `selfheal resume`"
            if paused
            else "healing is allowed again"
        )
