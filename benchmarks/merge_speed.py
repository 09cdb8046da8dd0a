"""What merging a one-function fix into a module costs, by the module's size.

Run `python benchmarks/merge_speed.py [--json] [--runs N]`. Times are CPU milliseconds (best of N), so that
a busy machine disturbs them little; `floor` is libcst's own parse and output of the same module, below which
no format-keeping merge can go.
"""

from __future__ import annotations

import argparse
import ast
import json
import platform
import time
from collections.abc import Callable

import libcst

from selfheal_tui.source.diff import changed_line_count
from selfheal_tui.source.merge import merge_snippet

SIZES = (100, 1000, 5000)
CLASS = '''

class Service{n}(Base):
    """Keeps records of kind {n}."""

    limit: int = {n}  # most records kept

    def __init__(self, name: str, *, retries: int = 3) -> None:
        self.name = name
        self.records: dict[str, list[int]] = {{}}
        self.retries = retries

    @property
    def size(self) -> int:
        """How many records there are."""
        return sum(len(rows) for rows in self.records.values())

    def add(self, key: str, *rows: int) -> bool:
        # A full service refuses; callers retry later.
        if self.size + len(rows) > self.limit:
            log.warning("full: %s has %d of %d", self.name, self.size, self.limit)
            return False
        for row in rows:
            self.records.setdefault(key, []).append(row)
        return True

    def average(self, key: str) -> float:
        rows = self.records[key]
        return sum(rows) / len(rows)  # the bug that is healed
'''
FIX = """
def average(self, key: str) -> float:
    rows = self.records.get(key, [])
    if not rows:
        raise EmptyError(key)
    return sum(rows) / len(rows)
"""


def module(lines: int) -> str:
    """Builds a module of about that many lines."""
    text = '"""Services."""\n\nimport logging\n\nlog = logging.getLogger(__name__)\n'
    number = 0
    while text.count("\n") < lines:
        text += CLASS.format(n=number)
        number += 1
    return text


def cost(run: Callable[[], object], runs: int) -> float:
    """Least CPU time of several runs, in ms."""
    times = []
    for _ in range(runs):
        started = time.process_time()
        run()
        times.append((time.process_time() - started) * 1e3)
    return min(times)


def measure(lines: int, runs: int) -> dict[str, float]:
    """Measures one size."""
    text = module(lines)
    merged = merge_snippet(text, FIX, qualname="Service1.average").text
    return {
        "lines": text.count("\n"),
        "ast_parse_ms": cost(lambda: ast.parse(text), runs),
        "floor_ms": cost(lambda: libcst.parse_module(text).code, runs),
        "merge_ms": cost(lambda: merge_snippet(text, FIX, qualname="Service1.average"), runs),
        "changed_lines": changed_line_count(text, merged),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    rows = [measure(size, options.runs) for size in SIZES]
    if options.json:
        print(
            json.dumps({"python": platform.python_version(), "libcst": libcst.LIBCST_VERSION, "rows": rows})
        )
        return
    print(
        f"CPython {platform.python_version()}, libcst {libcst.LIBCST_VERSION}, CPU ms, best of {options.runs}"
    )
    print(
        f"{'lines':>6} {'ast.parse':>10} {'floor':>8} {'merge':>8} {'merge/floor':>12} {'changed lines':>14}"
    )
    for row in rows:
        print(
            f"{row['lines']:6.0f} {row['ast_parse_ms']:10.1f} {row['floor_ms']:8.1f} {row['merge_ms']:8.1f}"
            f" {row['merge_ms'] / row['floor_ms']:12.2f} {row['changed_lines']:14.0f}"
        )


if __name__ == "__main__":
    main()
