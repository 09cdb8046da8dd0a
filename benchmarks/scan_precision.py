"""False alarms of `selfheal scan` on popular pure-Python packages at released versions, and seeded faults found.

    python benchmarks/scan_precision.py [--json] [--keep FOLDER]

Installs the packages below into a folder of its own with `uv pip install --target` (or pip), scans each, and prints every
finding beside the lines that were read. What was looked at by hand and does raise is listed in `TRUE`; everything else
counts as a false alarm. Bar: at most one in 10,000 lines. The seeded faults are those of the tests
(`tests/data/scan/faults.py`), one a function, with a comment that names the exception.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from selfheal_tui.model.settings import ProjectSettings
from selfheal_tui.pipeline.scan import find_faults
from selfheal_tui.source.project import Project

PACKAGES = {
    "attrs": ("attrs==26.1.0", ("attr", "attrs")),
    "click": ("click==8.5.1", ("click",)),
    "flask": ("flask==3.1.3", ("flask",)),
    "httpx": ("httpx==0.28.1", ("httpx",)),
    "jinja2": ("jinja2==3.1.6", ("jinja2",)),
    "more-itertools": ("more-itertools==11.2.1", ("more_itertools",)),
    "networkx": ("networkx==3.6.1", ("networkx",)),
    "packaging": ("packaging==26.3", ("packaging",)),
    "pluggy": ("pluggy==1.7.0", ("pluggy",)),
    "pygments": ("pygments==2.21.0", ("pygments",)),
    "requests": ("requests==2.34.2", ("requests",)),
    "rich": ("rich==15.0.0", ("rich",)),
    "tomlkit": ("tomlkit==0.15.2", ("tomlkit",)),
    "urllib3": ("urllib3==2.8.0", ("urllib3",)),
    "werkzeug": ("werkzeug==3.1.9", ("werkzeug",)),
}
"""Name → what to install, and the folders that it brings."""

TRUE: dict[tuple[str, str], str] = {
    ("networkx/algorithms/isomorphism/ismags.py", "node_partition"): "a name that only the docstring knows",
    ("networkx/drawing/nx_pylab.py", "plt"): "pyplot is imported in other functions, not in this one",
    (
        "networkx/utils/tests/test_decorators.py",
        "ArgmapError",
    ): "a test that must not reach it, with an undefined name",
    ("networkx/utils/tests/test_heaps.py", "BaseException"): "`raise self is other` where `return` is meant",
}
"""File and a word of the message → why the line does raise when it runs; each was read by a person."""

SEEDS = Path(__file__).resolve().parents[1] / "tests" / "data" / "scan"
_SEED = re.compile(r"#\s*raises (\w+)")


def install(folder: Path) -> None:
    wanted = [requirement for requirement, _ in PACKAGES.values()]
    tool = ["uv", "pip", "install", "--quiet", "--python", sys.executable]
    if shutil.which("uv") is None:
        tool = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile"]
    subprocess.run([*tool, "--target", str(folder), *wanted], check=True)


def measure(folder: Path) -> list[dict[str, Any]]:
    project = Project(folder, ProjectSettings())
    files = project.python_files()
    rows = []
    by_name = {
        name: tuple(path for path in files if path.split("/")[0] in tops)
        for name, (_, tops) in PACKAGES.items()
    }
    found = find_faults(
        project, [path for paths in by_name.values() for path in paths], interpreter=sys.executable
    )
    for name, paths in by_name.items():
        own = [one for one in found if one.path in set(paths)]
        lines = sum(project.read(path).text.count("\n") for path in paths)
        judged = [
            {
                "where": f"{one.path}:{one.line}",
                "says": f"{one.exception}: {one.message}",
                "detector": one.detector,
                "true": next(
                    (why for (path, word), why in TRUE.items() if path == one.path and word in one.message),
                    "",
                ),
            }
            for one in own
        ]
        rows.append(
            {
                "package": name,
                "lines": lines,
                "found": judged,
                "false": sum(not one["true"] for one in judged),
            }
        )
    return rows


def recall() -> dict[str, Any]:
    project = Project(SEEDS, ProjectSettings())
    found = {
        (one.path, one.line): one.exception
        for one in find_faults(project, project.python_files(), interpreter=sys.executable)
    }
    seeded = {
        (path, number): match.group(1)
        for path in project.python_files()
        for number, line in enumerate(project.read(path).text.splitlines(), 1)
        if (match := _SEED.search(line))
    }
    missed = [
        f"{path}:{line} {kind}" for (path, line), kind in seeded.items() if found.get((path, line)) != kind
    ]
    surplus = [f"{path}:{line} {kind}" for (path, line), kind in found.items() if (path, line) not in seeded]
    return {"seeded": len(seeded), "missed": missed, "surplus": surplus}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--keep", type=Path, default=None, help="install there, and use what is there already"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        if not folder.is_dir() or not any(folder.iterdir()):
            install(folder)
        rows = measure(folder)
    seeds = recall()
    lines, false = sum(row["lines"] for row in rows), sum(row["false"] for row in rows)
    if options.json:
        print(json.dumps({"packages": rows, "lines": lines, "false": false, "recall": seeds}, indent=2))
        return
    for row in rows:
        print(
            f"{row['package']:<16} {row['lines']:>8} lines  {len(row['found']):>3} found  {row['false']:>3} false"
        )
        for one in row["found"]:
            print(f"    {one['where']}  {one['says']}  [{one['detector']}]  {one['true'] or 'NOT JUDGED'}")
    print(f"{'all':<16} {lines:>8} lines  {false} false: {false / lines * 10_000:.3f} in 10,000 (bar: 1)")
    caught = seeds["seeded"] - len(seeds["missed"])
    print(f"seeded faults: {caught} of {seeds['seeded']} found, {len(seeds['surplus'])} besides them")
    for line in (*seeds["missed"], *seeds["surplus"]):
        print(f"    {line}")


if __name__ == "__main__":
    main()
