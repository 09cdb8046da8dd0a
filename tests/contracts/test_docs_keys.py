"""The table of keys in the docs is made from the registry."""

from __future__ import annotations

from pathlib import Path

from selfheal_tui.commands.keys import markdown_table
from selfheal_tui.tui.keys import Keys


def test_the_table_of_keys_is_the_registrys():
    document = (Path(__file__).parents[2] / "docs" / "keys.md").read_text(encoding="utf-8")
    assert markdown_table(Keys({})) in document, (
        "run `selfheal keys --markdown` and put the table into docs/keys.md"
    )
