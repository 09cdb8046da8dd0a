"""Finds values that stand after a secret name (`password="…"`, `{'api_key': '…'}`, `?token=…`) and masks them.

The part of `redaction` that reads code, `repr`s and JSON; it tells a literal from an expression, so that source
code stays readable. Linear in the text. Standard library only, CPython 3.9+.
"""

from __future__ import annotations

import re
from typing import Match

from .secretnames import is_dense, is_secret_name, is_suspicious_name

MASK = "[masked]"

# name, its closing quote and bracket, a separator; what follows is read by hand.
_NAMED = re.compile(
    r"(?<!\w)(?P<name>[A-Za-z_][\w.-]{0,80})(?P<quote>\\{0,7}[\"'])?(?P<bracket>\])?"
    r"(?P<before>[ \t]{0,8})(?P<sep>==|!=|:=|=>|=|:|,)(?P<after>[ \t]{0,40})"
)
_ANNOTATION = re.compile(r"[A-Za-z_][\w.\[\] |,]{0,80}=(?!=)[ \t]{0,8}")
_OPENING = re.compile(r"([bBrRuUfF]{0,2})(\\{0,7})(\"\"\"|'''|\"|')")
_BARE = re.compile(r"(?:\[masked\]|[^\s,;&()\[\]{}'\"<>\\])+")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*\Z")
PLACEHOLDER = re.compile(r"(?:\{[^{}]{0,80}\}|%\(?\w{0,40}\)?s|\$\{?\w{1,80}\}?|<[^<>]{0,80}>|\*+)\Z")
HARMLESS = re.compile(
    r"(?:None|True|False|null|true|false|\.\.\.|[bBrRuU]?(?:''|\"\")|\[\]|\{\}|\(\)|set\(\)|-?[0-9]{1,3}(?:\.[0-9]{1,3})?"
    r"|<[\w.<> ]{1,200}>|\[masked\])\Z"
)
_TYPE_WORDS = frozenset(
    ("str", "bytes", "int", "float", "bool", "object", "any", "dict", "list", "tuple", "set", "none")
)
_CODE_AFTER = re.compile(r"[ \t]*(?:[-+,)%.;:\]}]|\r?\n|\Z)")
_LITERAL_WINDOW = 300
_BRACKETS = {"(": ")", "[": "]", "{": "}"}
_BRACKET_WINDOW = 4_000


def mask_named(text: str) -> str:
    """Masks values that follow a secret name: assignments, dict items, keywords, headers, URL queries.

    Args:
        text: Any text.

    Returns:
        The text with those values replaced.
    """
    parts: list[str] = []
    done = at = searched = 0
    while True:
        match = _NAMED.search(text, at)
        if match is None:
            break
        at = match.end()
        name = match.group("name")
        if name[0] in "nrtbfv" and match.start() and text[match.start() - 1] == "\\":
            name = name[1:]
        secret = is_secret_name(name)
        if not secret and not is_suspicious_name(name):
            continue
        if match.group("sep") == "," and not _is_pair(text, match):
            continue
        if at < searched and text[at : at + 1] in _BRACKETS:
            continue  # inside a collection that was searched as a whole: searching again would be quadratic
        replaced = _value(text, match, name, secret)
        if replaced is None:
            continue
        begin, end, new = replaced
        if new == text[begin:end]:
            searched = max(searched, end)
            continue
        parts.append(text[done:begin])
        parts.append(new)
        done = at = end
    parts.append(text[done:])
    return "".join(parts)


def _is_pair(text: str, match: Match[str]) -> bool:
    """Whether a comma separates a key from its value: `("authorization", "…")`, not a list of names."""
    quote = match.group("quote")
    start = match.start() - len(quote) if quote else 0
    return (
        bool(quote)
        and start > 0
        and text[start - 1] == "("
        and text[match.end() : match.end() + 1] in ("'", '"')
    )


def _value(text: str, match: Match[str], name: str, secret: bool) -> tuple[int, int, str] | None:
    """Reads the value after `match`; returns its start, end and replacement, or None to keep it."""
    at = match.end()
    if match.group("sep") == ":" and not match.group("quote"):
        annotation = _ANNOTATION.match(text, at)
        at = annotation.end() if annotation else at
    opening = _OPENING.match(text, at)
    if opening:
        if not match.group("quote") and _ends_literal(text, match.start(), opening):
            return None
        start, end = opening.end(), _closing(text, opening)
        content = text[start:end]
        if not content or not _worth(content, match, name, secret):
            return None
        return start, end, MASK
    if not secret:
        if text[at : at + 1] == "(" and name.lower().endswith("auth"):
            return _bracket(text, at)  # the (user, password) pair of HTTP clients
        bare = _BARE.match(text, at)
        if bare is None or text[bare.end() : bare.end() + 1] == "(":
            return None
        return (at, bare.end(), MASK) if is_dense(bare.group()) else None
    if text[at : at + 1] in _BRACKETS:
        return _bracket(text, at)
    bare = _BARE.match(text, at)
    if bare is None or not _bare_is_secret(text, match, bare):
        return None
    return at, bare.end(), MASK


def _closing(text: str, opening: Match[str]) -> int:
    """Finds where a string literal's content ends; a cut literal ends with its line."""
    quote, depth = opening.group(3), len(opening.group(2))
    at = opening.end()
    while True:
        found = text.find(quote, at)
        stop = found if found >= 0 else len(text)
        if len(quote) == 1:
            newline = text.find("\n", at, stop)
            if newline >= 0:
                return newline
        if found < 0:
            return stop
        slashes = found
        while slashes > opening.end() and text[slashes - 1] == "\\":
            slashes -= 1
        count = found - slashes
        # Inside an escaped literal its own end has as many backslashes as its beginning; more means nested.
        if count == depth or (depth == 0 and count % 2 == 0) or (depth and count < depth):
            return found - min(count, depth)
        at = found + 1


def _ends_literal(text: str, name_at: int, opening: Match[str]) -> bool:
    """Whether a quote does not open a value but closes the literal that holds the name: `print("Token: " + x)`."""
    before = text[max(0, name_at - _LITERAL_WINDOW) : name_at].rpartition("\n")[2]
    if before.count(opening.group(3)) % 2 == 0:
        return False
    # An apostrophe may have come before, so what follows must look like code as well.
    return bool(_CODE_AFTER.match(text, opening.end()))


def _worth(content: str, match: Match[str], name: str, secret: bool) -> bool:
    if PLACEHOLDER.match(content):
        return False
    if not secret:
        return is_dense(content)
    if match.group("sep") in ("==", "!=") and name.rpartition(".")[2].lower() == "token":
        # Parsers compare tokens with punctuation and keywords all day.
        return len(content) >= 8 and any(char.isdigit() for char in content)
    return True


def _bracket(text: str, at: int) -> tuple[int, int, str]:
    """Masks the strings inside a literal collection that has a secret name; keys of dicts stay."""
    position, limit = at, min(len(text), at + _BRACKET_WINDOW)
    parts: list[str] = []
    calls: list[
        bool
    ] = []  # for each open bracket: whether it is a call or an index, whose strings are no values
    while position < limit:
        char = text[position]
        if char in "\"'":
            opening = _OPENING.match(text, position)
            if opening is None:  # pragma: no cover - a quote always opens
                break
            end = _closing(text, opening)
            stop = min(end + len(opening.group(3)), len(text))
            is_key = text[stop : stop + 2].lstrip(" ").startswith(":")
            content = text[opening.end() : end]
            parts.append(
                text[position:stop]
                if is_key or not content or any(calls)
                else opening.group() + MASK + text[end:stop]
            )
            position = max(stop, position + 1)
            continue
        if char in _BRACKETS:
            previous = text[position - 1 : position] if calls else ""
            calls.append(previous.isalnum() or previous in ("_", ")", "]"))
        elif char in ")]}":
            calls.pop()
        parts.append(char)
        position += 1
        if not calls:
            break
    return at, position, "".join(parts)


def _bare_is_secret(text: str, match: Match[str], bare: Match[str]) -> bool:
    """Decides on an unquoted value: `password=hunter2` is one, `password = ask()` is code."""
    value = bare.group().rstrip(":.!?")
    if HARMLESS.match(value) or PLACEHOLDER.match(value):
        return False
    start = match.start()
    if start and text[start - 1] in "?&":
        return True
    if match.group("sep") in ("==", "!="):
        return False
    follows = text[bare.end() : bare.end() + 1]
    # A call, an item, or the prefix of an f-string.
    if follows in ("(", "[", "{") or (follows in ("'", '"') and len(value) <= 2):
        return False
    if not _IDENTIFIER.match(value):
        return any(char.isalnum() for char in value)
    if match.group("sep") in (":=", ",") or match.group("quote"):
        return False
    if is_secret_name(value) or "." in value:
        return False
    if any(char.isdigit() for char in value):
        return True
    name = match.group("name").lower()
    if match.group("sep") == ":":
        return "pass" in name and value[0].islower() and value.lower() not in _TYPE_WORDS
    return not match.group("before") and not match.group("after")
