"""JSON both ways for every value of the model, by msgspec.

This is the one place that knows the encoding; reading is strict, so a damaged or foreign document is
an error with the path of the wrong field, never a half-filled value. No I/O.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


class MalformedDocumentError(ValueError):
    """A JSON document does not have the shape that its type asks for."""


def to_builtins(value: Any) -> Any:
    """Turns a model value into dicts, lists, strings and numbers.

    Args:
        value: Any dataclass or enumeration of the model, or a container of them.

    Returns:
        The same content in types that `json` knows.
    """
    return msgspec.to_builtins(value, str_keys=True)


def from_builtins(data: Any, as_type: type[T]) -> T:
    """Builds a model value from decoded JSON.

    Args:
        data: What a JSON decoder returned.
        as_type: The dataclass to build.

    Returns:
        The value.

    Raises:
        MalformedDocumentError: A field is missing or of the wrong type; the message names it.
    """
    try:
        return msgspec.convert(data, as_type, strict=False)
    except (msgspec.ValidationError, ValueError) as error:
        raise MalformedDocumentError(f"not a valid {as_type.__name__}: {error}") from error


def to_json(value: Any, *, indent: int = 0) -> bytes:
    """Encodes a model value as UTF-8 JSON.

    Args:
        value: Any model value.
        indent: Spaces per level; 0 writes one line.

    Returns:
        The encoded bytes, without a final newline.
    """
    raw = msgspec.json.encode(value, order="deterministic")
    return msgspec.json.format(raw, indent=indent) if indent else raw


def from_json(raw: bytes | str, as_type: type[T]) -> T:
    """Decodes JSON into a model value.

    Args:
        raw: The document.
        as_type: The dataclass to build.

    Returns:
        The value.

    Raises:
        MalformedDocumentError: Not JSON, or not of that shape.
    """
    try:
        return msgspec.json.decode(raw, type=as_type, strict=False)
    except (msgspec.DecodeError, ValueError) as error:
        raise MalformedDocumentError(f"not a valid {as_type.__name__}: {error}") from error
