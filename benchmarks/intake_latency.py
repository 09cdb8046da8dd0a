"""How long it takes from an exception to an incident that can be seen in the store.

    python benchmarks/intake_latency.py [--json] [--crashes 200] [--crowd 1000]

Threads of a real program with the probe end in exceptions, each of its own kind, one at a time; an engine service
without workers takes them in; a third process (this one) watches the store, as a viewer does. The time runs from
just before the `raise` to the moment at which the incident can be read from the store by another process. `--crowd`
incidents are in the store already. Beside it: what one synced write costs here, since a report takes several.
The bars: p50 at most 20 ms, p99 at most 100 ms.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from selfheal_tui.model.crash import CrashReport, ExceptionInfo, Frame
from selfheal_tui.model.kinds import CaptureSource, Environment
from selfheal_tui.model.settings import ProjectSettings
from selfheal_tui.pipeline.intake import Arrival, take_in_all
from selfheal_tui.probe.environment import probe_environment
from selfheal_tui.source.project import Project
from selfheal_tui.store import Store

BARS = {"p50_ms": 20.0, "p99_ms": 100.0}

SERVICE = """
import sys
from pathlib import Path
from selfheal_tui.supervisor.service import EngineService
service = EngineService(Path(sys.argv[1]), workers=0, flags={"environment": "local"})
service.subscribe(lambda event: print(type(event).__name__, flush=True) if "Started" in type(event).__name__ else None)
service.run()
"""

CALLS = """
for line in sys.stdin:
    crash = globals()["crash_%d" % int(line)]
    began = []
    def work():
        began.append(time.time())
        crash([1, 2, 3])
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    print(repr(began[0]), flush=True)
"""


def fill(root: Path, crowd: int) -> None:
    """Puts incidents of an earlier life into the store."""
    with Store.open(root) as store:
        project = Project(root, ProjectSettings())
        for start in range(0, crowd, 100):
            arrivals = []
            for number in range(start, min(start + 100, crowd)):
                frame = Frame(
                    str(root / "app.py"), f"old_{number}", 3, source="    return itms", module="app"
                )
                info = ExceptionInfo("NameError", "name 'itms' is not defined", (frame,))
                arrivals.append(Arrival(CrashReport(f"{number:032x}", 1.0, CaptureSource.PROBE, (info,))))
            take_in_all(store, project, arrivals, environment=Environment.LOCAL, now=1.0)


def synced_write_ms(folder: Path) -> float:
    costs = []
    descriptor = os.open(folder / "plain", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for _ in range(50):
        begin = time.perf_counter()
        os.write(descriptor, b"x" * 1000)
        os.fdatasync(descriptor)
        costs.append((time.perf_counter() - begin) * 1000)
    os.close(descriptor)
    return statistics.median(costs)


def measure(root: Path, crashes: int, crowd: int) -> list[float]:
    body = "import sys, threading, time\n"
    body += "".join(f"def crash_{n}(items):\n    return itms\n" for n in range(crashes)) + CALLS
    (root / "app.py").write_text(body, "utf-8")
    fill(root, crowd)
    base = {k: v for k, v in os.environ.items() if not k.startswith("SELFHEAL")}
    service = subprocess.Popen(
        [sys.executable, "-c", SERVICE, str(root)], stdout=subprocess.PIPE, text=True, env=base
    )
    assert service.stdout is not None
    service.stdout.readline()
    environ = probe_environment(root / ".selfheal" / "inbox", root, base) | {"SELFHEAL_LIVE": "1"}
    program = subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=root,
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert program.stdin is not None
    assert program.stdout is not None
    costs = []
    try:
        with Store.open(root) as store:
            for number in range(crashes):
                before = store.incidents.signature()
                time.sleep(0.03)  # one at a time: the one before is settled
                program.stdin.write(f"{number}\n")
                program.stdin.flush()
                seen = 0.0
                until = time.monotonic() + 20
                while time.monotonic() < until:
                    if store.incidents.signature() != before:
                        seen = time.time()
                        break
                    time.sleep(0.0005)
                began = float(program.stdout.readline())
                if not seen:
                    raise SystemExit(f"crash {number} was not seen within 20 s")
                if number >= 5:  # warm
                    costs.append((seen - began) * 1000)
            if len(store.incidents.all()) != crowd + crashes:
                raise SystemExit("not every crash became an incident of its own; nothing was measured")
    finally:
        program.stdin.close()
        program.wait(20)
        service.terminate()
        service.wait(20)
    return costs


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--crashes", type=int, default=200)
    parser.add_argument("--crowd", type=int, default=1000)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name).resolve()
        plain = synced_write_ms(root)
        costs = sorted(measure(root, options.crashes, options.crowd))
    result: dict[str, Any] = {
        "python": platform.python_version(),
        "crashes": len(costs),
        "crowd": options.crowd,
        "p50_ms": statistics.median(costs),
        "p90_ms": costs[int(len(costs) * 0.9)],
        "p99_ms": costs[min(len(costs) - 1, int(len(costs) * 0.99))],
        "worst_ms": costs[-1],
        "synced_write_ms": plain,
        "load": os.getloadavg()[0],
        "bars": BARS,
    }
    result["met"] = all(result[name] <= bar for name, bar in BARS.items())
    if options.json:
        print(json.dumps(result, indent=2))
    else:
        print(f"{len(costs)} crashes beside {options.crowd} incidents; one synced write: {plain:.2f} ms")
        print(f"load of this machine: {result['load']:.1f}")
        for name, bar in (("p50_ms", BARS["p50_ms"]), ("p90_ms", None), ("p99_ms", BARS["p99_ms"])):
            text = "" if bar is None else f"  (bar {bar:g}: {'met' if result[name] <= bar else 'NOT MET'})"
            print(f"{name[:3]} {result[name]:8.1f} ms{text}")
        print(f"max {result['worst_ms']:8.1f} ms")
    return 0 if result["met"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
