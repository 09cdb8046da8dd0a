"""A test that keeps a healed crash healed: drafted from its replay, worth nothing before it was seen red and green.

No I/O.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Draft:
    """A test that might tell the code before a fix from the code after it.

    Attributes:
        kind: `call` (one function with recorded arguments) or `command` (the program's own command line).
        what: What it runs, for the operator.
        body: Statements of the test, not indented; they raise on the code before.
        imports: Import statements that the body needs.
    """

    kind: str
    what: str
    body: tuple[str, ...]
    imports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Regression:
    """What is known about a crash's regression test.

    Attributes:
        drafts: Tests that may do, most telling first; empty when none can be written.
        problem: Why none can be written, or why none of the drafts did.
        patch_sha256: The fix that it was seen red without and green with; empty until then.
        path: File for it, relative to the root; empty until then.
        text: The whole file; empty until then.
        what: What it runs, and how it was seen.
    """

    drafts: tuple[Draft, ...] = ()
    problem: str = ""
    patch_sha256: str = ""
    path: str = ""
    text: str = ""
    what: str = ""
