"""What one insert costs as the store grows: our journal against TinyDB's own JSONStorage.

    python benchmarks/store_insert.py [--json] [--sizes 100,1000,10000,50000] [--rounds 200]

Each row is the median (and 95th percentile) of single inserts of a document of about 1 kB into a store that
holds that many already. The journal syncs each insert to the disk; `JSONStorage` as TinyDB ships it does
not even do that. The bar: an insert at the largest size costs at most twice what it costs at the smallest.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tinydb import TinyDB

from selfheal_tui.store.lock import StoreLock
from selfheal_tui.store.table import HistoryDB

BAR = 2.0


def document(number: int) -> dict[str, Any]:
    return {
        "issue_hash": f"{number:08x}",
        "issue_type": "reliability",
        "severity": "critical",
        "file": "agent/tools/search.py",
        "success": number % 2 == 0,
        "fix_preview": "-    return self.sanitizer.has_secret(text)\n" * 18,
        "seconds": number / 7,
    }


def timed(insert: Callable[[dict[str, Any]], Any], rounds: int) -> list[float]:
    """Returns the milliseconds of each insert."""
    costs = []
    for number in range(rounds):
        fresh = document(number)
        begin = time.perf_counter()
        insert(fresh)
        costs.append((time.perf_counter() - begin) * 1000)
    return costs


def summary(costs: list[float]) -> dict[str, float]:
    ordered = sorted(costs)
    return {"median_ms": statistics.median(ordered), "p95_ms": ordered[int(len(ordered) * 0.95) - 1]}


def measure_journal(folder: Path, size: int, rounds: int) -> dict[str, float]:
    file = folder / f"journal{size}.jsonl"
    database = HistoryDB(file, StoreLock(folder / "lock"))
    for start in range(0, size, 1000):
        database.insert_multiple(document(n) for n in range(start, min(start + 1000, size)))
    timed(database.insert, 10)  # warm up
    begin = time.process_time()
    result = summary(timed(database.insert, rounds))
    result["cpu_ms"] = (time.process_time() - begin) * 1000 / rounds
    # What the disk alone asks for, measured beside it, so that a slow disk is not taken for a slow store.
    descriptor = os.open(folder / "plain", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    raw = b"x" * 1000

    def plain(_: dict[str, Any]) -> None:
        os.write(descriptor, raw)
        os.fdatasync(descriptor)

    result["sync_alone_ms"] = statistics.median(timed(plain, rounds))
    os.close(descriptor)
    database.close()
    begin = time.perf_counter()
    HistoryDB(file, StoreLock(folder / "lock")).close()
    result["open_ms"] = (time.perf_counter() - begin) * 1000
    file.unlink()
    return result


def measure_json_storage(folder: Path, size: int, rounds: int) -> dict[str, float]:
    file = folder / f"json{size}.json"
    file.write_text(json.dumps({"_default": {str(n): document(n) for n in range(1, size + 1)}}), "utf-8")
    database = TinyDB(file)
    result = summary(timed(database.insert, rounds))
    database.close()
    file.unlink()
    return result


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--sizes", default="100,1000,10000,50000")
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args(arguments)
    sizes = [int(size) for size in options.sizes.split(",")]
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for size in sizes:
            rounds_json = max(3, min(options.rounds, 20_000 // size))
            rows.append(
                {
                    "records": size,
                    "journal": measure_journal(folder, size, options.rounds),
                    "json_storage": measure_json_storage(folder, size, rounds_json),
                }
            )
    ratio = rows[-1]["journal"]["median_ms"] / rows[0]["journal"]["median_ms"]
    result = {
        "python": platform.python_version(),
        "rounds": options.rounds,
        "rows": rows,
        "ratio_largest_to_smallest": ratio,
        "bar": BAR,
        "met": ratio <= BAR,
    }
    if options.json:
        print(json.dumps(result, indent=2))
    else:
        print("          |          journal (synced)                               | TinyDB JSONStorage")
        print("  records |  median ms   p95 ms   sync alone     cpu ms   open ms    |  median ms   p95 ms")
        for row in rows:
            own, other = row["journal"], row["json_storage"]
            print(
                f"{row['records']:9} | {own['median_ms']:10.3f} {own['p95_ms']:8.3f} {own['sync_alone_ms']:12.3f}"
                f" {own['cpu_ms']:10.3f}"
                f" {own['open_ms']:9.1f}    | {other['median_ms']:10.2f} {other['p95_ms']:8.2f}"
            )
        print(
            f"insert at {sizes[-1]} / at {sizes[0]}: {ratio:.2f} (bar: {BAR:g}, {'met' if result['met'] else 'NOT MET'})"
        )
    return 0 if result["met"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
