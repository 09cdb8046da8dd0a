"""Makes text safe to show: what could move the cursor, hide or reorder text becomes visible.

Crash messages, sources and model answers are untrusted; a right-to-left override makes a diff read
differently from what it does (CVE-2021-42574, "Trojan Source"), and an escape sequence reaches the
terminal. Every face shows text through here. May not change letters of any script.
"""

from __future__ import annotations

import re

# Escapes on purpose: written out, the characters would do to this file what they are to be kept from doing.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 without tab and newline, DEL, C1
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"  # soft hyphen, joiners, Hangul fillers
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # zero width, separators, bidi controls
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\ud800-\udfff"  # lone surrogates, which no terminal encoding has
    "\U000e0000-\U000e0fff]"  # tags and variation selectors
)
_CONTROL_PICTURES = 0x2400
_DELETE = 0x7F
_DELETE_PICTURE = "␡"
_SPACE = 0x20


def visible(text: str) -> str:
    r"""Replaces control, bidirectional and invisible characters by visible stand-ins.

    Args:
        text: Untrusted text.

    Returns:
        The text with `␛` and kin for control characters and `⟨U+202E⟩` for the others; newlines and
        tabs are kept, `\r\n` becomes `\n`.
    """
    return _UNSAFE.sub(_stand_in, text.replace("\r\n", "\n"))


def _stand_in(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < _SPACE:
        return chr(_CONTROL_PICTURES + code)
    return _DELETE_PICTURE if code == _DELETE else f"⟨U+{code:04X}⟩"
