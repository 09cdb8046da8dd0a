"""Secrets that are known by name in one place, masked wherever else their value appears.

`password = lines[0]` tells that `lines` holds a secret too, and so does an exception message that quotes it.
Values are compared, never stored or sent. Standard library only, CPython 3.9+.
"""

from __future__ import annotations

import os
import re
from types import FrameType, TracebackType
from typing import Any, Iterable, Iterator

from .redaction import MASK, is_secret_name
from .render import instance_dict

MIN_LENGTH = 8
MAX_LENGTH = 4_096
MAX_SECRETS = 200
_MAX_ENTRIES = 100

# Where things are, not what was said: masked, they would tell nothing, and nobody could find the code.
_STRUCTURE = frozenset(
    {
        "file",
        "path",
        "obj_file",
        "module",
        "obj_module",
        "qualname",
        "executable",
        "prefix",
        "cwd",
        "sys_path",
        "payload",
        "report_id",
    }
)

# Password of a URL with user information, RFC 3986 section 3.2.1.
_USERINFO = re.compile(r"://[^\s/:@]{0,256}:([^\s/@]{1,256})@")


def known_secrets(chain: Iterable[Iterable[TracebackType]]) -> tuple[str, ...]:
    """Collects the values that carry a secret's name in a frame of the chain or in the environment.

    Args:
        chain: The tracebacks of all exceptions.

    Returns:
        The values, longest first, so that one that contains another is masked whole.
    """
    found: set[str] = set()
    seen: set[int] = set()
    for name, value in list(os.environ.items()):
        _take(found, name, value)
    for levels in chain:
        for level in levels:
            frame = level.tb_frame
            if id(frame) not in seen and len(found) < MAX_SECRETS:
                seen.add(id(frame))
                for name, value in _named_values(frame):
                    _take(found, name, value)
    return tuple(sorted(found, key=len, reverse=True)[:MAX_SECRETS])


def mask_known(value: Any, secrets: tuple[str, ...]) -> Any:
    """Masks known secrets in every text of a JSON-able value.

    Args:
        value: Dicts, lists, texts and numbers.
        secrets: From `known_secrets`.

    Returns:
        The value, or a masked copy.
    """
    if not secrets:
        return value
    if type(value) is str:
        return mask_text_known(value, secrets)
    if type(value) is dict:
        return {k: v if k in _STRUCTURE else mask_known(v, secrets) for k, v in value.items()}
    if type(value) in (list, tuple):
        return [mask_known(item, secrets) for item in value]
    return value


def mask_text_known(text: str, secrets: tuple[str, ...]) -> str:
    """Masks known secrets in a text, as they are and as `repr` writes them."""
    for secret in secrets:
        if secret in text:
            text = text.replace(secret, MASK)
        quoted = repr(secret)[1:-1]
        if quoted != secret and quoted in text:
            text = text.replace(quoted, MASK)
    return text


def _named_values(frame: FrameType) -> Iterator[tuple[Any, Any]]:
    """Yields the locals of a frame, and what is named one level inside them."""
    for name, value in list(frame.f_locals.items())[:_MAX_ENTRIES]:
        yield name, value
        kind = type(value)
        if kind is dict:
            inside = value
        elif kind in (str, bytes, int, float, bool, list, tuple, set, frozenset, type(None)):
            continue
        else:
            inside = instance_dict(value)
        yield from list(inside.items())[:_MAX_ENTRIES]


def _take(found: set[str], name: Any, value: Any) -> None:
    if type(value) is str and "://" in value[:MAX_LENGTH]:
        found.update(p for p in _USERINFO.findall(value[:MAX_LENGTH]) if _is_telling(p))
    if type(value) is str and type(name) is str and _is_telling(value) and is_secret_name(name):
        found.add(value)


def _is_telling(value: str) -> bool:
    """Whether a value can be told from ordinary words: what a parser calls a token is no secret."""
    if not MIN_LENGTH <= len(value) <= MAX_LENGTH or value == MASK:
        return False
    if os.path.isabs(value) and os.path.exists(value):
        # `$PWD`, or the file in which a key lies: a place, which half of a report's texts may contain.
        return False
    if any(character.isspace() for character in value) and not any(c.isdigit() for c in value):
        return False
    plain = value.isidentifier() and not any(c.isdigit() for c in value)
    return not plain
