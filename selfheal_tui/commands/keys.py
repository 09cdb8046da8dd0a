"""`selfheal keys`: every action of the console with its keys, from the console's own registry."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from selfheal_tui.commands import exits
from selfheal_tui.commands.common import Options, emit, emit_json, fail, project_options

if TYPE_CHECKING:
    from selfheal_tui.tui.keys import Keys


@click.command("keys")
@click.option("--markdown", is_flag=True, help="As a table for documents; `docs/keys.md` is made so.")
@project_options
def keys_command(*, options: Options, markdown: bool) -> None:
    """List the console's actions and their keys, as the settings have them.

    The ids are what `console.keys` in the settings takes, such as `app.quit=Q`.
    """
    from selfheal_tui.config import load_settings
    from selfheal_tui.tui.actions import ACTIONS
    from selfheal_tui.tui.keys import KeymapError, Keys, parse_keymap

    loaded = load_settings(options.root, environ=os.environ, flags=options.flags, env_file=options.env_file)
    try:
        keys = Keys(parse_keymap(loaded.settings.console.keys))
    except KeymapError as error:
        fail(str(error), exits.BAD_CONFIG)
    if options.as_json:
        emit_json(
            [
                {"id": a.id, "keys": list(keys.of(a)), "label": a.label, "help": a.help, "decides": a.decides}
                for a in ACTIONS
            ]
        )
        return
    if markdown:
        emit(markdown_table(keys))
        return
    for action in ACTIONS:
        emit(f"{action.id:<28} {keys.all_shown(action):<14} {action.help}")


def markdown_table(keys: Keys) -> str:
    """Returns the table of actions for a document."""
    from selfheal_tui.tui.actions import ACTIONS

    lines = ["| action | keys | what it does |", "|---|---|---|"]
    for action in ACTIONS:
        shown = " ".join(f"`{key}`" for key in keys.all_shown(action).split())
        note = " *Decides; refused in a read-only console.*" if action.decides else ""
        lines.append(f"| `{action.id}` | {shown} | {action.help}{note} |")
    return "\n".join(lines)
