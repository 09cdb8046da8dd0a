"""The shapes through which floors meet that may not import one another. Types only, no I/O.

Checks need a sandbox and the pipeline needs both; since `checks`, `repair` and `sandbox` stand side by
side on one floor, they meet in these protocols.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol, runtime_checkable

from selfheal_tui.model.crash import CrashReport
from selfheal_tui.model.kinds import Isolation


class ReplayStatus(StrEnum):
    """How a replay ended."""

    CRASHED = "crashed"
    FINISHED = "finished"
    TIMEOUT = "timeout"
    NOT_POSSIBLE = "not possible"


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """What to run again.

    Attributes:
        kind: `command` (the program's own command line) or `call` (one function with captured arguments).
        argv: For `command`: the command line; the interpreter and paths inside the root are mapped into
            the workspace by the sandbox.
        cwd: For `command`: working directory, absolute; mapped likewise when inside the root.
        sys_path: Import path of the crashed program.
        module: For `call`: module to import (or file to load when it was `__main__`).
        file: For `call`: file that defines the function, absolute in the live tree.
        qualname: For `call`: function.
        payload: For `call`: absolute path of the pickle in the inbox.
        is_async: For `call`: run it in an event loop.
        stdin: Bytes to feed, for `command`.
        hang_seconds: For `command`: end it as hanging once its main thread has stayed so long in one loop or
            wait; 0 waits for its end or the time limit.
    """

    kind: str
    argv: tuple[str, ...] = ()
    cwd: str = ""
    sys_path: tuple[str, ...] = ()
    module: str = ""
    file: str = ""
    qualname: str = ""
    payload: str = ""
    is_async: bool = False
    stdin: bytes = b""
    hang_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """How a replay ended.

    Attributes:
        status: Crashed, finished, timed out, or could not be run.
        report: The crash as the probe inside the sandbox captured it; its file names are mapped back
            to the live tree.
        exit_code: Exit status; None when killed.
        output: Tail of stdout and stderr, bounded.
        seconds: Wall-clock time.
        reason: Why it was not possible.
        result_repr: For a call that returned: bounded `repr` of what it returned.
        reports: All crashes that were captured, also those that the program handled, oldest first; `report`
            is the last that ended the program, else the last handled one.
    """

    status: ReplayStatus
    report: CrashReport | None = None
    exit_code: int | None = None
    output: str = ""
    seconds: float = 0.0
    reason: str = ""
    result_repr: str = ""
    reports: tuple[CrashReport, ...] = ()


@dataclass(frozen=True, slots=True)
class TestRun:
    """How a run of the project's tests ended.

    Attributes:
        ran: Whether tests ran to an end; False is never a pass.
        runner: `pytest`, `unittest`, `command`, or empty.
        passed: Ids of tests that passed.
        failed: Ids of tests that failed or erred.
        skipped: How many were skipped.
        output: Tail of the output, bounded.
        seconds: Wall-clock time.
        reason: Why they could not run.
        timed_out: Whether the time limit ended it.
        failed_at: Failed tests with the file of the project in which each failed, where that is known.
    """

    __test__ = False

    ran: bool
    runner: str = ""
    passed: frozenset[str] = frozenset()
    failed: frozenset[str] = frozenset()
    skipped: int = 0
    output: str = ""
    seconds: float = 0.0
    reason: str = ""
    timed_out: bool = False
    failed_at: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ImportProbe:
    """Whether one import works in the target interpreter.

    Attributes:
        statement: `import a.b` or `from a import b`, absolute.
        ok: Whether it resolved.
        problem: Why not.
    """

    statement: str
    ok: bool
    problem: str = ""


@dataclass(frozen=True, slots=True)
class SyntaxProblem:
    """A file that the target interpreter cannot compile."""

    path: str
    line: int
    message: str


class Workspace(Protocol):
    """One isolated copy of the project. Every program it starts runs inside the walls."""

    @property
    def root(self) -> Path:
        """Root of the copy."""
        ...

    @property
    def isolation(self) -> Isolation:
        """How well it is walled off."""
        ...

    @property
    def weakness(self) -> str:
        """What the isolation does not cover, in a sentence; empty when nothing is missing."""
        ...

    def write(self, files: Mapping[str, bytes | None]) -> None:
        """Puts file contents into the copy (None deletes); paths are relative to the root."""
        ...

    def compile(self, paths: Sequence[str]) -> list[SyntaxProblem]:
        """Compiles files with the target interpreter, without running them."""
        ...

    def resolve_imports(self, statements: Sequence[str], *, path: str) -> list[ImportProbe]:
        """Tries absolute import statements in the target interpreter, as the file at `path` would."""
        ...

    def replay(self, plan: ReplayPlan, *, seconds: float) -> ReplayResult:
        """Runs a command or call again under the probe."""
        ...

    def run_tests(self, *, seconds: float, only: Sequence[str] = (), each_seconds: float = 0.0) -> TestRun:
        """Runs the project's tests (or only those ids); with a limit for each, one that hangs fails."""
        ...


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


@dataclass(frozen=True, slots=True)
class CallText:
    """A call's captured arguments as Python literals.

    Attributes:
        args: Positional ones.
        kwargs: Keyword ones by name.
        problem: Why they cannot be written so; empty when they can.
    """

    args: tuple[str, ...] = ()
    kwargs: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


@runtime_checkable
class Reader(Protocol):
    """A workspace that can tell what captured arguments were."""

    def literals(self, plan: ReplayPlan) -> CallText:
        """Writes the arguments of a call as literals, if they are plain data."""
        ...


@runtime_checkable
class Examiner(Protocol):
    """A workspace that can tell with what exceptions tests fail. What it says is a hint, never a proof."""

    def test_crashes(self, *, seconds: float, only: Sequence[str]) -> tuple[tuple[str, CrashReport], ...]:
        """Runs the tests with those ids and captures the exceptions of those that fail."""
        ...


class Sandbox(Protocol):
    """Makes workspaces."""

    def workspace(self) -> AbstractContextManager[Workspace]:
        """Copies the project as it is now; the copy is deleted on exit.

        Raises:
            SandboxError: The copy would be too large, or cannot be made.
        """
        ...


class SandboxError(RuntimeError):
    """An isolated copy cannot be made; the message names the remedy."""
