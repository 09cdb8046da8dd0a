"""Scores one case: heal a copy, carry the changed sources into a fresh one, run its repro and tests there.

Nothing else is carried over: no test, no repro, no cache, no state of the healer. So a fix that only holds where it was
made is none.
"""

from __future__ import annotations

import filecmp
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from selfheal_tui.source.diff import changed_line_count
from selfheal_tui.supervisor.bench.cases import Case, command, fresh_copy
from selfheal_tui.supervisor.bench.healing import Healer, Spent, case_environment, spent_on
from selfheal_tui.supervisor.bench.processes import Ended, Processes
from selfheal_tui.supervisor.bench.result import CaseResult, Score

_PASSED_OVER = frozenset({"__pycache__", ".pytest_cache", ".git", ".selfheal", ".self_healing_backups"})
_LOST_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Tests:
    """How a case's tests ended.

    Attributes:
        ok: Whether all expected ones passed.
        passed: How many passed.
        expected: How many were expected to.
        failed: Ids of some that failed.
    """

    __test__ = False

    ok: bool
    passed: int
    expected: int
    failed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Bench:
    """One case, being scored.

    Attributes:
        case: The case.
        python: Its interpreter.
        harness: The folder of helper scripts.
        healer: How it is healed.
        processes: Runs programs.
        hide_tests: Whether the healer sees no tests.
    """

    case: Case
    python: str
    harness: str
    healer: Healer
    processes: Processes
    hide_tests: bool = False

    def score(self) -> CaseResult:
        """Heals and scores the case. All that it makes is in a temporary folder and goes with it."""
        case = self.case
        result = CaseResult(
            case.case_id, self.healer.mode, case.split, case.kind, case.exception, case.origin,
            tests_hidden=self.hide_tests,
        )  # fmt: skip
        with tempfile.TemporaryDirectory(prefix="selfheal-bench-", ignore_cleanup_errors=True) as folder:
            try:
                return self._score(result, Path(folder).resolve())
            except (OSError, ValueError) as error:
                return replace(result, score=Score.ERROR, note=f"{type(error).__name__}: {error}"[:300])

    def _score(self, result: CaseResult, folder: Path) -> CaseResult:
        for name in ("home", "heal", "score", "base"):
            (folder / name).mkdir()
        environ = case_environment(self.python, folder / "home")
        # The folder is called the same everywhere: a program may print or compare its own path.
        copy = fresh_copy(self.case, folder / "heal" / "project", tests=not self.hide_tests)
        shown, healer, note = not self.hide_tests, self.healer, ""
        crash = self._repro(copy, environ)
        if self.hide_tests and not _raised(crash, self.case.exception):
            # The repro is a test itself. It has to stay then; that tests judge is what is taken away.
            shutil.rmtree(copy)
            fresh_copy(self.case, copy)
            shown, note = True, "its repro needs its tests: they stayed, and were not run as tests"
            healer = replace(healer, settings={**healer.settings, "SELFHEAL_PROJECT_RUN_TESTS": "false"})
            crash = self._repro(copy, environ)
        if crash.code == 0:
            return replace(result, score=Score.BAD_CASE, note="its repro passes before anything was healed")
        before = fresh_copy(self.case, folder / "base" / "project", tests=shown)
        ended = healer.heal(
            copy, command(self.case, self.case.repro, self.python, copy), self.processes, environ
        )
        spent = spent_on(copy)
        changed, touched = self._changes(before, copy)
        result = replace(
            _with_spent(result, spent),
            seconds=round(ended.seconds, 2),
            changed=tuple(changed),
            touched=tuple(touched),
            diff_lines=sum(_lines(before / path, copy / path) for path in changed),
            note=note if ended.seconds < healer.seconds else "the healer was ended at its time limit",
        )
        if not changed:
            return replace(result, score=Score.NO_CHANGE)
        judged = fresh_copy(self.case, folder / "score" / "project")
        for path in changed:
            _carry(copy / path, judged / path)
        return self._judge(result, judged, folder, environ)

    def _judge(self, result: CaseResult, judged: Path, folder: Path, environ: dict[str, str]) -> CaseResult:
        green = self._repro(judged, environ).code == 0
        tests = self._tests(judged, environ)
        result = replace(result, tests_passed=tests.passed, tests_expected=tests.expected)
        if green and tests.ok:
            return replace(result, score=Score.HEALED)
        # What the tests said before is only asked where it matters: it costs as much as all the rest.
        base = self._tests(fresh_copy(self.case, folder / "base" / "tests" / "project"), environ)
        lost = tuple(sorted(tests.failed - base.failed))
        result = replace(result, lost=lost[:_LOST_SHOWN])
        if green:
            return replace(result, score=Score.PLAUSIBLE)
        worse = bool(lost) or tests.passed < base.passed
        return replace(result, score=Score.BROKE_IT if worse else Score.UNHEALED)

    def _repro(self, copy: Path, environ: dict[str, str]) -> Ended:
        argv = command(self.case, self.case.repro, self.python, copy, self.harness)
        return self.processes.run(argv, cwd=copy, environ=environ, seconds=self.case.repro_seconds)

    def _tests(self, copy: Path, environ: dict[str, str]) -> Tests:
        argv = command(self.case, self.case.tests, self.python, copy, self.harness)
        return read_tests(
            self.processes.run(argv, cwd=copy, environ=environ, seconds=self.case.tests_seconds)
        )

    def _changes(self, before: Path, after: Path) -> tuple[list[str], list[str]]:
        """Files that differ: what may be carried over, and what is protected."""
        old, new = set(_files(before)), set(_files(after))
        differ = sorted(
            path
            for path in old | new
            if path not in old
            or path not in new
            or not filecmp.cmp(before / path, after / path, shallow=False)
        )
        touched = [path for path in differ if self.case.is_protected(path)]
        # A program may leave data behind; only sources and what stood there before are a fix.
        carried = [p for p in differ if p not in touched and (p in old or p.endswith((".py", ".pyi")))]
        return carried, touched


def _raised(ended: Ended, exception: str) -> bool:
    """Whether a program ended with an exception of that bare type (of any, when none is known)."""
    if ended.code == 0:
        return False
    names = [line.partition(":")[0].rpartition(".")[2] for line in ended.err.splitlines() if line[:1].strip()]
    return not exception or exception in names


def read_tests(ended: Ended) -> Tests:
    """Reads how tests ended from the last line of their output; without one, from the exit status alone."""
    lines = ended.out.strip().splitlines()
    try:
        said = json.loads(lines[-1]) if lines else None
        if isinstance(said, dict):
            failed = frozenset(str(test) for test in said.get("failed", ()))
            passed, expected = int(said["passed"]), int(said["expected"])
            return Tests(ended.code == 0 and passed >= expected, passed, expected, failed)
    except (ValueError, KeyError, TypeError):
        pass  # a plain test command, which says it by its status
    return Tests(ended.code == 0, int(ended.code == 0), 1, frozenset())


def _files(root: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in _PASSED_OVER]
        for name in names:
            place = Path(folder, name)
            if not name.endswith(".pyc") and place.is_file():
                yield place.relative_to(root).as_posix()


def _carry(source: Path, target: Path) -> None:
    if source.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    else:
        target.unlink(missing_ok=True)


def _lines(before: Path, after: Path) -> int:
    texts = [file.read_text("utf-8", errors="replace") if file.exists() else "" for file in (before, after)]
    return changed_line_count(*texts)


def _with_spent(result: CaseResult, spent: Spent) -> CaseResult:
    return replace(result, attempts=spent.attempts, tokens=spent.tokens, usd=spent.usd, rules=spent.rules)
