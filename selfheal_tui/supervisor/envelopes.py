"""Reads the envelopes in which Sentry's clients send: a header line, then items, each a header line and a payload.

Format: https://develop.sentry.dev/sdk/data-model/envelopes/. Whoever can reach the port wrote these bytes, so
every length is checked before it is used, and the only error is `EnvelopeError`. Nothing is interpreted here
beyond the headers, and nothing is read or written.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

MAX_ITEMS = 100
"""Items read of one envelope; real clients send fewer than ten."""
_MAX_HEADER = 16 * 1024
"""Bytes of a header line; trace headers are the longest and stay under 8 KiB."""


class EnvelopeError(ValueError):
    """The bytes are not an envelope; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Item:
    """One item of an envelope.

    Attributes:
        type: What it is, such as `event`, `transaction` or `session`.
        headers: Its header.
        payload: Its bytes, as they were sent.
    """

    type: str
    headers: dict[str, Any]
    payload: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A whole envelope.

    Attributes:
        headers: Its header.
        items: Its items, in order.
    """

    headers: dict[str, Any]
    items: tuple[Item, ...]


def parse_envelope(data: bytes) -> Envelope:
    """Reads an envelope.

    Args:
        data: The body of the request, decompressed.

    Returns:
        The envelope.

    Raises:
        EnvelopeError: It is not one.
    """
    headers, at = _header(data, 0, "the envelope")
    items: list[Item] = []
    while at < len(data):
        if data[at] in b"\r\n":
            at += 1
            continue
        if len(items) >= MAX_ITEMS:
            raise EnvelopeError(f"it has more than {MAX_ITEMS} items")
        item, at = _item(data, at)
        items.append(item)
    return Envelope(headers, tuple(items))


def parse_document(data: bytes, what: str = "the payload") -> dict[str, Any]:
    """Reads one JSON object, such as the event in an item or in the older `store` request.

    Args:
        data: UTF-8 JSON.
        what: How to name it in the error.

    Returns:
        The object.

    Raises:
        EnvelopeError: It is not a JSON object.
    """
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise EnvelopeError(f"{what} is not JSON") from error
    if not isinstance(found, dict):
        raise EnvelopeError(f"{what} is not a JSON object")
    return found


def _header(data: bytes, at: int, whose: str) -> tuple[dict[str, Any], int]:
    end = data.find(b"\n", at, at + _MAX_HEADER)
    if end < 0:
        if len(data) - at >= _MAX_HEADER:
            raise EnvelopeError(f"the header of {whose} is longer than {_MAX_HEADER} bytes")
        end = len(data)
    return parse_document(data[at:end], f"the header of {whose}"), end + 1


def _item(data: bytes, at: int) -> tuple[Item, int]:
    headers, at = _header(data, at, "an item")
    kind, length = headers.get("type"), headers.get("length")
    if not isinstance(kind, str):
        raise EnvelopeError("an item does not say its type")
    if length is None:
        end = data.find(b"\n", at)
        end = len(data) if end < 0 else end
    elif type(length) is int and 0 <= length <= len(data) - at:
        end = at + length
    elif length == 0 and at > len(data):
        end = at
    else:
        raise EnvelopeError(f"an item says that it has {str(length)[:40]} bytes, and it has not")
    if end < len(data) and data[end : end + 1] not in (b"\n", b"\r"):
        raise EnvelopeError("an item is longer than it says")
    return Item(kind, headers, data[at:end]), end + 1
