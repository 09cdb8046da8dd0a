"""What a worker is asked to do beside walking an incident: one line of JSON on its standard input.

A version of the operator's is handed over whole and privately: neither the command line nor a file shows it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from selfheal_tui.model.candidate import Candidate
from selfheal_tui.model.serial import MalformedDocumentError, from_json, to_json

LONGEST: Final = 64 << 20
"""Bytes of an order; the whole texts of some files are far less."""


class OrderKind(StrEnum):
    """What is to be done about an open question."""

    REVISE = "revise"
    NEXT = "next"


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker is to do.

    Attributes:
        kind: Which of the two.
        by: Name of the operator.
        request_id: The question that the operator saw; empty takes whichever is open.
        candidate: The operator's version, for `revise`.
        number: For `next`: the candidate to take, counted from 1; None for the next one.
    """

    kind: OrderKind
    by: str
    request_id: str = ""
    candidate: Candidate | None = None
    number: int | None = None


def encode_order(order: Order) -> bytes:
    """Writes an order as one line, with its newline."""
    return to_json(order) + b"\n"


def read_order(descriptor: int) -> Order:
    """Reads one line and not a byte more.

    Args:
        descriptor: Where it comes from; what follows the line is left there.

    Raises:
        MalformedDocumentError: It is not an order, or ends too early.
    """
    data = bytearray()
    while not data.endswith(b"\n"):
        chunk = os.read(descriptor, 1 << 16)  # nothing follows the line, so nothing is read too much
        if not chunk or len(data) > LONGEST:
            raise MalformedDocumentError("the order ends too early, or is too long")
        data += chunk
    return from_json(bytes(data), Order)
