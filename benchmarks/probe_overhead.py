"""What the probe costs a program that keeps running: exceptions that it handles, and such that it logs, in a hot loop.

Run `python benchmarks/probe_overhead.py [--json] [--seconds S] [--rounds N]`. Bars: a loop that raises and handles at
most 1 % slower; 10,000 identical logged exceptions a second take less than 2 % of a processor; importing a program's
usual modules under the probe at most 15 ms longer. All of it is processor time. With and without alternate, so that neighbours disturb both alike.
sentry-sdk's logging integration is measured in the same run where it is installed; it is no dependency.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from selfheal_tui.probe.environment import probe_environment

BAR_HANDLED = 1.0
BAR_LOGGED = 2.0
BAR_IMPORT_MS = 15.0
RATE = 10_000
HANDLED = """
import sys, time
SECONDS = float(sys.argv[1])
def work(d): return d["missing"]
def run():
    done, end = 0, time.process_time() + SECONDS
    while time.process_time() < end:
        for _ in range(500):
            try: work({})
            except KeyError: done += 1
    return done
start = time.process_time(); done = run()
print((time.process_time() - start) / done * 1e6)
"""
LOGGED = """
import logging, os, sys, time
SECONDS = float(sys.argv[1])
logging.basicConfig(stream=open(os.devnull, "w"), format="%(asctime)s %(name)s %(message)s")
log = logging.getLogger("app")
def inner(d): return d["missing"]
def work(d): return inner(d)
def run(seconds):
    done, end = 0, time.process_time() + seconds
    while time.process_time() < end:
        for _ in range(100):
            try: work({})
            except KeyError: log.exception("it failed")
            done += 1
    return done
run(0.2)  # the first report is made here: it is a cost by itself, shown by probe_cost.py
start = time.process_time(); done = run(SECONDS)
print((time.process_time() - start) / done * 1e6)
"""
SENTRY = """
import sentry_sdk
sentry_sdk.init(dsn="http://key@127.0.0.1:9/1", transport=lambda event: None, default_integrations=True)
"""
IMPORTS = "import time, sys; t = time.process_time(); import logging, threading, warnings, asyncio, multiprocessing; print((time.process_time() - t) * 1e3)"


def figure(code: str, environ: dict[str, str], *arguments: str) -> float:
    """Runs a program that prints one number."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], env=environ, check=True, capture_output=True, text=True
    )
    return float(done.stdout.split()[-1])


def paired(
    code: str, with_it: dict[str, str], without: dict[str, str], rounds: int, *arguments: str
) -> tuple[float, float]:
    """Best with and without, of alternating runs: neighbours only ever add to processor time."""
    found: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        found[1].append(figure(code, without, *arguments))
        found[0].append(figure(code, with_it, *arguments))
    return min(found[0]), min(found[1])


def main() -> int:
    """Measures, prints, and tells whether the bars were kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seconds", default="2")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    plain = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "SELFHEAL"))}
    rows: list[tuple[str, float, str, float | None]] = []
    with tempfile.TemporaryDirectory() as folder:
        inbox = Path(folder, "inbox")
        inbox.mkdir()
        environ = probe_environment(inbox, folder, plain)
        figure(IMPORTS, environ)  # byte code is cached from the second start on
        with_it, without = paired(HANDLED, environ, plain, options.rounds, options.seconds)
        rows.append(("raise and handle, without", without, "µs", None))
        rows.append(
            ("raise and handle, more with the probe", (with_it / without - 1) * 100, "%", BAR_HANDLED)
        )
        for file in inbox.iterdir():
            file.unlink()
        with_it, without = paired(LOGGED, environ, plain, options.rounds, options.seconds)
        rows.append(("log.exception, without", without, "µs", None))
        rows.append(("log.exception, more with the probe", with_it - without, "µs", None))
        share = (with_it - without) * RATE / 1e6 * 100
        rows.append((f"{RATE} logged a second: of one processor", share, "%", BAR_LOGGED))
        rows.append(("the same loop flat out: slower by", (with_it / without - 1) * 100, "%", None))
        reports = [json.loads(file.read_bytes()) for file in inbox.glob("*.json")]
        chains = {json.dumps(report["chain"][0]["frames"][-1]["qualname"]) for report in reports}
        rows.append(("reports written for each run of the loop", len(reports) / options.rounds, "", None))
        rows.append(("different exceptions in them", len(chains), "", None))
        rows.append(
            (
                "exceptions that they count, for each run",
                sum(r["count"] for r in reports) / options.rounds,
                "",
                None,
            )
        )
        if importlib.util.find_spec("sentry_sdk"):
            sentry, bare = paired(SENTRY + LOGGED, plain, plain, 1, "1"), without
            rows.append(("log.exception, more with sentry-sdk", sentry[0] - bare, "µs", None))
        with_it, without = paired(IMPORTS, environ, plain, 3 * options.rounds)
        rows.append(("import of five hooked modules, longer by", with_it - without, "ms", BAR_IMPORT_MS))
    if options.json:
        print(json.dumps([dict(zip(("what", "value", "unit", "bar"), row, strict=True)) for row in rows]))
    else:
        print(
            f"CPython {sys.version.split()[0]}, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
        )
        for what, value, unit, bar in rows:
            kept = "" if bar is None else f"   bar {bar:g} {unit}: {'kept' if value <= bar else 'MISSED'}"
            print(f"{what:46} {value:10.2f} {unit}{kept}")
    return int(any(bar is not None and value > bar for _, value, _, bar in rows))


if __name__ == "__main__":
    sys.exit(main())
