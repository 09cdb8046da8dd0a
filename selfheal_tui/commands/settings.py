"""`selfheal config`: each setting, its value, and where that came from."""

from __future__ import annotations

import os
from typing import Any

import click

from selfheal_tui.commands.common import Options, emit, emit_json, project_options
from selfheal_tui.model.settings import Settings
from selfheal_tui.probe.redaction import mask_value


@click.command("config")
@project_options
def config_command(*, options: Options) -> None:
    """Show every setting, its value, where that came from, and what it means.

    Later sources win: defaults, `[tool.selfheal]` in pyproject.toml or selfheal.toml, `SELFHEAL_*`
    variables, flags.
    """
    from selfheal_tui.config import describe_settings, load_settings

    loaded = load_settings(options.root, environ=os.environ, flags=options.flags, env_file=options.env_file)
    rows = describe_settings()
    if options.as_json:
        emit_json(
            {
                row.key: {
                    "value": _value(loaded.settings, row.key),
                    "source": loaded.origins[row.key].source,
                    "default": row.default,
                    "help": row.help,
                }
                for row in rows
            }
        )
        return
    width = max(len(row.key) for row in rows)
    for row in rows:
        origin = loaded.origins[row.key]
        shown = mask_value(row.key, origin.value)
        emit(f"{row.key:<{width}}  {shown:<14} {origin.source:<12} {row.help}")


def _value(settings: Settings, key: str) -> Any:
    """Looks a setting up by its dotted key; a secret one is masked."""
    value: Any = settings
    for name in key.split("."):
        value = getattr(value, name)
    return mask_value(key, value) if isinstance(value, str) and value else value
