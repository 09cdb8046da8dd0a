"""Turns a live exception into a crash report: the JSON-able wire format of `docs/wire-format.md`.

It reads the exception, its chain and its frames, bounded in number, size and time, and masks every text. It
may not run code of the program beyond `str(exception)` and what pickling needs. Loaded only when there is a
crash. Standard library only, CPython 3.9+.
"""

from __future__ import annotations

import _thread
import os
import sys
import time
from types import FrameType, TracebackType
from typing import Any, Iterator, Mapping

from . import evidence, replay, spool
from .frames import Sources, called_by_signal, describe_frame, walk
from .known import known_secrets, mask_known
from .redaction import MASK, is_secret_name, mask_text, mask_value
from .render import Budget, clean, render, type_module, type_name
from .stacks import stack_levels
from .stops import MAX_MEMBERS, group_members, is_never_healed

__all__ = ["capture_exception", "is_never_healed"]

WIRE_VERSION = 1
MAX_EXCEPTIONS = 16
MAX_MESSAGE = 4_000
MAX_NOTES = 10
MAX_CONTEXT = 50
MAX_CONTEXT_TEXT = 2_000
MAX_ARGUMENT = 32_000


def capture_exception(
    exc: BaseException,
    *,
    root: str = "",
    payload_dir: str | None = None,
    context: Mapping[str, Any] | None = None,
    source: str = "probe",
    handled: bool = False,
    stem: str | None = None,
    start_dir: str = "",
    started: float | None = None,
    kind: str = "exception",
    outer: FrameType | None = None,
    channel: str = "",
    waits_until: float = 0.0,
) -> dict[str, Any]:
    """Captures a live exception.

    Args:
        exc: The exception with its traceback.
        root: The project's root: locals and calls are recorded for code below it only. `""` takes all code
            which is not a library's.
        payload_dir: Folder in which the arguments of the innermost calls are saved; None saves none.
        context: What the program says about its work.
        source: `probe` or `in-process`.
        handled: Whether the program caught the exception.
        stem: Start of the payloads' names; by default a new one.
        start_dir: Folder against which relative file names are resolved first.
        started: Monotonic time at which the program began, if known.
        kind: What is captured, a word of `docs/wire-format.md`.
        outer: The frame from which the outermost one of the traceback was called, when it says more than the
            traceback: where a logging call stands, say.
        channel: Address of the program's control socket.
        waits_until: Unix time until which the program waits for an answer.

    Returns:
        A JSON-able `CrashReport`, whose texts are bounded and masked.
    """
    budget = Budget()
    problems: list[str] = []
    sources = Sources(root, start_dir)
    chain = [(link, error, walk(error.__traceback__)) for link, error in _chain(exc)]
    chain[0][2][:0] = stack_levels(outer)
    # The innermost causes are described first: they are what must not fall to the bounds.
    described = [
        _describe(link, error, levels, sources, budget, problems) for link, error, levels in reversed(chain)
    ]
    tracebacks = [levels for _, _, levels in chain]
    secrets = known_secrets(tracebacks)
    suspect = _suspect(tracebacks, sources)
    calls = replay.capture_calls(
        suspect, sources, budget, payload_dir, stem or spool.new_stem(), secrets=secrets
    )
    said = _context(context or {}, budget)
    if problems:
        # Said in the report itself: what is missing from it is missing because the capture failed.
        said["selfheal.capture"] = "; ".join(problems[:10])
    return {
        "report_id": os.urandom(16).hex(),
        "captured_at": time.time(),
        "source": source,
        "chain": mask_known(described[::-1], secrets),
        "process": mask_known(_process(handled, started), secrets),
        "replay": calls,
        "context": mask_known(said, secrets),
        "wire_version": WIRE_VERSION,
        "kind": kind,
        "count": 1,
        "channel": channel,
        "waits_until": waits_until,
    }


def _chain(exc: BaseException) -> Iterator[tuple[str, BaseException]]:
    """Yields the exception, then what it hangs on, each once: causes and contexts before group members."""
    seen: set[int] = set()
    waiting: list[tuple[str, BaseException]] = [("raised", exc)]
    while waiting and len(seen) < MAX_EXCEPTIONS:
        link, error = waiting.pop(0)
        if id(error) in seen:
            continue
        seen.add(id(error))
        yield link, error
        # Depth first, so that a chain stays together.
        earlier: list[tuple[str, BaseException]] = [
            ("group", member) for member in group_members(error)[:MAX_MEMBERS]
        ]
        if error.__cause__ is not None:
            earlier.insert(0, ("cause", error.__cause__))
        elif error.__context__ is not None and not error.__suppress_context__:
            earlier.insert(0, ("context", error.__context__))
        waiting[:0] = earlier


def _suspect(chain: list[list[TracebackType]], sources: Sources) -> list[TracebackType]:
    """The traceback of the deepest exception that passed through the program's own code."""
    for levels in reversed(chain):
        if any(sources.is_in_app(level.tb_frame.f_code.co_filename) for level in levels):
            return levels
    return []


def _describe(
    link: str,
    error: BaseException,
    levels: list[TracebackType],
    sources: Sources,
    budget: Budget,
    problems: list[str],
) -> dict[str, Any]:
    kind = type(error)
    # Innermost first, for the same reason; the wire has them outermost first.
    frames = [
        _guarded(problems, describe_frame, _bare_frame, level, sources, budget) for level in reversed(levels)
    ][::-1]
    for outer, inner, described in zip(levels, levels[1:], frames[1:]):  # noqa: B905 - 3.9
        if called_by_signal(inner.tb_frame, outer.tb_frame):
            described["by_signal"] = True
    result: dict[str, Any] = {
        "type": _printed_name(kind),
        "message": _message(error),
        "frames": frames,
        "link": link,
        "mro": [_printed_name(base) for base in kind.__mro__[1:] if base is not object][:20],
        "evidence": _guarded(problems, evidence.gather, _no_evidence, error, levels, sources, budget),
        "notes": _notes(error),
    }
    if isinstance(error, SyntaxError):
        result["syntax"] = _syntax(error, sources)
    return result


def _printed_name(kind: type) -> str:
    """Names an exception type as tracebacks print it: without `builtins` and `__main__`."""
    name = type_name(kind)
    return name[len("__main__.") :] if type_module(kind) == "__main__" else name


def _message(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception as problem:  # an exception with a broken __str__ is still worth a report
        return "<message not available: %s>" % type(problem).__name__
    return clean(mask_text(text[: 4 * MAX_MESSAGE]))[:MAX_MESSAGE]


def _guarded(problems: list[str], part: Any, fallback: Any, *arguments: Any) -> dict[str, Any]:
    """Calls a part of the capture that a report can do without, and records when it fails."""
    try:
        result: dict[str, Any] = part(*arguments)
        return result
    except Exception as problem:
        problems.append("%s: %s" % (getattr(part, "__name__", "?"), type(problem).__name__))
        return dict(fallback(*arguments))


def _no_evidence(*_arguments: Any) -> dict[str, Any]:
    return {}


def _bare_frame(level: TracebackType, *_arguments: Any) -> dict[str, Any]:
    """What can be said of a frame without looking any closer."""
    code = level.tb_frame.f_code
    return {"file": clean(code.co_filename), "qualname": clean(code.co_name), "line": level.tb_lineno or 0}


def _notes(error: BaseException) -> list[str]:
    notes = getattr(error, "__notes__", None)
    if type(notes) is not list:
        return []
    return [
        clean(mask_text(note[: 2 * MAX_CONTEXT_TEXT]))[:MAX_CONTEXT_TEXT]
        for note in notes[:MAX_NOTES]
        if type(note) is str
    ]


def _syntax(error: SyntaxError, sources: Sources) -> list[Any]:
    text = error.text if type(error.text) is str else ""
    return [
        clean(sources.absolute(error.filename)) if type(error.filename) is str else "",
        error.lineno if type(error.lineno) is int else 0,
        error.offset if type(error.offset) is int else 0,
        clean(mask_text(text[:MAX_MESSAGE])),
    ]


def _process(handled: bool, started: float | None) -> dict[str, Any]:
    try:
        cwd = os.getcwd()
    except OSError:  # the folder was deleted under the program
        cwd = ""
    return {
        "pid": os.getpid(),
        "executable": clean(sys.executable or ""),
        "python": "%d.%d.%d" % sys.version_info[:3],
        "argv": _argv(
            list(getattr(sys, "orig_argv", None) or [sys.executable or "python", *getattr(sys, "argv", [])])
        ),
        "cwd": clean(cwd),
        "sys_path": [clean(entry) for entry in sys.path[:200] if type(entry) is str],
        "prefix": clean(sys.prefix),
        "thread": _thread_name(),
        "seconds": round(time.monotonic() - started, 6) if started is not None else 0.0,
        "handled": handled,
    }


def _thread_name() -> str:
    """Names this thread; asking `threading.current_thread()` would put one that it does not know on its list."""
    threading = sys.modules.get("threading")
    if threading is None:
        return "MainThread"
    known = getattr(threading, "_active", {}).get(_thread.get_ident())
    return clean(str(known.name))[:200] if known is not None else "unnamed"


def _argv(arguments: list[Any]) -> list[str]:
    """The command line with its secrets masked, also where option and value are two arguments."""
    result: list[str] = []
    before = ""
    for argument in arguments[:1_000]:
        text = str(argument)[:MAX_ARGUMENT]
        secret = (
            before.startswith("-")
            and "=" not in before
            and is_secret_name(before)
            and not text.startswith("-")
        )
        result.append(clean(MASK if secret else mask_text(text)))
        before = text
    return result


def _context(context: Mapping[str, Any], budget: Budget) -> dict[str, str]:
    result: dict[str, str] = {}
    for key in list(context)[:MAX_CONTEXT]:
        name, value = clean(mask_text(str(key)[:200])), context[key]
        if type(value) is str:
            text = mask_value(name, value[: 2 * MAX_CONTEXT_TEXT])
            result[name] = clean(text)[:MAX_CONTEXT_TEXT]
        else:
            result[name] = render(name, value, budget, limit=MAX_CONTEXT_TEXT)
    return result
