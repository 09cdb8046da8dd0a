"""What may be declared, and that a guard is not noticed as long as nothing crashes, nor when it cannot help."""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
import os
import subprocess
import sys

import pytest

from selfheal_tui.probe import cases
from selfheal_tui.probe.guard import guard, heal
from selfheal_tui.probe.guardplan import Plan
from selfheal_tui.probe.snapshot import Kept, owners_of


@pytest.fixture(autouse=True)
def inbox(tmp_path, monkeypatch):
    """Reports of this process go to a folder of their own; nobody listens."""
    folder = tmp_path / ".selfheal" / "inbox"
    folder.mkdir(parents=True)
    monkeypatch.setattr(cases, "_book", cases._Book())
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    cases.use(str(folder), str(tmp_path))
    return folder


def reports(inbox):
    return [json.loads(file.read_text()) for file in sorted(inbox.glob("*.json"))]


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"retry": "always"}, "retry"),
        ({"wait": -1}, "wait"),
        ({"wait": float("nan")}, "wait"),
        ({"times": -1}, "times"),
        ({"times": 1.5}, "times"),
    ],
)
def test_a_wrong_declaration_is_told_where_it_stands(options, word):
    with pytest.raises(ValueError, match=word):
        heal(**options)


@pytest.mark.parametrize("thing", [int, property(len), 7])
def test_what_is_no_function_is_refused_with_a_remedy(thing):
    with pytest.raises(TypeError, match="put it on the methods"):
        heal(thing)


def test_names_signatures_and_kinds_of_functions_stay():
    @heal
    def plain(a: int, *, b: str = "x") -> str:
        """Doc."""
        return b * a

    @heal(retry="safe")
    async def coroutine():
        return 1

    @heal
    def generator():
        yield 1

    @heal
    async def stream():
        yield 1

    assert (plain.__name__, plain.__doc__, plain(2, b="y")) == ("plain", "Doc.", "yy")
    assert list(inspect.signature(plain).parameters) == ["a", "b"]
    assert inspect.iscoroutinefunction(coroutine)
    assert inspect.isgeneratorfunction(generator)
    assert inspect.isasyncgenfunction(stream)
    assert asyncio.run(coroutine()) == 1


def test_class_and_static_methods_and_partials_are_guarded_too(inbox):
    class Thing:
        @heal
        @classmethod
        def made(cls):
            return cls.__name__

        @heal
        @staticmethod
        def fixed():
            raise LookupError

    assert Thing.made() == "Thing"
    with pytest.raises(LookupError):
        Thing().fixed()
    with pytest.raises(ZeroDivisionError):
        heal(functools.partial(divmod, 1))(0)
    assert [r["chain"][0]["type"] for r in reports(inbox)] == ["LookupError", "ZeroDivisionError"]


@pytest.mark.parametrize(
    "stop", [KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError, asyncio.CancelledError, StopIteration]
)
def test_ways_to_stop_go_on_at_once_and_are_no_crash(inbox, stop):
    @heal(retry="safe", wait=100)
    def stopping():
        raise stop

    with pytest.raises(stop):
        stopping()
    with pytest.raises(stop), guard(wait=100):
        raise stop
    assert reports(inbox) == []


def test_a_generator_keeps_its_conversation_and_its_crash_is_only_reported(inbox):
    @heal(retry="safe", wait=100)
    def talk(first):
        try:
            got = yield first
            while got != "stop":
                try:
                    got = yield got * 2
                except KeyError:
                    got = yield "caught"
            return "ended"
        finally:
            closed.append(1)

    closed: list[int] = []
    talking = talk("a")
    assert [next(talking), talking.send("b"), talking.throw(KeyError), talking.send("c")] == [
        "a",
        "bb",
        "caught",
        "cc",
    ]
    with pytest.raises(StopIteration) as end:
        talking.send("stop")
    assert end.value.value == "ended"
    other = talk(1)
    next(other)
    other.close()
    assert closed == [1, 1]
    assert reports(inbox) == []
    third = talk("a")
    next(third)
    with pytest.raises(TypeError):
        third.send(None)
    assert [r["kind"] for r in reports(inbox)] == ["guard"]


def test_an_async_generator_keeps_its_conversation_and_its_crash_is_only_reported(inbox):
    @heal
    async def talk(first):
        try:
            got = yield first
            while True:
                try:
                    got = yield got * 2
                except KeyError:
                    got = yield "caught"
        finally:
            closed.append(1)

    closed: list[int] = []

    async def main():
        talking = talk("a")
        said = [
            await talking.__anext__(),
            await talking.asend("b"),
            await talking.athrow(KeyError),
            await talking.asend("c"),
        ]
        await talking.aclose()
        assert said == ["a", "bb", "caught", "cc"]
        assert closed == [1]
        broken = talk(1)
        await broken.__anext__()
        with pytest.raises(TypeError):
            await broken.asend(None)

    asyncio.run(main())
    assert [r["kind"] for r in reports(inbox)] == ["guard"]


def test_a_coroutine_from_a_plain_function_is_guarded(inbox):
    async def inner():
        raise LookupError

    @heal
    def plain():
        return inner()

    with pytest.raises(LookupError):
        asyncio.run(plain())
    assert len(reports(inbox)) == 1


def test_a_failing_probe_never_reaches_the_program(inbox, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("the probe itself")

    monkeypatch.setattr(cases, "_report", broken)
    original = LookupError("mine")

    @heal(retry="safe", wait=100)
    def failing():
        raise original

    with pytest.raises(LookupError) as caught:
        failing()
    assert caught.value is original
    assert cases._book.errors == 1
    assert "RuntimeError" in (inbox / "probe-errors.log").read_text()


def test_an_inbox_that_is_gone_is_as_good_as_none(inbox):
    inbox.rmdir()

    @heal(retry="safe", wait=100)
    def failing():
        raise LookupError

    with pytest.raises(LookupError):
        failing()
    assert cases._book.errors == 0


def test_a_crash_loop_is_counted_and_reported_ever_more_rarely(inbox, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(cases.time, "monotonic", lambda: now[0])

    @heal
    def failing():
        raise LookupError

    for _ in range(1000):
        now[0] += 0.01
        with pytest.raises(LookupError):
            failing()
    counts = [r["count"] for r in reports(inbox)]
    assert 3 <= len(counts) <= 5
    assert counts[0] == 1
    assert counts[1:] == sorted(counts[1:]), "the gaps grow"


def test_different_crashes_in_the_same_library_function_are_different(inbox):
    @heal
    def one():
        return json.loads("{")

    @heal
    def two():
        return json.loads("[")

    for call in (one, two):
        with pytest.raises(ValueError, match="Expecting"):
            call()
    assert len(reports(inbox)) == 2


@pytest.mark.parametrize(
    ("env", "seconds"),
    [("", 0), ("production", 0), (" Production ", 0), ("dev", 30), ("local", 30), ("staging", 30)],
)
def test_production_does_not_wait_by_default(monkeypatch, env, seconds):
    monkeypatch.setenv("SELFHEAL_ENV", env)
    assert Plan("safe", None, 1, "f", "").seconds(in_task=True) == seconds
    assert Plan("safe", 5, 1, "f", "").seconds(in_task=True) == 5


def test_a_plain_function_does_not_make_an_event_loop_stand_still_unless_it_says_so(monkeypatch):
    monkeypatch.setenv("SELFHEAL_ENV", "dev")

    async def main():
        return (
            Plan("safe", None, 1, "f", "").seconds(in_task=False),
            Plan("safe", 3, 1, "f", "").seconds(in_task=False),
        )

    assert asyncio.run(main()) == (0, 3)


def test_a_snapshot_copies_what_belongs_together_and_spares_the_object_itself():
    class Owner:
        def method(self, first, *, second):
            return None

    owner, shared = Owner(), [1]
    kept = Kept((owner, shared), {"second": shared}, owners_of(Owner.method))
    shared.append(2)
    (same, first), kwargs = kept.again(last=False)
    assert same is owner
    assert first == [1]
    assert kwargs["second"] is first
    first.append(3)
    assert kept.again(last=True)[0][1] == [1], "each retry gets them as they were"


def test_copies_that_fail_are_a_reason_and_no_error():
    class Hostile:
        def __deepcopy__(self, memo):
            raise ZeroDivisionError("hostile")

    for value in (Hostile(), (n for n in ()), sys._getframe()):
        assert "cannot be copied" in Kept((value,), {}, 0).problem


def test_declaring_guards_loads_nothing_heavy():
    code = (
        "import sys; before = set(sys.modules); from selfheal_tui import heal, guard\n"
        "f = heal(retry='safe')(lambda: 1); f()\n"
        "with guard(): pass\n"
        "new = set(sys.modules) - before\n"
        "bad = {'asyncio', 'inspect', 'json', 'socket', 'ast', 'hashlib', 'threading'} & new\n"
        "print(sorted(bad), sorted(m for m in new if m.startswith('selfheal')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ}, check=True
    )
    assert done.stdout.startswith("[]")
    assert "cases" not in done.stdout
