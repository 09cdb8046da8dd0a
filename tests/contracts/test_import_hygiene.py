"""The floors at run time: what each way in really loads, measured in a fresh interpreter."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import selfheal_tui

PACKAGE = Path(selfheal_tui.__file__).parent
HEAVY = ("textual", "litellm", "libcst")


def modules_after(code: str) -> set[str]:
    script = f"import sys\n{code}\nimport json\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def modules_of(*folders: str) -> list[str]:
    names = []
    for folder in folders:
        for file in sorted((PACKAGE / folder).rglob("*.py")):
            if "drivers" in file.parts or "boot" in file.parts or file.name == "worker.py":
                continue
            dotted = ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts)
            names.append(dotted.removesuffix(".__init__"))
    return names


def test_help_loads_none_of_the_heavy_libraries() -> None:
    loaded = modules_after(
        "from selfheal_tui.cli import selfheal\ntry:\n selfheal.main(['--help'])\nexcept SystemExit:\n pass"
    )
    assert not loaded & {*HEAVY, "tinydb", "rich", "msgspec"}


def test_importing_the_package_loads_none_of_its_parts() -> None:
    loaded = modules_after("import selfheal_tui")
    assert {m for m in loaded if m.startswith("selfheal_tui")} == {"selfheal_tui"}


@pytest.mark.parametrize("folder", ["probe", "model", "store", "config"])
def test_the_ground_floors_load_none_of_the_heavy_libraries(folder: str) -> None:
    imports = "\n".join(f"import {name}" for name in modules_of(folder))
    assert not modules_after(imports) & set(HEAVY)


def test_no_floor_under_the_faces_loads_textual_or_litellm() -> None:
    floors = ("model", "source", "store", "config", "sandbox", "checks", "repair", "pipeline", "supervisor")
    imports = "\n".join(f"import {name}" for name in modules_of(*floors))
    assert not modules_after(imports) & {"textual", "litellm", "rich", "click"}


def test_the_probe_uses_the_standard_library_alone() -> None:
    imports = "\n".join(f"import {name}" for name in modules_of("probe"))
    roots = {m.partition(".")[0] for m in modules_after(imports)}
    foreign = {
        m for m in roots if m not in sys.stdlib_module_names and not m.startswith(("_", "selfheal_tui"))
    }
    baseline = {m.partition(".")[0] for m in modules_after("pass")}
    assert foreign <= baseline


def test_every_command_of_the_table_can_be_loaded() -> None:
    import click

    from selfheal_tui.cli import COMMANDS, selfheal

    context = click.Context(selfheal)
    for name in COMMANDS:
        command = selfheal.get_command(context, name)
        assert command is not None
        assert command.help
