"""Makes crash reports of Sentry's events (https://develop.sentry.dev/sdk/data-model/event-payloads/).

An event comes from whoever can reach the port. Nothing in it is believed beyond text: it names no interpreter,
no command and no file that would be run, opened or written; which frame is the project's own is decided by
`Project.localise`; everything kept is bounded and masked. No I/O.
"""

from __future__ import annotations

import datetime as dt
import math
import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from selfheal_tui.model.crash import CrashReport, ExceptionInfo, Frame, NameEvidence, ProcessFacts
from selfheal_tui.model.kinds import CaptureSource, ChainLink
from selfheal_tui.probe.redaction import mask_text, mask_value
from selfheal_tui.source.identifiers import lacking_object, missing_identifier, without_suggestion
from selfheal_tui.supervisor.sentry_vars import local_values

_MAX_EXCEPTIONS = 16
_MAX_FRAMES = 64
"""As many as the probe keeps (`docs/wire-format.md`); of more, the first 24 and the last 40."""
_HEAD_FRAMES = 24
_MAX_MESSAGE = 4_000
_MAX_SOURCE = 400
_MAX_NAME = 300
_MAX_CONTEXT = 2_000
_MAX_CRUMBS = 20
_MAX_CRUMB = 160
_MAX_TAGS = 20
_CLOCK_SLACK = 86_400.0
"""Seconds by which another machine's clock may be ahead."""

_KINDS = {
    "excepthook": "exception",
    "threading": "thread",
    "asyncio": "task",
    "unraisable": "unraisable",
    "unraisablehook": "unraisable",
    "logging": "logged",
    "loguru": "logged",
}
"""Mechanism of the client's integration → what was captured."""


def crash_of(event: Mapping[str, Any], *, now: float | None = None) -> CrashReport | None:
    """Reads the crash out of an event.

    Args:
        event: The decoded event.
        now: Unix time in seconds; the clock by default.

    Returns:
        The crash, or None when the event holds no Python exception: a message, say, or another language's.
    """
    if _text(event.get("platform"), 40) not in ("", "python"):
        return None
    values = [value for value in _values(event.get("exception")) if isinstance(value, Mapping)]
    chain = _chain(values[-_MAX_EXCEPTIONS:])
    if not chain:
        return None
    mechanism = _mapping(values[-1].get("mechanism"))
    handled = mechanism.get("handled") is not False
    return CrashReport(
        report_id=_id(event.get("event_id")),
        captured_at=_time(event.get("timestamp"), time.time() if now is None else now),
        source=CaptureSource.TEXT,
        chain=chain,
        process=ProcessFacts(python=_python(event), thread=_thread(event, values[-1]), handled=handled),
        context=_context(event),
        kind=_KINDS.get(_text(mechanism.get("type"), 40), "exception"),
    )


def _chain(values: list[Mapping[str, Any]]) -> tuple[ExceptionInfo, ...]:
    """Orders the exceptions as `CrashReport.chain` does: the raised one, then depth first what it hangs on."""
    newest_first = list(reversed(values))
    numbers = [_number(value, "exception_id") for value in newest_first]
    parents = [_number(value, "parent_id") for value in newest_first]
    infos: list[ExceptionInfo] = []
    if -1 not in numbers and len(set(numbers)) == len(numbers):
        order = _depth_first(numbers, parents)
    else:
        order = list(range(len(newest_first)))
    for position, index in enumerate(order):
        value = newest_first[index]
        link = ChainLink.RAISED if position == 0 else _link(value, newest_first[order[position - 1]])
        info = _exception(value, link)
        if info is None and position == 0:
            return ()
        if info is not None:
            infos.append(info)
    return tuple(infos)


def _number(value: Mapping[str, Any], key: str) -> int:
    found = _mapping(value.get("mechanism")).get(key)
    return found if type(found) is int and found >= 0 else -1


def _depth_first(numbers: list[int], parents: list[int]) -> list[int]:
    """Walks the tree that `exception_id` and `parent_id` draw; what hangs on nothing comes last."""
    children: dict[int, list[int]] = {}
    for index, parent in enumerate(parents):
        if index and parent != numbers[index]:
            children.setdefault(parent, []).append(index)
    order: list[int] = []
    seen: set[int] = set()
    todo = [0] if numbers else []
    while todo:
        index = todo.pop()
        if index not in seen:
            seen.add(index)
            order.append(index)
            todo += reversed(children.get(numbers[index], []))
    return order + [index for index in range(len(numbers)) if index not in seen]


def _link(value: Mapping[str, Any], newer: Mapping[str, Any]) -> ChainLink:
    """Tells how an exception hangs on a newer one; the client says it only where there is a group."""
    source = _text(_mapping(value.get("mechanism")).get("source"), 40)
    if source.startswith("exceptions["):
        return ChainLink.GROUP
    if source == "__cause__":
        return ChainLink.CAUSE
    if source == "__context__":
        return ChainLink.CONTEXT
    # `raise … from` shows in the failing line of the newer one; else the careful reading is context.
    frames = _frames(newer)
    return ChainLink.CAUSE if frames and " from " in frames[-1].source else ChainLink.CONTEXT


def _exception(value: Mapping[str, Any], link: ChainLink) -> ExceptionInfo | None:
    bare = _text(value.get("type"), _MAX_NAME)
    if not bare:
        return None
    module = _text(value.get("module"), _MAX_NAME)
    name = bare if module in ("", "builtins", "__main__") else f"{module}.{bare}"
    message, suggestion = without_suggestion(_text(value.get("value"), _MAX_MESSAGE))
    message = mask_text(message)
    kind, owner = lacking_object(message)
    return ExceptionInfo(
        type=name,
        message=message,
        frames=_frames(value),
        link=link,
        evidence=NameEvidence(
            name=missing_identifier(name, message),
            obj_type=kind,
            obj_module=owner,
            obj_names=(suggestion,) if suggestion else (),
        ),
    )


def _frames(value: Mapping[str, Any]) -> tuple[Frame, ...]:
    listed = _mapping(value.get("stacktrace")).get("frames")
    frames = [frame for frame in listed if isinstance(frame, Mapping)] if isinstance(listed, list) else []
    if len(frames) > _MAX_FRAMES:
        frames = frames[:_HEAD_FRAMES] + frames[_HEAD_FRAMES - _MAX_FRAMES :]
    return tuple(made for made in map(_frame, frames) if made is not None)


def _frame(frame: Mapping[str, Any]) -> Frame | None:
    file = _text(frame.get("abs_path"), 4096) or _text(frame.get("filename"), 4096)
    line = frame.get("lineno")
    if not file or "\x00" in file or type(line) is not int or not 0 < line < 10_000_000:
        return None
    function = _text(frame.get("function"), _MAX_NAME) or "<unknown>"
    return Frame(
        file=file,
        qualname=function,
        line=line,
        module=_text(frame.get("module"), _MAX_NAME),
        source=mask_text(_text(frame.get("context_line"), _MAX_SOURCE)),
        locals=local_values(frame.get("vars")) if frame.get("in_app") is not False else (),
    )


def _context(event: Mapping[str, Any]) -> dict[str, str]:
    """Keeps what the program said about its work, as bounded masked text."""
    found: dict[str, str] = {"intake": "sentry"}
    for key in ("release", "environment", "server_name", "transaction", "logger", "level"):
        _keep(found, key, event.get(key))
    entry = _mapping(event.get("logentry"))
    _keep(found, "message", entry.get("formatted") or entry.get("message") or event.get("message"))
    request = _mapping(event.get("request"))
    url = " ".join(filter(None, (_text(request.get("method"), 10), _text(request.get("url"), _MAX_CONTEXT))))
    _keep(found, "request", url)
    sdk = _mapping(event.get("sdk"))
    _keep(found, "sdk", f"{_text(sdk.get('name'), 80)} {_text(sdk.get('version'), 40)}".strip())
    tags = event.get("tags")
    pairs = tags.items() if isinstance(tags, Mapping) else tags if isinstance(tags, list) else ()
    for pair in list(pairs)[:_MAX_TAGS]:
        if isinstance(pair, (list, tuple)) and len(pair) == 2 and isinstance(pair[0], str):
            _keep(found, f"tag.{pair[0][:60]}", pair[1])
    _keep(found, "breadcrumbs", "\n".join(_crumbs(event)))
    return found


def _keep(found: dict[str, str], key: str, value: object) -> None:
    text = _text(value, _MAX_CONTEXT)
    if text:
        found[mask_text(key)] = mask_value(key.rpartition(".")[2], text)[:_MAX_CONTEXT]


def _crumbs(event: Mapping[str, Any]) -> Iterator[str]:
    """Tells the last steps before the crash, oldest first, a line each."""
    crumbs = [crumb for crumb in _values(event.get("breadcrumbs")) if isinstance(crumb, Mapping)]
    room = _MAX_CONTEXT
    lines: list[str] = []
    for crumb in reversed(crumbs[-_MAX_CRUMBS:]):
        words = (crumb.get("level"), crumb.get("category"), crumb.get("message"))
        text = " ".join(filter(None, (_text(word, _MAX_CRUMB) for word in words)))
        line = mask_text(" ".join(text.split()))[:_MAX_CRUMB]
        room -= len(line) + 1
        if room < 0:
            break
        lines.append(line)
    yield from (line for line in reversed(lines) if line)


def _python(event: Mapping[str, Any]) -> str:
    runtime = _mapping(_mapping(event.get("contexts")).get("runtime"))
    return _text(runtime.get("version"), 40) if runtime.get("name") in ("CPython", "PyPy") else ""


def _thread(event: Mapping[str, Any], value: Mapping[str, Any]) -> str:
    data = _mapping(_mapping(_mapping(event.get("contexts")).get("trace")).get("data"))
    name = _text(data.get("thread.name"), _MAX_NAME)
    for thread in _values(event.get("threads")):
        if isinstance(thread, Mapping) and (
            thread.get("crashed") is True or ("thread_id" in value and thread.get("id") == value["thread_id"])
        ):
            name = _text(thread.get("name"), _MAX_NAME) or name
    return mask_text(name)


def _id(value: object) -> str:
    try:
        return uuid.UUID(value).hex if isinstance(value, str) else uuid.uuid4().hex
    except ValueError:
        return uuid.uuid4().hex


def _time(value: object, now: float) -> float:
    stamp = math.nan
    if isinstance(value, str):
        try:
            moment = dt.datetime.fromisoformat(value[:64])
        except ValueError:
            return now
        moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
        try:
            stamp = moment.timestamp()
        except (OverflowError, ValueError):
            return now
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        stamp = float(value) if abs(value) < 1e12 else math.nan
    return stamp if 0 < stamp < now + _CLOCK_SLACK else now


def _values(value: object) -> list[Any]:
    """Unwraps `{"values": […]}`, which older clients sent as the bare list."""
    found = value.get("values") if isinstance(value, Mapping) else value
    return found if isinstance(found, list) else []


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object, limit: int) -> str:
    """Returns bounded text that UTF-8 can hold; numbers as they read, anything else as nothing."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = repr(value) if isinstance(value, float) or abs(value) < 10**30 else ""
    if not isinstance(value, str):
        return ""
    return value[:limit].encode("utf-8", "replace").decode("utf-8")
