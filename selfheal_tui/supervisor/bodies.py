"""Decompresses what a stranger sent, without ever holding more than is allowed (no "zip bombs"). Pure."""

from __future__ import annotations

import zlib

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_RAW = -zlib.MAX_WBITS


class BodyRefusedError(ValueError):
    """A request is not taken.

    Attributes:
        status: The HTTP status that says why.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def decompress(data: bytes, encoding: str, largest: int) -> bytes:
    """Undoes a body's content encoding.

    Args:
        data: The body.
        encoding: The `Content-Encoding` header.
        largest: Bytes that may come out.

    Returns:
        The plain body.

    Raises:
        BodyRefusedError: 413 when more would come out, 415 for an unknown encoding, 400 for damaged data.
    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return data
    if name not in ("gzip", "x-gzip", "deflate"):
        raise BodyRefusedError(
            415, "only gzip and deflate are understood; Brotli needs a library that is not here"
        )
    try:
        return _inflate(data, _GZIP_OR_ZLIB, largest)
    except zlib.error as error:
        if name != "deflate":
            raise BodyRefusedError(400, "the body is not valid gzip") from error
    try:
        # Some clients send raw deflate, against RFC 9110 section 8.4.1.2.
        return _inflate(data, _RAW, largest)
    except zlib.error as error:
        raise BodyRefusedError(400, "the body is not valid deflate data") from error


def _inflate(data: bytes, window: int, largest: int) -> bytes:
    machine = zlib.decompressobj(window)
    out = machine.decompress(data, largest + 1)
    if len(out) > largest:
        raise BodyRefusedError(413, f"the body is larger than {largest} bytes when it is decompressed")
    if not machine.eof or machine.unused_data:
        raise BodyRefusedError(400, "the compressed body is cut short, or has something after its end")
    return out
