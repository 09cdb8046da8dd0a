"""Variants are tried from one start of a program, on every level of isolation; what is found is what was wrong."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import pytest

from selfheal_tui.model.kinds import Isolation
from selfheal_tui.model.laboratory import TrialPlan, TrialRun, Variant
from selfheal_tui.model.ports import ReplayPlan
from selfheal_tui.model.settings import ProjectSettings, SandboxSettings, SearchSettings
from selfheal_tui.repair.search.engine import Oracle, search
from selfheal_tui.sandbox.isolation import try_isolation
from selfheal_tui.sandbox.workspace import ProjectSandbox
from selfheal_tui.source.project import Project

LIB = """
from functools import wraps

def kept(function):
    @wraps(function)
    def inner(*args):
        return function(*args)
    return inner

class Base:
    def start(self):
        return 1

class Counter(Base):
    def start(self):
        return super().start() + 1

    @kept
    def count(self, n, *more, step=1, **rest):
        return self.start() + n * step

def items(n):
    for i in range(n):
        yield i

async def later(n):
    return n + 2
"""
MAIN = """
import asyncio, inspect
import lib
assert inspect.isgeneratorfunction(lib.items) and inspect.iscoroutinefunction(lib.later)
assert list(inspect.signature(lib.Counter.count).parameters) == ["self", "n", "more", "step", "rest"]
def main():
    assert lib.Counter().count(2) == 3
    assert list(lib.items(2)) == [0, 1]
    assert asyncio.run(lib.later(1)) == 2
main()
"""


@pytest.fixture(params=tuple(Isolation), ids=lambda level: level.value)
def level(request: pytest.FixtureRequest) -> Isolation:
    problem = try_isolation(request.param)
    if problem:
        pytest.skip(f"LOUD: {request.param.value} is not tested on this machine: {problem}")
    return request.param


def project(tmp_path: Path, **files: str) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    for name, text in files.items():
        (root / f"{name}.py").write_text(textwrap.dedent(text).lstrip("\n"))
    return root


def edit(text: str, old: str, new: str) -> tuple[int, int, str]:
    assert text.count(old) == 1, old
    return text.index(old), text.index(old) + len(old), new


def tried(
    root: Path, waves: list[list[list[tuple[str, str]]]], level: Isolation | None = None, **more: object
) -> TrialRun:
    text = (root / "lib.py").read_text()
    variants = tuple(
        tuple(Variant("lib.py", tuple(edit(text, old, new) for old, new in edits)) for edits in wave)
        for wave in waves
    )
    plan = TrialPlan(
        ReplayPlan("command", argv=(sys.executable, "main.py"), cwd=str(root)),
        ("lib.py",), variants, seconds=5, budget=30, noticing=(("main.py", "main"),), **more,  # type: ignore[arg-type]
    )  # fmt: skip
    box = ProjectSandbox(Project(root), SandboxSettings(), ProjectSettings(), sys.executable, isolation=level)
    with box.workspace() as workspace:
        return workspace.try_variants(plan)  # type: ignore[attr-defined]


SUPER, LATER = ("super().start() + 1", "super().start()"), ("n + 2", "n + 1")


def test_methods_generators_and_coroutines_take_the_code_of_the_variant(
    tmp_path: Path, level: Isolation
) -> None:
    root = project(tmp_path, lib=LIB, main=MAIN)
    before = {file: file.read_bytes() for file in root.iterdir()}
    run = tried(root, [[[SUPER], [LATER], [SUPER, LATER], [SUPER, ("n + 2", "n +")]]], level)
    assert (run.problem, run.unchanged) == ("", "red")
    assert run.statuses == {0: "red", 1: "red", 2: "green", 3: "misfit"}
    assert {file: file.read_bytes() for file in root.iterdir()} == before


def test_a_later_wave_is_tried_only_if_none_before_it_was_green(tmp_path: Path) -> None:
    root = project(tmp_path, lib=LIB, main=MAIN)
    assert tried(root, [[[SUPER]], [[SUPER, LATER]]]).statuses == {0: "red", 1: "green"}
    assert tried(root, [[[SUPER, LATER]], [[SUPER]]]).statuses == {0: "green"}


def test_a_variant_that_never_ends_is_ended_and_the_others_go_on(tmp_path: Path) -> None:
    root = project(tmp_path, lib="def f(n):\n    while n > 0:\n        n -= 1\n    return n + 1\n",
                   main="from lib import f\ndef main():\n    assert f(3) == 0\nmain()\n")  # fmt: skip
    run = tried(root, [[[("n -= 1", "n += 0")], [("n + 1", "n")]]])
    assert run.statuses == {0: "slow", 1: "green"}


def test_an_assertion_that_the_test_itself_expects_does_not_end_it_early(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        lib="def f(n):\n    if n < 0:\n        raise ValueError(n)\n    return n + 1\n",
        main="""
        from lib import f
        def main():
            try:
                f(-1)
            except ValueError:
                pass
            assert f(3) == 3
        main()
        """,
    )
    assert tried(root, [[[("n + 1", "n")], [("n + 1", "n + 0 * n")]]]).statuses == {0: "green", 1: "green"}


def test_what_variants_make_of_arguments_tells_them_apart(tmp_path: Path) -> None:
    root = project(tmp_path, lib="def f(n):\n    return n + 3\n",
                   main="from lib import f\ndef main():\n    assert f(2) == 4\nmain()\n")  # fmt: skip
    run = tried(root, [[[("n + 3", "n + 2")], [("n + 3", "2 + n")], [("n + 3", "n * 2")]]])
    assert set(run.statuses.values()) == {"green"}
    assert run.behaviour[0] == run.behaviour[1]
    assert run.behaviour[0].real == run.behaviour[2].real
    assert run.behaviour[0].near != run.behaviour[2].near
    assert run.behaviour[-1].real != run.behaviour[0].real
    assert run.inputs == {0: 1, 1: 1, 2: 1}


def test_a_program_that_is_green_as_it_is_proves_nothing(tmp_path: Path) -> None:
    root = project(
        tmp_path, lib="def f(n):\n    return n\n", main="from lib import f\ndef main():\n    f(1)\nmain()\n"
    )
    run = tried(root, [[[("return n", "return 1")]]])
    assert (run.unchanged, run.statuses) == ("green", {})


def test_a_program_that_never_calls_the_code_says_so(tmp_path: Path) -> None:
    root = project(tmp_path, lib="def f(n):\n    return n\n", main="import lib\nassert False\n")
    run = tried(root, [[[("return n", "return 1")]]])
    assert "called" in run.problem
    assert run.statuses == {}


def found(
    root: Path, argv: tuple[str, ...], noticing: tuple[tuple[str, str], ...], seconds: float = 40
) -> object:
    box = ProjectSandbox(Project(root), SandboxSettings(), ProjectSettings(), sys.executable)
    with box.workspace() as workspace:
        oracle = Oracle(workspace, ReplayPlan("command", argv=argv, cwd=str(root)), noticing)  # type: ignore[arg-type]
        return search(Project(root), oracle, SearchSettings(seconds=seconds, candidates=60))


def test_the_fault_is_found_below_the_test_and_not_in_it(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        lib="""
        def area(w, h):
            return w + h

        def price(w, h, rate):
            return area(w, h) * rate
        """,
        test_lib="""
        from lib import price

        def test_price():
            assert price(2, 3, 2) == 12
            assert price(1, 5, 3) == 15
            assert price(4, 4, 1) == 16
        """,
    )
    run = found(root, (sys.executable, "-m", "pytest", "-q", "test_lib.py"), (("test_lib.py", "test_price"),))
    assert run.problem == ""  # type: ignore[attr-defined]
    first = run.findings[0]  # type: ignore[attr-defined]
    assert (first.change.path, first.change.qualname, first.change.why) == (
        "lib.py",
        "area",
        "`+` becomes `*`",
    )
    assert (first.inputs, first.changed, first.doubt) == (3, 3, "")


def test_each_test_of_the_project_is_traced_by_itself(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        lib="def one():\n    return 1\n\ndef two():\n    return 3\n",
        test_lib="from lib import one, two\n\ndef test_one():\n    assert one() == 1\n\n"
        "def test_two():\n    assert two() == 2\n",
    )
    box = ProjectSandbox(Project(root), SandboxSettings(), ProjectSettings(), sys.executable)
    with box.workspace() as workspace:
        traces = workspace.trace_tests(seconds=30)  # type: ignore[attr-defined]
    told = {trace.test.partition("::")[2]: (trace.failed, trace.lines["lib.py"]) for trace in traces}
    assert told == {"test_one": (False, frozenset({2})), "test_two": (True, frozenset({5}))}
