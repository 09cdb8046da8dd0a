"""Masks secrets, by name and by shape, in every text that is stored or sent: the one implementation.

Used inside the supervised program (so: standard library only, CPython 3.9+) and by every floor above.
It works on text only, never on live objects. Every pass is linear in the text: patterns start at a word
boundary and never nest repetitions, so hostile input costs no more than ordinary input.
Masking errs to the side of hiding, but ordinary text (hashes, UUIDs, type names, the word "token") stays.
"""

from __future__ import annotations

import re
from typing import Match

# ruff: noqa: SIM905 - word lists read best as words
from .secretnames import is_dense, is_secret_name, is_suspicious_name

MASK = "[masked]"

__all__ = ["MASK", "is_secret_name", "mask_text", "mask_value"]

# One cheap look decides for most texts that there is nothing to do: without one of these there is no secret.
_HINTS = tuple(
    (
        "pass pwd secret token key auth cred dsn cookie jwt sess sig salt hmac conn sid otp pin nonce cert :// bearer "
        "basic negotiate sk- k_ gho_ ghp_ ghr_ ghs_ ghu_ github_ glpat akia asia xox xapp aiza ya29 hf_ npm_ pypi- sg. xai- "
        "whsec_ eyj -----begin"
    ).split()
)
# A token starts where a word starts; `\n` in a `repr` is an escape, not a letter.
_START = r"(?:(?<![A-Za-z0-9_-])|(?<=\\[nrtbfv]))"
_SHAPES = re.compile(
    _START + r"(?:"
    r"sk-[A-Za-z0-9_-]{16,}"  # OpenAI, Anthropic and kin
    r"|(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9]{16,}"  # Stripe
    r"|gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}"
    r"|(?:AKIA|ASIA)[0-9A-Z]{16}(?![A-Za-z0-9])"  # AWS access key ids
    r"|xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{10,}"  # Slack
    r"|AIza[0-9A-Za-z_-]{30,}|ya29\.[0-9A-Za-z_-]{20,}"  # Google
    r"|hf_[A-Za-z0-9]{20,}|gsk_[A-Za-z0-9]{20,}|xai-[A-Za-z0-9]{20,}|npm_[A-Za-z0-9]{30,}|pypi-[A-Za-z0-9_-]{40,}"
    r"|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"  # SendGrid
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,3}"  # JWT, JWE
    r")"
)
_USERINFO = re.compile(r"://([^\s/@:'\"<>\\]*):([^\s/'\"<>]+)@")
_LONE_USERINFO = re.compile(r"://([A-Za-z0-9_.~-]{20,})@")
_SCHEME = re.compile(r"\b(bearer|basic|negotiate)([ \t]{1,4})([A-Za-z0-9._~+/=-]{8,})", re.IGNORECASE)
_AUTHORIZATION = re.compile(
    r"(authorization[\"']?[ \t]{0,4}[:=][ \t]{0,4}[\"']?(?:basic|bearer|digest|token|apikey|negotiate)[ \t]{1,4})"
    r"(?!\[masked)([^\s'\",;<>\\]{3,})",
    re.IGNORECASE,
)
_COOKIES = re.compile(r"(cookie[ \t]{0,2}:[ \t]{0,2})([\w.-]{1,60}=[^\r\n'\"<>\\]*)", re.IGNORECASE)
_PEM_BEGIN = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_PEM_BODY = re.compile(r"(?:\\[nr]|[A-Za-z0-9+/=\r\n])*")
_BASE64_RUN = re.compile(r"[A-Za-z0-9+/=]{24}")
_PEM_WINDOW = 20_000

# name, its closing quote and bracket, a separator; what follows is read by hand.
_NAMED = re.compile(
    r"(?<!\w)(?P<name>[A-Za-z_][\w.-]{0,80})(?P<quote>\\{0,7}[\"'])?(?P<bracket>\])?"
    r"(?P<before>[ \t]{0,8})(?P<sep>==|!=|:=|=>|=|:|,)(?P<after>[ \t]{0,40})"
)
_OPTION = re.compile(r"(?<!\S)(--?[A-Za-z][\w-]{0,80})([ \t]{1,8})(?![-\s\[])(\S+)")
_ANNOTATION = re.compile(r"[A-Za-z_][\w.\[\] |,]{0,80}=(?!=)[ \t]{0,8}")
_OPENING = re.compile(r"([bBrRuUfF]{0,2})(\\{0,7})(\"\"\"|'''|\"|')")
_BARE = re.compile(r"(?:\[masked\]|[^\s,;&()\[\]{}'\"<>\\])+")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*\Z")
_PLACEHOLDER = re.compile(r"(?:\{[^{}]{0,80}\}|%\(?\w{0,40}\)?s|\$\{?\w{1,80}\}?|<[^<>]{0,80}>|\*+)\Z")
_HARMLESS = re.compile(
    r"(?:None|True|False|null|true|false|\.\.\.|[bBrRuU]?(?:''|\"\")|\[\]|\{\}|\(\)|set\(\)|-?[0-9]{1,3}(?:\.[0-9]{1,3})?"
    r"|<[\w.<> ]{1,200}>|\[masked\])\Z"
)
_TYPE_WORDS = frozenset(
    ("str", "bytes", "int", "float", "bool", "object", "any", "dict", "list", "tuple", "set", "none")
)
_BRACKETS = {"(": ")", "[": "]", "{": "}"}
_BRACKET_WINDOW = 4_000


def mask_text(text: str) -> str:
    """Masks the secrets inside a text: message, traceback, `repr`, log line, source code or JSON.

    Args:
        text: Any text of any length.

    Returns:
        The text with every secret replaced by `[masked]`; what is already masked stays as it is.
    """
    lowered = text.lower()
    for hint in _HINTS:
        if hint in lowered:
            break
    else:
        return text
    # One mask can uncover the next (a token inside a URL inside a repr); three rounds always settle.
    for _ in range(4):
        masked = _mask_once(text)
        if masked == text:
            break
        text = masked
    return text


def mask_value(name: str, text: str) -> str:
    """Masks the rendered value of something that has a name.

    Args:
        name: The variable, key, keyword or header.
        text: Its value as text, usually a `repr`.

    Returns:
        `[masked]` when the name says that the value is secret and the value is not empty or a constant;
        otherwise `mask_text(text)`.
    """
    if is_secret_name(name):
        return text if _HARMLESS.match(text) else MASK
    if is_suspicious_name(name) and is_dense(text.lstrip("bru").strip("'\"")):
        return MASK
    return mask_text(text)


def _mask_once(text: str) -> str:
    if "-----BEGIN " in text:
        text = _mask_pem(text)
    text = _SHAPES.sub(_shape, text)
    if "://" in text:
        text = _USERINFO.sub(_userinfo, text)
        text = _LONE_USERINFO.sub(_lone_userinfo, text)
    text = _SCHEME.sub(_scheme, text)
    text = _AUTHORIZATION.sub(_keep_first, text)
    text = _COOKIES.sub(_keep_first, text)
    if "-" in text:
        text = _OPTION.sub(_option, text)
    return _mask_named(text)


def _shape(match: Match[str]) -> str:
    found = match.group()
    # `sk-learn-contrib-tools` has the shape and is no key: keys have digits.
    if found.startswith("sk-") and not any(char.isdigit() for char in found):
        return found
    return MASK


def _userinfo(match: Match[str]) -> str:
    if _PLACEHOLDER.match(match.group(2)):
        return match.group()
    return "://" + match.group(1) + ":" + MASK + "@"


def _lone_userinfo(match: Match[str]) -> str:
    return "://" + MASK + "@" if any(char.isdigit() for char in match.group(1)) else match.group()


def _scheme(match: Match[str]) -> str:
    value = match.group(3)
    mixed = any(char.isdigit() for char in value) or len(value) >= 24 or value.endswith("=")
    return match.group(1) + match.group(2) + MASK if mixed else match.group()


def _keep_first(match: Match[str]) -> str:
    return match.group(1) + MASK


def _option(match: Match[str]) -> str:
    if not is_secret_name(match.group(1)) or _HARMLESS.match(match.group(3)):
        return match.group()
    return match.group(1) + match.group(2) + MASK


def _mask_pem(text: str) -> str:
    parts, at = [], 0
    while True:
        begin = _PEM_BEGIN.search(text, at)
        if begin is None:
            parts.append(text[at:])
            return "".join(parts)
        parts.append(text[at : begin.start()])
        end = text.find("-----END ", begin.end(), begin.end() + _PEM_WINDOW)
        close = text.find("-----", end + 9, end + 60) if end >= 0 else -1
        if close >= 0 and _BASE64_RUN.search(text, begin.end(), end):
            parts.append(MASK)
            at = close + 5
            continue
        # No end in sight (a cut text), or a literal that only names the marker.
        body = _PEM_BODY.match(text, begin.end())
        at = body.end() if body else begin.end()
        parts.append(MASK if at - begin.end() >= 16 else text[begin.start() : at])


def _mask_named(text: str) -> str:
    """Masks values that follow a secret name: assignments, dict items, keywords, headers, URL queries."""
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
        start, end = opening.end(), _closing(text, opening)
        content = text[start:end]
        if not content or not _worth(content, match, name, secret):
            return None
        return start, end, MASK
    if not secret:
        if text[at : at + 1] == "(" and name.lower().endswith("auth"):
            return _bracket(text, at)  # the (user, password) pair of HTTP clients
        bare = _BARE.match(text, at)
        return (at, bare.end(), MASK) if bare and is_dense(bare.group()) else None
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


def _worth(content: str, match: Match[str], name: str, secret: bool) -> bool:
    if _PLACEHOLDER.match(content):
        return False
    if not secret:
        return is_dense(content)
    if match.group("sep") in ("==", "!=") and name.rpartition(".")[2].lower() == "token":
        # Parsers compare tokens with punctuation and keywords all day.
        return len(content) >= 8 and any(char.isdigit() for char in content)
    return True


def _bracket(text: str, at: int) -> tuple[int, int, str]:
    """Masks the strings inside a literal collection that has a secret name; keys of dicts stay."""
    depth, position, limit = 0, at, min(len(text), at + _BRACKET_WINDOW)
    parts: list[str] = []
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
                text[position:stop] if is_key or not content else opening.group() + MASK + text[end:stop]
            )
            position = max(stop, position + 1)
            continue
        depth += (char in "([{") - (char in ")]}")
        parts.append(char)
        position += 1
        if depth == 0:
            break
    return at, position, "".join(parts)


def _bare_is_secret(text: str, match: Match[str], bare: Match[str]) -> bool:
    """Decides on an unquoted value: `password=hunter2` is one, `password = ask()` is code."""
    value = bare.group().rstrip(":.!?")
    if _HARMLESS.match(value) or _PLACEHOLDER.match(value):
        return False
    start = match.start()
    if start and text[start - 1] in "?&":
        return True
    follows = text[bare.end() : bare.end() + 1]
    # A call, an item, or the prefix of an f-string.
    if follows in ("(", "[", "{") or (follows in ("'", '"') and len(value) <= 2):
        return False
    if not _IDENTIFIER.match(value):
        return any(char.isalnum() for char in value)
    if match.group("sep") in ("==", "!=", ":=", ",") or match.group("quote"):
        return False
    if is_secret_name(value) or "." in value:
        return False
    if any(char.isdigit() for char in value):
        return True
    name = match.group("name").lower()
    if match.group("sep") == ":":
        return "pass" in name and value[0].islower() and value.lower() not in _TYPE_WORDS
    return not match.group("before") and not match.group("after")
