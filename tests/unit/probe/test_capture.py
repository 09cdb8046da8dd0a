"""A live exception becomes a bounded, masked report that the model reads strictly."""

from __future__ import annotations

import asyncio
import json
import sys

import pytest

from selfheal_tui.model.crash import CrashReport
from selfheal_tui.model.kinds import CaptureSource, ChainLink
from selfheal_tui.model.serial import from_json
from selfheal_tui.probe import capture
from selfheal_tui.probe.capture import capture_exception
from selfheal_tui.probe.stops import is_never_healed


def caught(function, *arguments) -> BaseException:
    try:
        function(*arguments)
    except BaseException as error:
        return error
    raise AssertionError("it did not raise")


def report_of(error: BaseException, **more) -> CrashReport:
    return from_json(json.dumps(capture_exception(error, **more)), CrashReport)


def chained(explicit, hidden=False):
    try:
        raise KeyError("first")
    except KeyError as error:
        if hidden:
            raise ValueError("second") from None
        if explicit:
            raise ValueError("second") from error
        raise ValueError("second")  # noqa: B904


@pytest.mark.parametrize(
    ("arguments", "links"),
    [
        ((True,), [ChainLink.RAISED, ChainLink.CAUSE]),
        ((False,), [ChainLink.RAISED, ChainLink.CONTEXT]),
        ((False, True), [ChainLink.RAISED]),
    ],
)
def test_causes_and_contexts_are_followed_as_python_prints_them(arguments, links):
    assert [info.link for info in report_of(caught(chained, *arguments)).chain] == links


def test_the_members_of_a_group_are_followed():
    inner = [caught(chained, True), TypeError("x")]
    report = report_of(ExceptionGroup("several", inner))
    assert [(info.type, info.link.value) for info in report.chain] == [
        ("ExceptionGroup", "raised"),
        ("ValueError", "group"),
        ("KeyError", "cause"),
        ("TypeError", "group"),
    ]


def test_a_cyclic_chain_and_an_endless_one_end():
    one, two = ValueError("1"), ValueError("2")
    one.__cause__, two.__cause__ = two, one
    assert len(report_of(one).chain) == 2
    error = first = ValueError("0")
    for number in range(100):
        error.__cause__ = ValueError(str(number))
        error = error.__cause__
    assert len(report_of(first).chain) == capture.MAX_EXCEPTIONS


def test_deep_recursion_is_cut_in_the_middle():
    def down(number):
        return down(number + 1)

    frames = report_of(caught(down, 0)).raised.frames
    assert len(frames) == 64
    assert frames[0].function == "caught"
    assert frames[-1].function == "down"


def test_messages_notes_argv_and_context_are_masked_and_bounded(monkeypatch):
    monkeypatch.setattr(
        sys,
        "orig_argv",
        ["python", "app.py", "--password", "hunter2", "--api-key=hunter2", "x"],
        raising=False,
    )
    error = ValueError("password='hunter2' " + "x" * 100_000)
    error.add_note("token: 'hunter2'")
    report = report_of(
        error, context={"password": "hunter2", "step": {"api_key": "hunter2"}, "n": 3, "text": "y" * 9000}
    )
    assert "hunter2" not in repr(report)
    assert len(report.raised.message) == capture.MAX_MESSAGE
    assert report.process.argv == ("python", "app.py", "--password", "[masked]", "--api-key=[masked]", "x")
    assert report.context["n"] == "3"
    assert len(report.context["text"]) == capture.MAX_CONTEXT_TEXT


def test_a_broken_str_and_lone_surrogates_are_survived():
    class BrokenError(Exception):
        def __str__(self):
            raise RuntimeError

    assert report_of(BrokenError()).raised.message == "<message not available: RuntimeError>"
    assert report_of(ValueError("a\udc80b")).raised.message == "a?b"


def test_types_are_named_as_python_prints_them():
    class LocalError(KeyError):
        pass

    info = report_of(LocalError("x")).raised
    assert info.type == f"{__name__}.test_types_are_named_as_python_prints_them.<locals>.LocalError"
    assert info.mro == ("KeyError", "LookupError", "Exception", "BaseException")
    assert report_of(OSError(2, "x")).raised.type == "FileNotFoundError"


def test_a_syntax_error_tells_its_place():
    error = caught(compile, "x = (\npassword = 'hunter2'\n", "/p/a.py", "exec")
    syntax = report_of(error).raised.syntax
    assert syntax is not None
    assert (syntax[0], syntax[1]) == ("/p/a.py", 1)


def test_only_frames_below_the_root_have_locals(tmp_path):
    file = tmp_path / "app.py"
    file.write_text("import json\ndef f(text):\n    return json.loads(text)\n")
    names: dict = {"__name__": "app"}
    exec(compile(file.read_text(), str(file), "exec"), names)
    report = report_of(caught(names["f"], "{"), root=str(tmp_path))
    with_locals = {frame.qualname for frame in report.raised.frames if frame.locals}
    assert with_locals == {"f"}
    assert report.raised.frames[-1].module == "json.decoder"


def test_process_and_source_are_told():
    report = report_of(ValueError(), source="in-process", handled=True)
    assert report.source is CaptureSource.IN_PROCESS
    assert report.process.handled
    assert report.process.python == ".".join(map(str, sys.version_info[:3]))
    assert len(report.report_id) == 32


def test_a_part_that_fails_is_said_to_have_failed(monkeypatch):
    def broken(*_):
        raise RuntimeError("bug in the probe")

    monkeypatch.setattr(capture, "describe_frame", broken)
    report = report_of(caught(chained, True))
    assert "RuntimeError" in report.context["selfheal.capture"]
    assert [frame.function for frame in report.raised.frames] == ["caught", "chained"]


@pytest.mark.parametrize(
    "kind", [KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError, asyncio.CancelledError]
)
def test_ways_to_stop_are_no_faults_alone_or_in_a_group(kind):
    assert is_never_healed(kind())
    assert is_never_healed(BaseExceptionGroup("g", [kind(), kind()]))
    assert not is_never_healed(BaseExceptionGroup("g", [kind(), ValueError()]))
    assert not is_never_healed(RuntimeError())
