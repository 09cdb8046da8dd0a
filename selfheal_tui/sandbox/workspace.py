"""The sandbox of a project and its workspaces: isolated copies in which candidates are tried.

Implements `model.ports`. Every program runs through `runner`; after each run the copy is brought back
to what was written into it, so that runs can be repeated and compared. The live tree is only read.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from selfheal_tui.model.crash import CrashReport
from selfheal_tui.model.kinds import Isolation
from selfheal_tui.model.laboratory import LineTrace, TrialPlan, TrialRun
from selfheal_tui.model.ports import (
    CallText,
    ImportProbe,
    ReplayPlan,
    ReplayResult,
    SandboxError,
    SyntaxProblem,
    TestRun,
    Workspace,
)
from selfheal_tui.model.settings import ProjectSettings, SandboxSettings
from selfheal_tui.sandbox.copy import CopyFacts, copy_project
from selfheal_tui.sandbox.interpreter import Interpreter, find_interpreter, interpreter_facts
from selfheal_tui.sandbox.isolation import detect_isolation, weakness_of
from selfheal_tui.sandbox.literals import literals
from selfheal_tui.sandbox.paths import PathMap
from selfheal_tui.sandbox.replay import replay
from selfheal_tui.sandbox.restore import RestorableTree
from selfheal_tui.sandbox.runner import Runner
from selfheal_tui.sandbox.scratchdirs import scratch_directory
from selfheal_tui.sandbox.testplan import TestPlan, find_tests
from selfheal_tui.sandbox.testrun import run_tests, test_crashes
from selfheal_tui.sandbox.trials import trace, trace_tests, try_variants
from selfheal_tui.sandbox.walls import Walls, readable_paths
from selfheal_tui.source.project import Project

_COMPILE_SECONDS = 60.0
_IMPORT_SECONDS = 60.0


class ProjectWorkspace:
    """One isolated copy; see `model.ports.Workspace`.

    Attributes:
        copied: What the copy holds and what was left out.
    """

    def __init__(
        self,
        project: Project,
        project_settings: ProjectSettings,
        runner: Runner,
        tree: RestorableTree,
        copied: CopyFacts,
    ) -> None:
        self._project = project
        self._project_settings = project_settings
        self._runner = runner
        self._tree = tree
        self._busy = threading.RLock()
        self.copied = copied

    @property
    def root(self) -> Path:
        """Root of the copy."""
        return self._tree.working

    @property
    def isolation(self) -> Isolation:
        """How well it is walled off."""
        return self._runner.walls.level

    @property
    def weakness(self) -> str:
        """What the isolation does not cover."""
        return weakness_of(self.isolation)

    def write(self, files: Mapping[str, bytes | None]) -> None:
        """Puts file contents into the copy (None deletes).

        Args:
            files: Path relative to the root, with forward slashes, to content.

        Raises:
            SandboxError: A path leads out of the copy, or cannot be written.
        """
        checked = {self._checked(path): data for path, data in files.items()}
        with self._busy:
            try:
                for path, data in checked.items():
                    self._tree.write(path, data)
            except OSError as error:
                raise SandboxError(f"the candidate cannot be written into the copy: {error}") from error

    def _checked(self, path: str) -> str:
        pure = PurePosixPath(path)
        pristine = self._tree.pristine
        real = (pristine / pure).resolve()
        if (
            not path
            or pure.is_absolute()
            or ".." in pure.parts
            or not real.is_relative_to(pristine)
            or real == pristine
        ):
            raise SandboxError(f"{path!r} is not a path inside the project")
        return real.relative_to(pristine).as_posix()

    def compile(self, paths: Sequence[str]) -> list[SyntaxProblem]:
        """Compiles files with the target interpreter, without running them.

        Args:
            paths: Relative to the root.

        Returns:
            What it refuses; empty when all compile.

        Raises:
            SandboxError: The compiler could not be run: that is no pass.
        """
        view = self._runner.walls.view
        names = {str(view / self._checked(path)): path for path in paths}
        with self._busy, self._runner.scratch() as scratch:
            finished = self._runner.driver(
                "compile_files.py",
                [],
                scratch,
                seconds=_COMPILE_SECONDS,
                stdin=json.dumps(list(names)).encode(),
                isolated=True,
            )
        try:
            problems = json.loads(finished.result)["problems"]
            return [SyntaxProblem(names[path], int(line), str(message)) for path, line, message in problems]
        except (ValueError, KeyError, TypeError) as error:
            raise SandboxError(
                f"the target interpreter could not compile: {finished.output.strip()[-300:]}"
            ) from error

    def resolve_imports(self, statements: Sequence[str], *, path: str) -> list[ImportProbe]:
        """Tries absolute import statements in the target interpreter, as the file at `path` would.

        Args:
            statements: Import statements.
            path: The file, relative to the root.

        Returns:
            One answer for each statement, in order.

        Raises:
            SandboxError: The interpreter could not be run.
        """
        view = self._runner.walls.view
        roots = [str(view / root) if root else str(view) for root in self._project.source_roots]
        question = {"statements": list(statements), "sys_path": [str((view / path).parent), *roots]}
        with self._run() as runner, runner.scratch() as scratch:
            finished = runner.driver(
                "resolve_imports.py",
                [],
                scratch,
                seconds=_IMPORT_SECONDS,
                stdin=json.dumps(question).encode(),
            )
        answers: dict[int, ImportProbe] = {}
        for line in finished.result.splitlines():
            try:
                data = json.loads(PathMap(self._runner.walls).outside(line))
                index = int(data["index"])
                answers[index] = ImportProbe(statements[index], data["ok"] is True, str(data["problem"]))
            except (ValueError, KeyError, TypeError, IndexError):
                continue  # a line that hostile code wrote: its statement stays unanswered, and so not resolved
        ended = (
            "importing takes too long"
            if finished.timed_out
            else "importing it or one before it ends the process"
        )
        return [
            answers.get(i, ImportProbe(text, ok=False, problem=ended)) for i, text in enumerate(statements)
        ]

    def replay(self, plan: ReplayPlan, *, seconds: float) -> ReplayResult:
        """Runs a command or call again under the probe.

        Args:
            plan: What.
            seconds: Time limit.

        Returns:
            How it ended; not being able to run it is a result too.

        Raises:
            SandboxError: The walls cannot be put up.
        """
        with self._run() as runner:
            return replay(runner, plan, seconds)

    def run_tests(self, *, seconds: float, only: Sequence[str] = (), each_seconds: float = 0.0) -> TestRun:
        """Runs the project's tests (or only those ids).

        Args:
            seconds: Time limit.
            only: Ids that an earlier run reported.
            each_seconds: Time limit of each test, for pytest only; 0 for none.

        Returns:
            What passed and failed, or why they could not run.

        Raises:
            SandboxError: The walls cannot be put up.
        """
        if not self._project_settings.run_tests:
            return TestRun(ran=False, reason="switched off (project.run_tests)")
        plan = self._test_plan()
        with self._run() as runner:
            return run_tests(runner, plan, seconds, only, each_seconds, roots=self._roots())

    def test_crashes(self, *, seconds: float, only: Sequence[str]) -> tuple[tuple[str, CrashReport], ...]:
        """Captures with what exceptions tests fail; see `model.ports.Examiner`."""
        if not self._runs_pytest():
            return ()
        with self._run() as runner:
            return tuple(test_crashes(runner, seconds, only, self._roots()))

    def literals(self, plan: ReplayPlan) -> CallText:
        """Writes the captured arguments of a call as literals; see `model.ports.Reader`."""
        with self._run() as runner:
            return literals(runner, plan)

    def trace(
        self, plan: ReplayPlan, *, seconds: float, noticing: Sequence[tuple[str, str]] = ()
    ) -> LineTrace:
        """Runs a replay and tells which lines of the project ran; see `model.ports.Laboratory`."""
        with self._run() as runner:
            return trace(runner, plan, seconds, noticing)

    def trace_tests(self, *, seconds: float) -> tuple[LineTrace, ...]:
        """Runs the project's tests and tells which lines each ran; empty where they are not run by pytest."""
        if not self._runs_pytest():
            return ()
        with self._run() as runner:
            return trace_tests(runner, seconds, self._roots())

    def _runs_pytest(self) -> bool:
        return self._project_settings.run_tests and self._test_plan().runner == "pytest"

    def _roots(self) -> list[str]:
        """Folders in which the project's packages lie, as seen inside; the root itself is on the path anyhow."""
        return [str(self._runner.walls.view / root) for root in self._project.source_roots if root]

    def _test_plan(self) -> TestPlan:
        facts = self._runner.walls.facts
        interpreter = Interpreter(facts.executable, facts.version, "the sandbox")
        return find_tests(self._project, interpreter, self._project_settings.test_command)

    def try_variants(self, plan: TrialPlan) -> TrialRun:
        """Tries variants of the project's code; see `model.ports.Laboratory`."""
        for path in {*plan.files, *(v.path for wave in plan.waves for v in wave)}:
            self._checked(path)
        with self._run() as runner:
            return try_variants(runner, plan)

    @contextmanager
    def _run(self) -> Iterator[Runner]:
        with self._busy:
            try:
                yield self._runner
            finally:
                try:
                    self._tree.restore()
                except OSError as error:
                    raise SandboxError(f"the copy cannot be brought back to its state: {error}") from error


class ProjectSandbox:
    """Makes workspaces of one project; see `model.ports.Sandbox`."""

    def __init__(
        self,
        project: Project,
        settings: SandboxSettings,
        project_settings: ProjectSettings,
        interpreter: str = "",
        *,
        isolation: Isolation | None = None,
    ) -> None:
        """Remembers what to copy and how to wall it in.

        Args:
            project: The live project.
            settings: Walls and limits.
            project_settings: How it is tested.
            interpreter: The Python that runs it; empty: found by itself.
            isolation: Forces a level, for tests; by default the strongest that works here.
        """
        self.project = project
        self.settings = settings
        self.project_settings = project_settings
        self._interpreter = interpreter
        self._isolation = isolation

    @contextmanager
    def workspace(self) -> Iterator[Workspace]:
        """Copies the project as it is now; the copy is deleted on exit.

        Yields:
            The workspace.

        Raises:
            SandboxError: The copy would be too large or cannot be made, or isolation is required and there is none.
        """
        level = self._isolation or detect_isolation().level
        if level is Isolation.UNSANDBOXED and self.settings.require_isolation:
            raise SandboxError(
                "no isolation works here and sandbox.require_isolation is set; install the package bubblewrap, "
                "or see selfheal doctor"
            )
        live = self.project.root
        executable = (
            self._interpreter
            or find_interpreter(self.project, None, self.project_settings.interpreter).executable
        )
        facts = interpreter_facts(executable)
        with scratch_directory() as base:
            # The name of the root stays: a project may be imported by it.
            pristine, working = base / "pristine" / live.name, base / "tree" / live.name
            copied = copy_project(self.project, pristine, self.settings)
            walls = Walls(level, live, working, facts, self.settings, readable_paths(facts, live))
            tree = RestorableTree(pristine, working)
            try:
                _place_environments(walls, pristine)
                tree.populate()
            except OSError as error:
                raise SandboxError(
                    f"the copy cannot be made in {base} ({error}); free space or set TMPDIR"
                ) from error
            yield ProjectWorkspace(self.project, self.project_settings, Runner(walls, base), tree, copied)


def _place_environments(walls: Walls, pristine: Path) -> None:
    """Keeps environments inside the project usable: mounted read-only there, or linked to where they are."""
    for path in walls.readable:
        if not Path(path).is_relative_to(walls.live) or Path(path) == walls.live:
            continue
        place = pristine / Path(path).relative_to(walls.live)
        if os.path.lexists(place) or any(parent.is_symlink() for parent in place.parents):
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        if walls.level is not Isolation.BUBBLEWRAP:
            place.symlink_to(path)
        elif Path(path).is_dir():
            place.mkdir()
        else:
            place.touch()
