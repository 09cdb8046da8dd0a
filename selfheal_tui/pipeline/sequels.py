"""Goes on from a fix that got the program further: what fails next is mended with that fix in place, and both count as one.

One fault often shows at several places: the second is reached only once the first is mended, or by another test of the
same file. Neither half is worth applying alone. The halves are derived one after the other on the isolated copy; what
they add up to climbs the whole ladder from the beginning. Nothing here judges, and nothing is written outside the copy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from selfheal_tui.checks.base import CheckContext
from selfheal_tui.checks.replay import Effect, classify, reproduced
from selfheal_tui.checks.written import written
from selfheal_tui.model.candidate import Candidate, FileEdit
from selfheal_tui.model.crash import CrashReport
from selfheal_tui.model.incident import Attempt
from selfheal_tui.model.kinds import Verdict
from selfheal_tui.model.ports import Examiner
from selfheal_tui.pipeline.analyze import analyze
from selfheal_tui.pipeline.repeats import JOIN, LESS_SURE, repeated
from selfheal_tui.repair.base import Proposer, RepairContext
from selfheal_tui.source.diff import changed_range
from selfheal_tui.source.identifiers import identifier_of
from selfheal_tui.source.project import Project

MOST_PARTS = 4
"""A fix is put together of at most so many."""
OFFERED = 2
"""So many ways to mend what fails next are tried."""
_MOST_TESTS = 8
_FURTHER = frozenset({Effect.PROGRESSED, Effect.MOVED})


class Sequels:
    """Derives the next part of fixes that are half of one.

    Args:
        project: The live project.
        context_of: Makes the check context of a candidate.
        proposers: Who is asked for the next part: those that derive fixes without running anything.
        interpreter: The project's Python.
    """

    def __init__(
        self,
        project: Project,
        context_of: Callable[[Candidate], CheckContext],
        proposers: Sequence[Proposer],
        interpreter: str,
    ) -> None:
        self._project = project
        self._context_of = context_of
        self._proposers = proposers
        self._interpreter = interpreter

    def of(self, attempt: Attempt) -> list[Candidate]:
        """Derives fixes that begin with an attempt and cure what fails next.

        Args:
            attempt: As it was judged.

        Returns:
            Whole fixes, most certain first; none when the attempt is whole, or nothing is known to go on with.
        """
        if attempt.candidate.parts >= MOST_PARTS or not _is_half(attempt):
            return []
        context = self._context_of(attempt.candidate)
        found = list(repeated(self._project, attempt.candidate))
        with written(context):
            for crash in self._next_crashes(context, attempt):
                if self._is_of_its_making(attempt.candidate, crash):
                    break
                mended = sorted(self._mended(context, crash, attempt.candidate), key=lambda c: -c.confidence)
                found += mended[:OFFERED]
                if mended:
                    break
        return found

    def _next_crashes(self, context: CheckContext, attempt: Attempt) -> Iterator[CrashReport]:
        """What fails with the attempt in place: the program itself, or tests that failed before and still do."""
        if not attempt.proof.proved:
            known = reproduced(context)
            if known is None:
                return
            plan, _ = known
            result = context.workspace.replay(plan, seconds=context.settings.sandbox.replay_seconds)
            effect = classify(context, plan, result)[0]
            if result.report is not None and (
                effect in _FURTHER or (effect is Effect.RED and self._is_elsewhere(context, result.report))
            ):
                yield result.report
            return
        before = context.baseline.tests
        if before is None or not isinstance(context.workspace, Examiner):
            return
        changed = {edit.path for edit in context.candidate.edits}
        tests = attempt.proof.report("tests")
        left = frozenset(tests.left) if tests is not None else frozenset()
        at = [name for name, place in before.failed_at if place in changed and name in left]
        if not at:
            return
        crashes = context.workspace.test_crashes(
            seconds=context.settings.sandbox.test_seconds, only=sorted(at)[:_MOST_TESTS]
        )
        for _, report in crashes:
            localised = self._project.localise(report)
            suspect = localised.suspect()
            if suspect is not None and suspect[1].path in changed:
                yield report

    def _is_of_its_making(self, candidate: Candidate, crash: CrashReport) -> bool:
        """Whether what is lacking now is what the fix itself wrote: then that is wrong, and no half of a fix."""
        suspect = self._project.localise(crash).suspect()
        lacking = identifier_of(suspect[0]) if suspect is not None else None
        if lacking is None or suspect is None:
            return False
        name = re.compile(rf"\b{re.escape(lacking)}\b")
        for edit in candidate.edits:
            if edit.path == suspect[1].path and edit.before_sha256 is not None:
                old = self._project.read(edit.path).text
                first, last, new = changed_range(old, edit.text)
                at = suspect[1].line - 1
                begin, end = old.count("\n", 0, first), old.count("\n", 0, last)
                lines, removed = edit.text.split("\n"), old.split("\n")[begin : end + 1]
                written_now = begin <= at <= begin + new.count("\n") and at < len(lines)
                if written_now and len(name.findall(lines[at])) > max(len(name.findall(r)) for r in removed):
                    return True
        return False

    def _is_elsewhere(self, context: CheckContext, crash: CrashReport) -> bool:
        """Whether what counts as the same crash comes from another statement of the same function."""
        ours, theirs = context.report.suspect(), self._project.localise(crash).suspect()
        if ours is None or theirs is None:
            return False
        return ours[1].source.strip() != theirs[1].source.strip()

    def _mended(self, context: CheckContext, crash: CrashReport, first: Candidate) -> Iterator[Candidate]:
        copy = Project(context.workspace.root, self._project.settings)
        report = self._project.localise(crash)
        repair = RepairContext(
            project=copy,
            report=report,
            diagnosis=analyze(report, copy),
            settings=context.settings,
            interpreter=self._interpreter,
        )
        for proposer in self._proposers:
            for second in proposer.propose(repair):
                if isinstance(second, Candidate):
                    yield joined(first, second)


def _is_half(attempt: Attempt) -> bool:
    """Whether a fix got the program further and not to its end, or left tests failing in what it changed."""
    proof = attempt.proof
    if not proof.reports:
        return False
    if proof.proved:
        return proof.verdict("tests") is Verdict.WARN and proof.left_failing > 0
    last = proof.reports[-1]
    stopped = last.rung == "replay" and last.verdict is Verdict.FAIL
    return stopped or (proof.acceptable and proof.verdict("replay") is Verdict.WARN)


def joined(first: Candidate, second: Candidate) -> Candidate:
    """Makes one fix of two, of which the second was derived with the first in place.

    Args:
        first: Against the live files.
        second: Against the files as the first leaves them.

    Returns:
        The whole fix, against the live files; as doubtful as the more doubtful of the two.
    """
    edits: dict[str, FileEdit] = {edit.path: edit for edit in first.edits}
    for edit in second.edits:
        known = edits.get(edit.path)
        edits[edit.path] = edit if known is None else replace(edit, before_sha256=known.before_sha256)
    return replace(
        first,
        reason=f"{first.reason}{JOIN}{second.reason}",
        confidence=round(min(first.confidence, second.confidence) * LESS_SURE, 3),
        edits=tuple(edits.values()),
        targets=tuple(dict.fromkeys((*first.targets, *second.targets))),
        notes=tuple(dict.fromkeys((*first.notes, *second.notes))),
        adds_imports=tuple(dict.fromkeys((*first.adds_imports, *second.adds_imports))),
        guess=first.guess or second.guess,
        doubt=first.doubt or second.doubt,
        sweeping=first.sweeping or second.sweeping,
        parts=first.parts + second.parts,
    )
