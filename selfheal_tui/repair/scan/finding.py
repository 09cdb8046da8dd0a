"""A fault that was found by reading: the exception that its line will raise, in the interpreter's own words.

Because it speaks the interpreter's language, the same fingerprint, diagnosis and rules apply to it as to a
crash that happened. Values only, no I/O.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from selfheal_tui.repair.scan.view import View
from selfheal_tui.repair.scan.world import World

CERTAIN = 0.95
STRONG = 0.85
LIKELY = 0.7


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault.

    Attributes:
        path: File, relative to the root.
        line: 1-based line that would raise.
        col: 0-based UTF-8 byte offset where the failing expression starts; None when only the line is known.
        end_line: Last line of it.
        end_col: Where it ends.
        exception: Bare name of the built-in exception.
        message: What the exception would say.
        detector: Which detector found it.
        confidence: 0 to 1.
        qualname: Function it stands in, or `<module>`.
        source: Text of the line.
        owner_module: Module that lacks a name, where that is what is wrong.
        owner_names: Names that it has.
    """

    path: str
    line: int
    exception: str
    message: str
    detector: str
    confidence: float = CERTAIN
    col: int | None = None
    end_line: int | None = None
    end_col: int | None = None
    qualname: str = "<module>"
    source: str = ""
    owner_module: str = ""
    owner_names: tuple[str, ...] = ()

    @property
    def foreign(self) -> bool:
        """Whether another tool found it."""
        return self.detector.startswith(("ruff-", "mypy-"))


class Detector(Protocol):
    """Looks at one file."""

    @property
    def __name__(self) -> str:
        """What it is called."""
        ...

    def __call__(self, view: View, world: World, /) -> Iterator[Fault]:
        """Yields faults."""
        ...


def fault(
    view: View,
    node: ast.AST,
    exception: str,
    message: str,
    detector: str,
    confidence: float = CERTAIN,
    *,
    owner: tuple[str, tuple[str, ...]] = ("", ()),
) -> Iterator[Fault]:
    """Yields a fault at a node, unless something there says that it is expected or never runs.

    Args:
        view: The file.
        node: What would raise.
        exception: Bare name of the exception.
        message: In the interpreter's words.
        detector: Which detector.
        confidence: 0 to 1.
        owner: Module that lacks a name, and the names that it has.
    """
    line = int(getattr(node, "lineno", 1))
    if view.excused(node, exception):
        return
    yield Fault(
        path=view.path,
        line=line,
        exception=exception,
        message=message,
        detector=detector,
        confidence=confidence,
        col=getattr(node, "col_offset", None),
        end_line=getattr(node, "end_lineno", None),
        end_col=getattr(node, "end_col_offset", None),
        qualname=view.qualname(node),
        source=view.line(line).strip(),
        owner_module=owner[0],
        owner_names=owner[1],
    )
