r"""Takes tracebacks out of structured log lines: JSON records, and what container runtimes wrap lines in.

A record may hold its traceback under `exc_info`, `exception`, `exc_text`, `stack_trace`, `message` or any
other key, as a string with escaped newlines, nested or not; the same traceback under two keys counts once. Lines
that are not JSON but hold an escaped traceback are handed on as they are. Pure; never raises.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

MARKER = "Traceback (most recent call last):"
_MAX_DEPTH = 5
_CONTAINER_KEYS = frozenset({"log", "stream", "time", "attrs"})
"""Keys of Docker's `json-file` log driver: each line of a traceback is a record of its own."""
_CONTEXT = {
    "logger": "log.logger", "name": "log.logger", "level": "log.level", "levelname": "log.level",
    "thread": "log.thread", "threadName": "log.thread", "process": "log.process", "pid": "log.process",
    "service": "log.service", "event": "log.record", "message": "log.record", "msg": "log.record",
}  # fmt: skip
_MAX_CONTEXT = 500


@dataclass(frozen=True, slots=True)
class Structured:
    """What a structured line holds.

    Attributes:
        tracebacks: Texts, each with one traceback or more.
        context: What else the record says.
        line: The plain line that was wrapped, if the line was only wrapping.
        stream: Which of the wrapped streams it belongs to.
    """

    tracebacks: tuple[str, ...] = ()
    context: dict[str, str] = field(default_factory=dict)
    line: str | None = None
    stream: str = ""


def read_structured(text: str) -> Structured | None:
    """Looks into a line.

    Args:
        text: The line.

    Returns:
        What it holds; None when it is a plain line.
    """
    escaped = MARKER + "\\" in text
    if not escaped and not text.startswith('{"log":'):
        return None
    start = text.find("{")
    record = _object(text[start:]) if 0 <= start < 200 else None
    if record is None:
        return Structured(tracebacks=(text,)) if escaped else None
    wrapped = record.get("log")
    if isinstance(wrapped, str) and record.keys() <= _CONTAINER_KEYS:
        return Structured(line=wrapped.rstrip("\r\n"), stream=f"container {record.get('stream')}")
    if not escaped:
        return None
    return Structured(tracebacks=tuple(_distinct(_strings(record, 0))), context=_context_of(record))


def _object(text: str) -> dict[str, Any] | None:
    try:
        found, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _strings(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        if MARKER in value:
            yield value
    elif depth < _MAX_DEPTH and isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item, depth + 1)


def _distinct(texts: Iterator[str]) -> list[str]:
    """Keeps each traceback once: a message often repeats what `exc_info` holds."""
    kept: list[str] = []
    for text in sorted(texts, key=len):
        if not any(other.strip() in text for other in kept):
            kept.append(text)
    return kept


def _context_of(record: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, name in _CONTEXT.items():
        value = record.get(key)
        if isinstance(value, (str, int)) and not isinstance(value, bool) and name not in found:
            text = str(value)[:_MAX_CONTEXT]
            if text and MARKER not in text:
                found[name] = text
    return found
