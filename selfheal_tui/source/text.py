"""Python source as bytes and as text, without losing a byte on the way there and back.

Everything that is later written to disk was read here. The text keeps the file's own newlines, its
encoding is remembered, and a file that would not come back byte for byte is refused rather than
"repaired". May not write anything, and may not guess encodings.
"""

from __future__ import annotations

import hashlib
import io
import re
import tokenize
from dataclasses import dataclass
from pathlib import Path

MAX_SOURCE_BYTES = 8 * 1024 * 1024
"""Larger files are generated data, not code somebody wants healed; parsing them would take minutes."""

_LINES = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


class UnreadableSourceError(ValueError):
    """A source file cannot be read as text; the message names the remedy."""


@dataclass(frozen=True, slots=True)
class SourceText:
    r"""The content of one source file.

    Attributes:
        path: Name it goes by, usually relative to the project root.
        text: Decoded content with the file's own newlines, without BOM.
        encoding: Codec that turns text back into the file's bytes; `utf-8-sig` when there is a BOM.
        newline: The newline that most lines end with; `\n` when there is none.
        sha256: Hash of the file's bytes.
    """

    path: str
    text: str
    encoding: str
    newline: str
    sha256: str

    def encode(self, text: str) -> bytes:
        """Turns (changed) text into the bytes of this file.

        Raises:
            UnicodeEncodeError: The file's encoding lacks a character of the text.
        """
        return text.encode(self.encoding)


def split_lines(text: str) -> list[str]:
    r"""Splits text where Python's tokenizer does (`\n`, `\r\n`, `\r`), keeping the ends.

    `str.splitlines` also splits at form feeds and Unicode separators, which shifts line numbers.
    """
    return _LINES.findall(text)


def dominant_newline(text: str) -> str:
    r"""Returns the newline that most lines end with, `\n` when there is none."""
    crlf = text.count("\r\n")
    counts = {"\n": text.count("\n") - crlf, "\r\n": crlf, "\r": text.count("\r") - crlf}
    return max(counts, key=lambda newline: counts[newline])


def with_newlines(text: str, newline: str) -> str:
    """Rewrites every newline of a text as the given one."""
    return re.sub(r"\r\n|\r|\n", newline, text)


def decode_source(data: bytes, path: str = "") -> SourceText:
    """Decodes the bytes of a Python file as PEP 263 says.

    Args:
        data: The whole file.
        path: Name for messages and for the result.

    Returns:
        The text, and all that is needed to turn text into such bytes again.

    Raises:
        UnreadableSourceError: Too large, NUL bytes, unknown or wrong encoding, or an encoding that does
            not give the same bytes back.
    """
    name = path or "the source"
    if len(data) > MAX_SOURCE_BYTES:
        raise UnreadableSourceError(
            f"{name} has {len(data):,} bytes, more than {MAX_SOURCE_BYTES:,}: split the file, or exclude it"
        )
    if b"\0" in data:
        raise UnreadableSourceError(f"{name} contains NUL bytes: it is not Python source, or was damaged")
    head = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        encoding = tokenize.detect_encoding(io.BytesIO(head).readline)[0]
        text = data.decode(encoding)
    except (SyntaxError, LookupError, UnicodeError) as error:
        raise UnreadableSourceError(
            f"{name} cannot be decoded ({error}): save it as UTF-8, or correct its coding comment"
        ) from error
    try:
        exact = text.encode(encoding) == data
    except UnicodeError:
        exact = False
    if not exact:
        raise UnreadableSourceError(f"{name} does not survive its encoding {encoding}: save it as UTF-8")
    return SourceText(path, text, encoding, dominant_newline(text), hashlib.sha256(data).hexdigest())


def read_source(file: Path, path: str = "") -> SourceText:
    """Reads and decodes a Python file.

    Args:
        file: Where it is.
        path: Name for the result; the file's own name when empty.

    Returns:
        Its content.

    Raises:
        UnreadableSourceError: It cannot be read or decoded.
    """
    name = path or str(file)
    try:
        if not file.is_file():
            raise UnreadableSourceError(f"{name} is not a file: was it moved or deleted?")
        if (size := file.stat().st_size) > MAX_SOURCE_BYTES:
            raise UnreadableSourceError(
                f"{name} has {size:,} bytes, more than {MAX_SOURCE_BYTES:,}: split the file, or exclude it"
            )
        data = file.read_bytes()
    except OSError as error:
        raise UnreadableSourceError(
            f"{name} cannot be read ({error.strerror}): check that it exists and its permissions"
        ) from error
    return decode_source(data, name)
