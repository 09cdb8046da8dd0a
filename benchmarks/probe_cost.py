"""What the probe costs a program: at its start, and once when it crashes.

Run `python benchmarks/probe_cost.py [--json] [--runs N]`. Bars: start at most 15 ms, a 20-frame capture at most
3 ms. Compared with `sentry_sdk.init` and its event building where sentry-sdk is installed; it is no dependency.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from selfheal_tui.probe.capture import capture_exception
from selfheal_tui.probe.environment import probe_environment

BAR_START_MS = 15.0
BAR_CAPTURE_MS = 3.0
SENTRY = "import sentry_sdk; sentry_sdk.init(dsn='http://key@127.0.0.1:9/1', default_integrations=True)"
DEEP = """
class Session:
    def __init__(self): self.user, self.items, self.options = 'me', list(range(50)), {'retries': 3, 'mode': 'fast'}
def step(depth, session, rows, options, label='x'):
    total = sum(rows); names = ['alpha', 'beta']; ratio = total / 7; text = 'some text of ordinary length, ' * 4
    return step(depth - 1, session, rows, options, label) if depth else options['missing']
def crash(depth): step(depth, Session(), list(range(100)), {'host': 'localhost', 'port': 80, 'tags': ('a', 'b')})
"""


def start_times(code: str, environ: dict[str, str], runs: int) -> list[float]:
    """Wall times in ms of fresh interpreters."""
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], env=environ, check=False, stderr=subprocess.DEVNULL)
        times.append((time.perf_counter() - started) * 1e3)
    return times


def paired_start(
    code: str, environ: dict[str, str], plain: dict[str, str], runs: int, without_code: str = "pass"
) -> float:
    """Median of the differences of alternating runs, which a busy machine disturbs least."""
    differences = []
    for _ in range(runs):
        without = start_times(without_code, plain, 1)[0]
        differences.append(start_times(code, environ, 1)[0] - without)
    return statistics.median(differences)


def inner_cost(inbox: str, plain: dict[str, str], runs: int) -> float:
    """Median time in ms inside the program from the first import of the probe to its installation."""
    boot = probe_environment(inbox, inbox, plain)["PYTHONPATH"].split(os.pathsep)[0]
    code = (
        "import sys, time; t = time.perf_counter(); package = type(sys)('_selfheal_probe');"
        f"package.__path__ = [{str(Path(boot).parent)!r}]; sys.modules['_selfheal_probe'] = package;"
        "import _selfheal_probe.hook as hook; hook.install(); print(time.perf_counter() - t)"
    )
    environ = {**plain, "SELFHEAL_INBOX": inbox}
    found = [float(subprocess.check_output([sys.executable, "-c", code], env=environ)) for _ in range(runs)]
    return statistics.median(found) * 1e3


def crash(depth: int, folder: str) -> BaseException:
    """Raises and catches an exception with `depth` frames of a file in the project."""
    file = Path(folder, "deep.py")
    file.write_text(DEEP)
    names: dict[str, object] = {"__name__": "deep", "__file__": str(file)}
    exec(compile(DEEP, str(file), "exec"), names)
    try:
        names["crash"](depth - 3)  # type: ignore[operator]
    except KeyError as error:
        return error
    raise AssertionError("it did not crash")


def capture_times(
    folder: str, runs: int, *, payloads: bool, clock: Callable[[], float] = time.perf_counter
) -> list[float]:
    """Times in ms of captures of a 20-frame traceback."""
    error = crash(20, folder)
    times = []
    for _ in range(runs):
        started = clock()
        report = capture_exception(error, root=folder, payload_dir=folder if payloads else None)
        json.dumps(report)
        times.append((clock() - started) * 1e3)
    assert len(report["chain"][0]["frames"]) == 20
    return times


def sentry_capture(folder: str, runs: int) -> float:
    """Median time in ms that sentry-sdk takes to build its event of the same exception."""
    import sentry_sdk
    from sentry_sdk.utils import event_from_exception

    sentry_sdk.init(dsn="http://key@127.0.0.1:9/1", default_integrations=False)
    options = sentry_sdk.get_client().options
    error, times = crash(20, folder), []
    for _ in range(runs):
        started = time.perf_counter()
        event_from_exception(error, client_options=options)
        times.append((time.perf_counter() - started) * 1e3)
    return statistics.median(times)


def main() -> int:
    """Measures, prints, and tells whether the bars were kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--runs", type=int, default=25)
    options = parser.parse_args()
    plain = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "SELFHEAL"))}
    rows: list[tuple[str, float | None, float | None]] = []
    with tempfile.TemporaryDirectory() as folder:
        environ = probe_environment(folder, folder, plain)
        start_times("pass", environ, 3)  # byte code is cached from the second start on
        rows.append(
            (
                "probe at start, whole process",
                paired_start("pass", environ, plain, options.runs),
                BAR_START_MS,
            )
        )
        rows.append(("probe at start, inside", inner_cost(folder, plain, options.runs), BAR_START_MS))
        fail = f"import sys; sys.path.insert(0, {folder!r}); import deep; deep.crash(17)"
        Path(folder, "deep.py").write_text(DEEP)
        whole = paired_start(fail, environ, plain, options.runs, fail)
        rows.append(("a crash reported, 20 frames, whole process", whole, None))
        rows.append(
            ("first capture, 20 frames (cold caches)", capture_times(folder, 1, payloads=False)[0], None)
        )
        warm = capture_times(folder, options.runs, payloads=False)
        rows.append(("capture, 20 frames, without payloads", statistics.median(warm), BAR_CAPTURE_MS))
        # On a busy machine the wall clock counts the neighbours too.
        processor = capture_times(folder, options.runs, payloads=False, clock=time.process_time)
        rows.append(
            ("capture, 20 frames, without payloads, processor time", statistics.median(processor), None)
        )
        durable = capture_times(folder, options.runs, payloads=True)
        rows.append(("capture, 20 frames, with 3 synced payloads", statistics.median(durable), None))
        if importlib.util.find_spec("sentry_sdk"):
            rows.append(
                (
                    "sentry-sdk init, whole process",
                    paired_start(SENTRY, plain, plain, min(options.runs, 7)),
                    None,
                )
            )
            rows.append(("sentry-sdk event, 20 frames", sentry_capture(folder, options.runs), None))
        else:
            rows.append(("sentry-sdk: not installed, NOT compared (pip install sentry-sdk)", None, None))
    if options.json:
        print(json.dumps([{"what": what, "ms": took, "bar_ms": bar} for what, took, bar in rows]))
    else:
        print(
            f"CPython {sys.version.split()[0]}, medians of {options.runs} runs, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
        )
        for what, took, bar in rows:
            kept = (
                ""
                if bar is None or took is None
                else f"   bar {bar:g} ms: {'kept' if took <= bar else 'MISSED'}"
            )
            print(f"{what:62} {'' if took is None else f'{took:9.2f} ms'}{kept}")
    return int(any(took is not None and bar is not None and took > bar for _, took, bar in rows))


if __name__ == "__main__":
    sys.exit(main())
