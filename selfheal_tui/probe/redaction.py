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
from .assignments import HARMLESS, MASK, PLACEHOLDER, mask_named
from .secretnames import is_dense, is_secret_name, is_suspicious_name

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
_OPTION = re.compile(r"(?<!\S)(--?[A-Za-z][\w-]{0,80})([ \t]{1,8})(?![-\s\[])(\S+)")


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
        return text if HARMLESS.match(text) else MASK
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
    return mask_named(text)


def _shape(match: Match[str]) -> str:
    found = match.group()
    # `sk-learn-contrib-tools` has the shape and is no key: keys have digits.
    if found.startswith("sk-") and not any(char.isdigit() for char in found):
        return found
    return MASK


def _userinfo(match: Match[str]) -> str:
    if PLACEHOLDER.match(match.group(2)):
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
    if not is_secret_name(match.group(1)) or HARMLESS.match(match.group(3)):
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
