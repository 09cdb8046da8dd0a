"""The name that an exception's message says is missing.

Both the fingerprint and the reader of text tracebacks need it, and must agree: a live exception and
its printed form name the same identifier. Knows only CPython's own messages; may not guess.
"""

from __future__ import annotations

import re
from ast import literal_eval

from selfheal_tui.model.crash import ExceptionInfo

_PATTERNS: tuple[tuple[frozenset[str], re.Pattern[str]], ...] = (
    (
        frozenset({"AttributeError"}),
        re.compile(r"has no attribute '(?P<name>[^']+)'|^(?P<bare>[^\W\d]\w*)$"),
    ),
    (
        frozenset({"NameError", "UnboundLocalError"}),
        re.compile(r"(?:name|variable) '(?P<name>[^']+)'"),
    ),
    (
        frozenset({"ModuleNotFoundError", "ImportError"}),
        re.compile(r"cannot import name '(?P<name>[^']+)'|No module named '?(?P<bare>[\w.]+)'?"),
    ),
    (
        frozenset({"TypeError"}),
        re.compile(r"unexpected keyword argument '(?P<name>[^']+)'"),
    ),
)
_OBJECT = re.compile(r"(?:'(?P<type>[^']+)' object|type object '(?P<class>[^']+)') has no attribute")
_MODULE = re.compile(r"module '(?P<module>[^']+)' has no attribute|from '(?P<source>[^']+)' \(")
_SUGGESTION = re.compile(
    r"\.? (?:Did you mean: '(?P<name>[^']*)'\?|Did you forget to import '[^']*'\??"
    r"|Or did you forget to import '[^']*'\??)$"
)


def missing_identifier(exception_type: str, message: str) -> str | None:
    """Reads the missing name, attribute, key, module or keyword out of a message.

    Args:
        exception_type: With or without its module.
        message: `str(exception)`.

    Returns:
        The identifier (keys without their quotes), or None.
    """
    bare = exception_type.rpartition(".")[2]
    if bare == "KeyError":
        return _key(message)
    for types, pattern in _PATTERNS:
        if bare in types and (match := pattern.search(message)):
            groups = match.groupdict()
            return groups.get("name") or groups.get("bare")
    return None


def _key(message: str) -> str | None:
    try:
        key = literal_eval(message)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return message or None
    return key if isinstance(key, str) else message


def identifier_of(info: ExceptionInfo) -> str | None:
    """Returns the missing identifier of an exception: from its message, else from its evidence."""
    return missing_identifier(info.type, info.message) or info.evidence.name


def lacking_object(message: str) -> tuple[str | None, str | None]:
    """Reads what lacked the attribute or name.

    Args:
        message: `str(exception)`.

    Returns:
        Type name and module name, each None where the message does not tell.
    """
    found, module = _OBJECT.search(message), _MODULE.search(message)
    kind = (found["type"] or found["class"]) if found else None
    return kind, (module["module"] or module["source"]) if module else None


def without_suggestion(message: str) -> tuple[str, str | None]:
    """Takes off the "Did you mean" that the interpreter prints but that is not in `str(exception)`.

    Args:
        message: As printed.

    Returns:
        The message proper, and the suggested name if there was one.
    """
    name = None
    while match := _SUGGESTION.search(message):
        name = match["name"] or name
        message = message[: match.start()]
    return message, name
