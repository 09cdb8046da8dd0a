"""Every way in which an exception can come up, on every interpreter: one report of the right kind, nothing else changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from probeworld import VERSIONS, World, interpreter

HEAD = """\
import asyncio, gc, logging, multiprocessing, sys, threading
def inner(table):
    return table["missing"]
def work(table):
    return inner(table)
"""
# Each program: what it does, the kind of its report, whether the program handled it, its exit code.
PROGRAMS = {
    "main": ("work({})", "exception", False, 1),
    "thread": ("t = threading.Thread(target=work, args=({},)); t.start(); t.join()", "thread", False, 0),
    "timer": ("t = threading.Timer(0.01, work, ({},)); t.start(); t.join()", "thread", False, 0),
    "task": (
        (
            "async def step(): work({})\n"
            "async def main():\n    t = asyncio.ensure_future(step()); await asyncio.sleep(0.01); del t; gc.collect()\n"
            "asyncio.run(main())"
        ),
        "task",
        False,
        0,
    ),
    "loop callback": (
        (
            "async def main():\n    asyncio.get_running_loop().call_soon(work, {}); await asyncio.sleep(0.01)\n"
            "asyncio.run(main())"
        ),
        "loop",
        False,
        0,
    ),
    "awaited task": ("async def main(): work({})\nasyncio.run(main())", "exception", False, 1),
    "fork": (
        (
            "if __name__ == '__main__':\n    p = multiprocessing.get_context('fork').Process(target=work, args=({},))\n"
            "    p.start(); p.join(); sys.exit(p.exitcode + 4)"
        ),
        "child",
        False,
        5,
    ),
    "spawn": (
        (
            "if __name__ == '__main__':\n    p = multiprocessing.get_context('spawn').Process(target=work, args=({},))\n"
            "    p.start(); p.join(); sys.exit(p.exitcode + 4)"
        ),
        "child",
        False,
        5,
    ),
    "forkserver": (
        (
            "if __name__ == '__main__':\n    p = multiprocessing.get_context('forkserver').Process(target=work, args=({},))\n"
            "    p.start(); p.join(); sys.exit(p.exitcode + 4)"
        ),
        "child",
        False,
        5,
    ),
    "logged": (
        "try: work({})\nexcept Exception: logging.getLogger('app.tool').exception('it failed')",
        "logged",
        True,
        0,
    ),
    "logged with exc_info": (
        (
            "logging.basicConfig(format='%(message)s %(funcName)s %(lineno)d %(filename)s')\n"
            "def act():\n    try: work({})\n    except Exception as e: logging.warning('it failed', exc_info=e, stack_info=True)\nact()"
        ),
        "logged",
        True,
        0,
    ),
    "logged, not propagated": (
        (
            "log = logging.getLogger('app'); log.propagate = False; log.addHandler(logging.StreamHandler())\n"
            "try: work({})\nexcept Exception: log.error('it failed', exc_info=True)"
        ),
        "logged",
        True,
        0,
    ),
    "unraisable": (
        (
            "class Tool:\n    def __del__(self): work({})\n    def __repr__(self): return 'tool'\n"
            "Tool.__del__.__qualname__ = 'Tool.del'\n"
            "sys.unraisablehook = lambda u, before=sys.unraisablehook: (print('OWN', u.exc_type), before(u))[1]\n"
            "import io; sys.stderr = io.StringIO()\nTool()\nsys.stderr = sys.__stderr__"
        ),
        "unraisable",
        False,
        0,
    ),
    "log failure": (
        "logging.basicConfig()\ndef act(): logging.error('%d of %s', 'x')\nact()",
        "log-failure",
        True,
        0,
    ),
    "never awaited": ("async def step(): pass\ndef act(): step()\nact()", "warning", True, 0),
    "swallowed": ("try: work({})\nexcept KeyError: pass", None, True, 0),
    "logged for information": (
        "logging.basicConfig(level=10)\ntry: work({})\nexcept KeyError: logging.info('fine', exc_info=True)",
        None,
        True,
        0,
    ),
    "interrupt logged": (
        "try: raise KeyboardInterrupt\nexcept BaseException: logging.exception('stopped')",
        None,
        True,
        0,
    ),
    "exit in a thread": ("t = threading.Thread(target=sys.exit); t.start(); t.join()", None, True, 0),
}


@pytest.fixture(params=VERSIONS)
def python(request):
    return interpreter(request.param)


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def write(world: World, body: str, name: str = "program.py") -> str:
    (world.root / name).write_text(HEAD + body + "\n")
    return name


@pytest.mark.parametrize("way", PROGRAMS)
def test_one_report_of_the_right_kind_and_the_program_runs_as_ever(world, python, way):
    body, kind, handled, code = PROGRAMS[way]
    done = world.both(python, write(world, body))
    assert done.returncode == code, done.stderr
    reports = world.reports()
    if kind is None:
        assert reports == []
        return
    assert [(r.kind, r.process.handled, r.count) for r in reports] == [(kind, handled, 1)]
    report = reports[0]
    frames = report.raised.frames
    own = [frame.qualname for frame in frames if Path(frame.file) == world.root / "program.py"]
    assert own, frames
    if kind in ("log-failure", "warning"):
        assert own[-1] == "act", (
            "the innermost frame of the program is the call that logs, or forgets to await"
        )
    else:
        assert (report.raised.type, own[-1]) == ("KeyError", "inner")


def test_what_is_logged_and_then_ends_the_program_is_one_crash(world, python):
    world.both(
        python,
        write(
            world,
            "def act():\n    try: work({})\n    except KeyError: logging.exception('it failed'); raise\n"
            "try: act()\nexcept KeyError as e: logging.exception('again'); raise RuntimeError('no way on') from e",
        ),
    )
    report = world.report()
    assert (report.kind, report.process.handled) == ("exception", False)
    assert [info.type for info in report.chain] == ["RuntimeError", "KeyError"]
    assert len(list(world.inbox.glob("*.pickle"))) == len([c for c in report.replay if c.payload])


def test_a_hook_of_the_program_that_logs_what_ends_it_hides_nothing_and_doubles_nothing(world, python):
    body = (
        "def mine(kind, error, trace): logging.critical('it ended', exc_info=(kind, error, trace))\n"
        "sys.excepthook = mine\n"
        "threading.excepthook = lambda args: logging.critical('a thread', exc_info=args.exc_value)\n"
        "t = threading.Thread(target=inner, args=({},)); t.start(); t.join()\n"
        "work({})"
    )
    world.both(python, write(world, body))
    assert sorted(r.kind for r in world.reports()) == ["exception", "thread"]


def test_a_pool_hands_its_exception_to_the_parent_and_no_child_reports_it(world, python):
    body = (
        "from concurrent.futures import ProcessPoolExecutor\n"
        "if __name__ == '__main__':\n"
        "    with ProcessPoolExecutor(1, multiprocessing.get_context('fork')) as pool:\n"
        "        try: pool.submit(work, {}).result()\n        except KeyError: logging.error('it failed')"
    )
    world.both(python, write(world, body))
    assert world.reports() == []


def test_ten_thousand_alike_make_one_incident_with_a_count(world, python):
    body = (
        "logging.disable(0); log = logging.getLogger('app'); log.propagate = False; log.addHandler(logging.NullHandler())\n"
        "def act():\n    try: work({})\n    except KeyError: log.exception('it failed')\n"
        "for _ in range(10_000): act()"
    )
    world.both(python, write(world, body))
    reports = world.reports()
    assert sum(r.count for r in reports) == 10_000
    assert len(reports) < 12
    assert len({tuple((f.qualname, f.line) for f in r.raised.frames) for r in reports}) == 1
    assert all(r.tells_repeats for r in reports[1:])
    assert reports[0].report_id == reports[-1].context["selfheal.repeats_of"]


def test_threads_lose_no_count(world, python):
    body = (
        "log = logging.getLogger('app'); log.propagate = False; log.addHandler(logging.NullHandler())\n"
        "def act():\n    for _ in range(500):\n        try: work({})\n        except KeyError: log.exception('it failed')\n"
        "ts = [threading.Thread(target=act) for _ in range(8)]\n[t.start() for t in ts]; [t.join() for t in ts]"
    )
    world.both(python, write(world, body))
    assert sum(r.count for r in world.reports()) == 4_000


def test_a_child_counts_for_itself(world, python):
    body = (
        "import os\nlog = logging.getLogger('app'); log.propagate = False; log.addHandler(logging.NullHandler())\n"
        "def act():\n    try: work({})\n    except KeyError: log.exception('it failed')\n"
        "act(); act()\npid = os.fork()\nact(); act(); act()\n"
        "if pid: os.waitpid(pid, 0)"
    )
    world.both(python, write(world, body))
    counts: dict[int, int] = {}
    for report in world.reports():
        counts[report.process.pid] = counts.get(report.process.pid, 0) + report.count
    assert sorted(counts.values()) == [3, 5]


def test_an_interrupt_during_a_report_of_a_program_that_goes_on_reaches_the_program(world, python):
    body = (
        "import os, signal\n"
        "class Odd(Exception):\n    def __str__(self): os.kill(os.getpid(), signal.SIGINT); [0 for _ in range(10**6)]; return 'odd'\n"
        "log = logging.getLogger('app'); log.propagate = False; log.addHandler(logging.NullHandler())\n"
        "try:\n    try: raise Odd\n    except Odd: log.exception('it failed')\n    print('NOT INTERRUPTED')\n"
        "except KeyboardInterrupt: print('interrupted')"
    )
    done = world.run(python, write(world, body))
    assert done.stdout == b"interrupted\n", done.stderr


def test_logging_inside_a_capture_and_in_a_signal_handler_is_no_endless_loop(world, python):
    body = (
        "import signal\nlog = logging.getLogger('app'); log.propagate = False; log.addHandler(logging.NullHandler())\n"
        "class Odd(Exception):\n    def __str__(self):\n        try: work({})\n        except KeyError: log.exception('inside')\n"
        "        return 'odd'\n"
        "def on_alarm(*_):\n    try: work({1: 1})\n    except KeyError: log.exception('alarm')\n"
        "signal.signal(signal.SIGALRM, on_alarm); signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)\n"
        "for _ in range(20):\n    try: raise Odd\n    except Odd: log.exception('it failed')\n"
        "signal.setitimer(signal.ITIMER_REAL, 0)"
    )
    done = world.run(python, write(world, body))
    assert (done.returncode, done.stderr) == (0, b"")
    assert "Odd" in {r.raised.type for r in world.reports()}
