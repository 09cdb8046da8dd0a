"""Which exception of a chain is to be cured."""

from __future__ import annotations

from selfheal_tui.model.crash import CrashReport, ExceptionInfo, Frame
from selfheal_tui.model.kinds import CaptureSource, ChainLink


def frame(source: str, in_app: bool = True) -> Frame:
    return Frame(file="a.py", qualname="f", line=1, source=source, in_app=in_app)


def suspect(*chain: ExceptionInfo) -> str | None:
    found = CrashReport("r", 1.0, CaptureSource.PROBE, chain).suspect()
    return found[0].type if found else None


def test_a_wrapped_exception_is_cured_at_its_root() -> None:
    outer = ExceptionInfo("ToolError", "", (frame("raise ToolError() from e"),))
    assert suspect(outer, ExceptionInfo("KeyError", "", (frame("d['x']"),), ChainLink.CAUSE)) == "KeyError"
    outer = ExceptionInfo("ToolError", "", (frame("raise ToolError()"),))
    assert suspect(outer, ExceptionInfo("KeyError", "", (frame("d['x']"),), ChainLink.CONTEXT)) == "KeyError"


def test_a_handler_that_fails_by_itself_is_the_fault() -> None:
    outer = ExceptionInfo("NameError", "", (frame("return fallbak"),))
    handled = ExceptionInfo("KeyError", "", (frame("d['x']"),), ChainLink.CONTEXT)
    assert suspect(outer, handled) == "NameError"


def test_a_handlers_failing_call_into_a_library_is_the_handlers_fault() -> None:
    frames = (frame("return json.loads(text)"), frame("raise JSONDecodeError(...)", in_app=False))
    handled = ExceptionInfo("KeyError", "", (frame("d['x']"),), ChainLink.CONTEXT)
    assert suspect(ExceptionInfo("JSONDecodeError", "", frames), handled) == "JSONDecodeError"


def test_a_cause_without_own_frames_leaves_the_wrapper() -> None:
    outer = ExceptionInfo("ToolError", "", (frame("raise ToolError() from e"),))
    foreign = ExceptionInfo("OSError", "", (frame("read()", in_app=False),), ChainLink.CAUSE)
    assert suspect(outer, foreign) == "ToolError"


def test_no_own_frame_no_suspect() -> None:
    assert suspect(ExceptionInfo("OSError", "", (frame("read()", in_app=False),))) is None
