"""`selfheal keys`: every action of the console with its keys, from the console's own registry."""

from __future__ import annotations

import os

import click

from selfheal_tui.commands import exits
from selfheal_tui.commands.common import Options, emit, emit_json, fail, project_options


@click.command("keys")
@project_options
def keys_command(*, options: Options) -> None:
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
    for action in ACTIONS:
        emit(f"{action.id:<28} {keys.all_shown(action):<14} {action.help}")
