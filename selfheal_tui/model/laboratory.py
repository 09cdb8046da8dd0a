"""What a laboratory is asked and answers: a workspace in which very many small changes are tried quickly. Types only, no I/O.

Whatever comes from one was written by code of the project as much as by ours: it is a hint about what to prove next, and
never a proof.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from selfheal_tui.model.ports import ReplayPlan, TestRun


@dataclass(frozen=True, slots=True)
class Variant:
    """A file with a few small changes, to be tried.

    Attributes:
        path: Relative to the root.
        edits: `(start, end, new)` in characters of the file's text as it is; none overlap.
    """

    path: str
    edits: tuple[tuple[int, int, str], ...]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a variant made of the arguments that were recorded, one mark an argument; equal marks are equal results.

    Attributes:
        real: For the recorded arguments; `!Type` where it raised, `?` where nothing can be said.
        near: For neighbours of these, in the same order for all variants.
    """

    real: tuple[str, ...] = ()
    near: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TrialPlan:
    """Variants to try on one replay.

    Attributes:
        replay: What is run; a variant is green when it ends without an exception and with status 0.
        files: Files that variants change; everything before the first call of one of their functions runs once.
        waves: Variants, most promising first; a wave is begun only if none before it had a green one.
        seconds: Longest run of one variant; shortened to a few times what the unchanged program takes.
        budget: Seconds for everything.
        jobs: Variants at once.
        enough: Green variants after which no more are tried.
        behaviour: Whether the green ones are compared with each other.
        noticing: Path and bare name of the functions on the crash's traceback: an exception that leaves the innermost
            of them ends a variant, and arguments that they are called with are no evidence.
        functions: Path and qualified name of the functions that variants change; empty: any of the files.
    """

    replay: ReplayPlan
    files: tuple[str, ...]
    waves: tuple[tuple[Variant, ...], ...]
    seconds: float
    budget: float
    jobs: int = 2
    enough: int = 24
    behaviour: bool = True
    noticing: tuple[tuple[str, str], ...] = ()
    functions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class TrialRun:
    """How the variants of a plan ended.

    Attributes:
        problem: Why they could not be tried; empty when they could.
        unchanged: How the program ended without a change: `green`, `red` or `slow`.
        seconds: How long that took from the first call on.
        statuses: `green`, `red`, `slow`, `killed` or `misfit` by number, counted through all waves.
        inputs: For green ones: how many different arguments came from outside of the files.
        unreadable: How many calls had arguments that cannot be compared.
        behaviour: For green ones, and for the unchanged code as -1.
    """

    problem: str = ""
    unchanged: str = ""
    seconds: float = 0.0
    statuses: Mapping[int, str] = field(default_factory=dict)
    inputs: Mapping[int, int] = field(default_factory=dict)
    unreadable: int = 0
    behaviour: Mapping[int, Behaviour] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TracedCall:
    """A function of the project that ran.

    Attributes:
        path: Its file, relative to the root.
        line: Its first line (of its decorators).
        count: How often it was called.
        depth: How many frames of the project were between it and the place that noticed, at least.
        last: When it was last called, as a number that grows.
        below: Whether the place that noticed called it, directly or through others.
    """

    path: str
    line: int
    count: int
    depth: int
    last: int
    below: bool = True


@dataclass(frozen=True, slots=True)
class LineTrace:
    """Which lines ran.

    Attributes:
        problem: Why it is not known; empty when it is.
        lines: Path, relative to the root, to lines.
        calls: Functions that ran.
        test: Id of the test that ran them, if it was one.
        failed: Whether that failed.
    """

    problem: str = ""
    lines: Mapping[str, frozenset[int]] = field(default_factory=dict)
    calls: tuple[TracedCall, ...] = ()
    test: str = ""
    failed: bool = False


@runtime_checkable
class Laboratory(Protocol):
    """A workspace in which many variants can be tried quickly. What it says is a hint, never a proof."""

    def trace(
        self, plan: ReplayPlan, *, seconds: float, noticing: Sequence[tuple[str, str]] = ()
    ) -> LineTrace:
        """Runs a replay and tells which lines of the project ran; `noticing` as in `TrialPlan`."""
        ...

    def trace_tests(self, *, seconds: float) -> tuple[LineTrace, ...]:
        """Runs the project's tests and tells which lines each ran; empty where they cannot be run so."""
        ...

    def try_variants(self, plan: TrialPlan) -> TrialRun:
        """Tries variants."""
        ...

    def run_tests(self, *, seconds: float, only: Sequence[str] = ()) -> TestRun:
        """Runs the project's tests (or only those ids)."""
        ...

    def write(self, files: Mapping[str, bytes | None]) -> None:
        """Puts file contents into the copy (None deletes); paths are relative to the root."""
        ...
