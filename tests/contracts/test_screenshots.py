"""The screenshots show the console as it is: when a view changes, they are stale, and this says so."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path

HERE = Path(__file__).parents[2] / "screenshots"


def test_the_screenshots_are_of_the_views_as_they_are():
    made_of = json.loads((HERE / "manifest.json").read_text(encoding="utf-8"))["made_of"]
    now = runpy.run_path(str(HERE / "console.py"))["goldens_digest"]()
    assert made_of == now, (
        "the views changed since the screenshots were made: run `uv run --group screenshots python "
        "screenshots/console.py`, look at the pictures, and commit them"
    )


def test_every_picture_that_the_readme_shows_is_there():
    readme = (HERE.parent / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"\]\((screenshots/[^)]+)\)", readme)
    assert shown
    assert not [name for name in shown if not (HERE.parent / name).is_file()]


def test_no_picture_shows_a_place_of_the_machine_on_which_it_was_made():
    for file in HERE.glob("*.svg"):
        text = file.read_text(encoding="utf-8")
        assert "/root/" not in text, file
        assert "/home/" not in text, file
