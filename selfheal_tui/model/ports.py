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
