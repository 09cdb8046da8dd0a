"""Which names stand for a secret, and which values look like one.

`db_password` and `API-Key` do, `token_count` and `has_secrets` do not. Kept apart from `redaction` so that the
vocabulary can be read and extended in one place. Standard library only, CPython 3.9+; reads and writes nothing.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache

# ruff: noqa: SIM905 - word lists read best as words

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_LONGEST_NAME = 200
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\Z")
_DENSE = re.compile(r"[A-Za-z0-9+/=_.-]{20,}\Z")

_STRONG = frozenset(
    (
        "password passwords passwd passwds passphrase passcode pwd secret secrets apikey apikeys "
        "authorization credential credentials creds dsn cookie cookies jwt privatekey secretkey accesskey "
        "passwort"
    ).split()
)
_STRONG_ENDINGS = (
    "password", "passwd", "passphrase", "secret", "apikey", "authtoken", "accesstoken", "refreshtoken",
    "privatekey", "secretkey", "pwd",
)  # fmt: skip
_KEY_OWNERS = frozenset(
    (
        "api private secret access signing signature encryption decryption auth ssh master account service "
        "license webhook hmac aes rsa"
    ).split()
)
_TOKEN_OWNERS = frozenset(
    (
        "api access auth refresh bearer bot session secret id csrf xsrf github gitlab slack hf oauth user app"
    ).split()
)
# Tokens of texts and languages, not of access.
_TEXT_TOKENS = frozenset(
    "per eos bos pad unk sep cls mask next current previous prev last first special stop".split()
)
_PASS_OWNERS = frozenset(("db user smtp ftp mail email admin root redis mysql pg http auth login my").split())
# A name that *ends* or *begins* like this speaks about a secret and does not hold one.
_ABOUT_ENDINGS = frozenset(
    (
        "count counts len length limit limits budget usage size sizes type types name names ids index idx "
        "field fields file files path paths dir url uri policy expiry expires ttl min max required enabled "
        "valid error errors class exists strength prefix suffix pattern patterns re regex manager store "
        "provider validator rules label prompt env var reset at seconds minutes kind position pos start end "
        "line lines jar scanner detector cost price rate ratio total used per estimate counter"
    ).split()
)
_ABOUT_BEGINNINGS = frozenset(
    (
        "is has have n num max min needs requires check validate verify get count total contains find allow "
        "missing invalid mask masked redact sanitize detect scan"
    ).split()
)
_WEAK = frozenset(
    ("key keys auth signature sig session sessionid sid hmac salt bearer cert nonce otp pin").split()
)


def _split(name: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(name[-_LONGEST_NAME:])]


def _core(words: list[str]) -> list[str]:
    """Drops trailing numbers and fillers: `password2` and `token_value` mean `password` and `token`."""
    end = len(words)
    while end and (words[end - 1].isdigit() or words[end - 1] in ("value", "str", "text", "raw", "s")):
        end -= 1
    return words[:end]


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Tells whether a variable, key, keyword or header of that name holds a secret.

    Args:
        name: The name in any style: `snake_case`, `camelCase`, `UPPER`, `kebab-case`, dotted
            (its last part counts).

    Returns:
        True for names such as `password`, `OPENAI_API_KEY`, `x-auth-token`, `dbPassword`, `dsn`.
    """
    words = _core(_split(name.rpartition(".")[2]))
    if not words or words[-1] in _ABOUT_ENDINGS or words[0] in _ABOUT_BEGINNINGS:
        return False
    if any(word in _STRONG or word.endswith(_STRONG_ENDINGS) for word in words):
        return True
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last == "token":
        return before not in _TEXT_TOKENS
    if last == "tokens":
        return before in _TOKEN_OWNERS
    if last in ("key", "keys"):
        return before in _KEY_OWNERS
    if last == "pass":
        return before in _PASS_OWNERS
    if last in ("string", "str") and before in ("connection", "conn"):
        return True
    return last == "id" and before == "session"


@lru_cache(maxsize=4096)
def is_suspicious_name(name: str) -> bool:
    """Tells whether a name often holds a secret (`key`, `auth`, `session`), so its value's shape decides.

    Args:
        name: As for `is_secret_name`.

    Returns:
        True for the weak names; secret names proper are not repeated here.
    """
    words = _core(_split(name.rpartition(".")[2]))
    return bool(words) and words[-1] in _WEAK


def is_dense(value: str) -> bool:
    """Tells whether a value looks random: long, of the hex or base64 alphabet, with digits, of high entropy.

    Args:
        value: A value without its quotes.

    Returns:
        True for what could be a key; never for a UUID.
    """
    if not _DENSE.match(value) or _UUID.match(value):
        return False
    if not any(char.isdigit() for char in value) or not any(char.isalpha() for char in value):
        return False
    sample = value[:256]
    counts = [sample.count(char) for char in set(sample)]
    entropy = -sum(count / len(sample) * math.log2(count / len(sample)) for count in counts)
    # Random hex has almost 4 bits a character, random base64 up to 6; words and paths stay below 3.3.
    return entropy >= 3.3
