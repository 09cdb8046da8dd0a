"""Hot swap of one function among 10,000 functions and 1,000,000 objects.

    python benchmarks/hot_swap.py [--json] [--runs N] [--one-file]

The 10,000 functions lie in 100 modules of 100 (or, with `--one-file`, in a single one, whose compilation then
dominates). Bar: median of 100 ms. When `jurigged` is installed beside us it does the same change in the same run.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from selfheal_tui.probe.swap import remember_sources, swap_files

FUNCTIONS = 10_000
OBJECTS = 1_000_000


def text(count: int, marker: int) -> str:
    head = f"def f0(x):\n    return x, {marker}\n"
    return head + "".join(
        f"def f{i}(x, y={i}):\n    z = x + y\n    return z * {i}\n" for i in range(1, count)
    )


class Node:
    """An ordinary object: tracked by the collector, with a dictionary or values of its own."""

    def __init__(self, number: int) -> None:
        self.items = [number]


def build(folder: Path, one_file: bool) -> list[Path]:
    files = 1 if one_file else 100
    paths = []
    for index in range(files):
        path = folder / f"bench_{index}.py"
        path.write_text(text(FUNCTIONS // files, 0), encoding="utf-8")
        paths.append(path)
        importlib.import_module(path.stem)
    return paths


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--one-file", action="store_true")
    parser.add_argument("--runs", type=int, default=11)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        sys.path.insert(0, str(folder))
        paths = build(folder, options.one_file)
        keep = [Node(number) for number in range(OBJECTS // 2)]
        count = FUNCTIONS // len(paths)
        function = importlib.import_module(paths[0].stem).f0
        remember_sources(str(folder))
        seconds = []
        for run in range(1, options.runs + 1):
            paths[0].write_text(text(count, run), encoding="utf-8")
            started = time.perf_counter()
            outcome = swap_files([str(paths[0])], root=str(folder))
            seconds.append(time.perf_counter() - started)
            assert outcome.ok, outcome
            assert function(1) == (1, run), function(1)
        result = {
            "functions": FUNCTIONS,
            "objects": len(gc.get_objects()),
            "files": len(paths),
            "median_ms": round(statistics.median(seconds) * 1000, 1),
            "worst_ms": round(max(seconds) * 1000, 1),
            "jurigged_median_ms": with_jurigged(paths[0], count, options.runs),
        }
        del keep
    print(
        json.dumps(result) if options.json else "\n".join(f"{key}: {value}" for key, value in result.items())
    )


def with_jurigged(path: Path, count: int, runs: int) -> float | str:
    try:
        from jurigged.register import registry
    except ImportError:
        return "not installed"
    registry.prepare(path.stem, str(path))
    code = registry.get(str(path))
    seconds = []
    for run in range(1, runs + 1):
        path.write_text(text(count, 1000 + run), encoding="utf-8")
        started = time.perf_counter()
        code.refresh()
        seconds.append(time.perf_counter() - started)
    function = importlib.import_module(path.stem).f0
    assert function(1) == (1, 1000 + runs), "jurigged did not apply the change"
    return round(statistics.median(seconds) * 1000, 1)


if __name__ == "__main__":
    main()
