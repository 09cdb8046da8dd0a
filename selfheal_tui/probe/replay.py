"""Saves the arguments of the innermost calls of the program, so that the crash can be played again in a sandbox.

Python keeps no copy of what a function was called with: what is saved is what its parameters hold *now*. A
parameter that may have been assigned to since is therefore no argument, and the call is reported without a
payload and with the reason. Pickling runs `__reduce__` and `__getstate__` of the program's classes, within a
bound of size and time. Nothing here unpickles. Standard library only, CPython 3.9+.
"""

from __future__ import annotations

import dis
import io
import pickle
import time
from types import CodeType, FrameType, TracebackType
from typing import Any

from . import spool
from .frames import Sources
from .redaction import mask_text
from .render import Budget, clean
from .scrub import Scrubber, reduce_scrubbed

MAX_CALLS = 3
MAX_PAYLOAD = 2 * 1024 * 1024
MAX_SECONDS = 0.5
PROTOCOL = 4

_OPTIMIZED, _VARARGS, _VARKEYWORDS, _GENERATOR, _COROUTINE, _ASYNC_GENERATOR = (
    0x1,
    0x4,
    0x8,
    0x20,
    0x80,
    0x200,
)
_MUTABLE = (list, dict, set, bytearray)
CHANGED_IN_PLACE = "mutable arguments are as they were at the crash and may have been changed in place before"
MASKED = "secrets in the arguments were masked"


class PayloadTooLargeError(ValueError):
    """The arguments take more bytes or time than a payload may."""


class _Sink(io.RawIOBase):
    """Takes in a pickle as it is written, and stops it at the bound of size or time."""

    def __init__(self, deadline: float) -> None:
        super().__init__()
        self.parts: list[bytes] = []
        self.size = 0
        self._deadline = deadline

    def check_time(self) -> None:
        if time.monotonic() > self._deadline:
            raise PayloadTooLargeError("saving the arguments took more than %.1f s" % MAX_SECONDS)

    def write(self, data: Any) -> int:
        self.check_time()
        self.size += len(data)
        if self.size > MAX_PAYLOAD:
            raise PayloadTooLargeError("the arguments take more than %d bytes" % MAX_PAYLOAD)
        self.parts.append(bytes(data))
        return len(data)


class _Pickler(pickle.Pickler):
    """Pickles with secrets masked in the state of every object."""

    def __init__(self, sink: _Sink, scrubber: Scrubber) -> None:
        super().__init__(sink, PROTOCOL)
        self._sink = sink
        self._scrubber = scrubber

    def reducer_override(self, obj: Any) -> Any:
        self._sink.check_time()
        return reduce_scrubbed(obj, self._scrubber, PROTOCOL)


def capture_calls(
    levels: list[TracebackType],
    sources: Sources,
    budget: Budget,
    payload_dir: str | None,
    stem: str,
    *,
    secrets: tuple[str, ...] = (),
) -> list[dict[str, Any]]:
    """Describes the innermost calls of the program's own functions, and saves their arguments.

    Args:
        levels: Traceback of the suspect exception, outermost first.
        sources: Knowledge about source files.
        budget: What the capture may still spend; payloads have a bound of their own besides.
        payload_dir: Folder for the payloads; None to save none.
        stem: Start of the payloads' names.
        secrets: Values that are known to be secret, to be masked wherever they appear.

    Returns:
        At most `MAX_CALLS` JSON-able `ReplayCall`s, innermost first.
    """
    calls: list[dict[str, Any]] = []
    deadline = time.monotonic() + MAX_SECONDS
    for level in reversed(levels):
        frame = level.tb_frame
        code = frame.f_code
        if len(calls) >= MAX_CALLS:
            break
        # Class bodies, modules, lambdas and comprehensions cannot be called by name.
        if (
            not code.co_flags & _OPTIMIZED
            or code.co_name.startswith("<")
            or not sources.is_in_app(code.co_filename)
        ):
            continue
        calls.append(
            _describe_call(
                frame,
                sources,
                budget,
                payload_dir,
                "%s.args.%d.pickle" % (stem, len(calls)),
                deadline,
                secrets,
            )
        )
    return calls


def _describe_call(
    frame: FrameType,
    sources: Sources,
    budget: Budget,
    payload_dir: str | None,
    payload: str,
    deadline: float,
    secrets: tuple[str, ...],
) -> dict[str, Any]:
    code = frame.f_code
    module = frame.f_globals.get("__name__", "")
    call: dict[str, Any] = {
        "module": clean(module) if type(module) is str else "",
        "file": clean(sources.absolute(code.co_filename)),
        "qualname": clean(sources.qualname(code)),
        "payload": None,
        "problem": _obstacle(code, sources),
        "is_async": bool(code.co_flags & _COROUTINE),
    }
    if call["problem"]:
        return call
    if payload_dir is None or budget.spent():
        call["problem"] = "no payload was asked for" if payload_dir is None else "the capture ran out of time"
        return call
    try:
        data, note = pickle_arguments(frame, deadline, secrets)
        spool.write_file(payload_dir, payload, data)
        call["payload"], call["problem"] = payload, note
    except BaseException as problem:  # the program's own __reduce__ may raise whatever it likes
        text = mask_text("%s: %s" % (type(problem).__name__, str(problem)[:300]))
        call["problem"] = clean("the arguments cannot be saved: " + text)
    return call


def _obstacle(code: CodeType, sources: Sources) -> str:
    """Says why a call cannot be repeated from its function and parameters, `""` when it can."""
    if code.co_flags & (_GENERATOR | _ASYNC_GENERATOR):
        return "a generator function: its body ran after the call had returned"
    if "<locals>" in sources.qualname(code):
        return "a nested function: it cannot be reached by name"
    return ""


def pickle_arguments(frame: FrameType, deadline: float, secrets: tuple[str, ...] = ()) -> tuple[bytes, str]:
    """Pickles the arguments of a frame's call as `{"args": (…), "kwargs": {…}}`.

    Args:
        frame: The frame of a plain function or coroutine function.
        deadline: Monotonic time in seconds at which to give up.
        secrets: Values that are known to be secret.

    Returns:
        The pickle, and what to know about it (`""` if nothing).

    Raises:
        ValueError: A parameter was assigned to or deleted in the function, or the pickle gets too large.
        Exception: Whatever pickling the program's objects raises.
    """
    code = frame.f_code
    names = frame.f_locals
    positional = code.co_varnames[: code.co_argcount]
    keyword = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    rest = list(code.co_varnames[code.co_argcount + code.co_kwonlyargcount :])
    star = rest.pop(0) if code.co_flags & _VARARGS else None
    stars = rest.pop(0) if code.co_flags & _VARKEYWORDS else None
    every = [*positional, *keyword, *([star] if star else []), *([stars] if stars else [])]
    rebound = sorted(set(every) & rebound_names(code, frame.f_lasti))
    missing = [name for name in every if name not in names]
    if rebound or missing:
        raise ValueError("argument rebound: " + ", ".join(rebound or missing))
    sink = _Sink(deadline)
    scrubber = Scrubber(sink.check_time, secrets)
    args = [scrubber.named(name, names[name]) for name in positional]
    args.extend(scrubber.value(item) for item in (names[star] if star else ()))
    kwargs = {name: scrubber.named(name, names[name]) for name in keyword}
    kwargs.update(
        {name: scrubber.named(name, item) for name, item in (names[stars] if stars else {}).items()}
    )
    _Pickler(sink, scrubber).dump({"args": tuple(args), "kwargs": kwargs})
    changed = any(issubclass(type(names[name]), _MUTABLE) for name in [*positional, *keyword])
    notes = [CHANGED_IN_PLACE] if changed else []
    if scrubber.masked:
        notes.append(MASKED)
    return b"".join(sink.parts), "; ".join(notes)


def rebound_names(code: CodeType, last: int) -> set[str]:
    """Finds the variables that a function may have assigned to or deleted before an instruction.

    Args:
        code: The function's code.
        last: Byte offset of the instruction that was running.

    Returns:
        Their names. Stores after that instruction count only when the function has a jump backwards.
    """
    stores: list[tuple[int, str]] = []
    loops = False
    for step in dis.get_instructions(code):
        if step.opname.startswith(("STORE_FAST", "DELETE_FAST", "STORE_DEREF", "DELETE_DEREF")):
            # 3.13 fuses two instructions; of STORE_FAST_LOAD_FAST the second name is only read.
            found = step.argval if isinstance(step.argval, tuple) else (step.argval,)
            found = found[:1] if step.opname == "STORE_FAST_LOAD_FAST" else found
            stores.extend((step.offset, str(name)) for name in found)
        elif "JUMP" in step.opname and isinstance(step.argval, int) and step.argval < step.offset:
            loops = True
    return {name for offset, name in stores if loops or offset <= last}
