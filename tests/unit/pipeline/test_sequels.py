"""A fix that got the program further is gone on from; one that is whole, or leads nowhere, is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from making import a_candidate, a_diagnosis, a_project, a_proof

from selfheal_tui.checks.base import Baseline, CheckContext
from selfheal_tui.model.candidate import Candidate, CannotFix, FileEdit, sha256_hex
from selfheal_tui.model.crash import CrashReport, ExceptionInfo, Frame
from selfheal_tui.model.diagnosis import Location
from selfheal_tui.model.evidence import Proof, RungReport
from selfheal_tui.model.incident import Attempt
from selfheal_tui.model.kinds import CaptureSource, Isolation, Verdict
from selfheal_tui.model.ports import ReplayPlan, ReplayResult, ReplayStatus, TestRun
from selfheal_tui.model.settings import Settings
from selfheal_tui.pipeline.repeats import JOIN, LESS_SURE
from selfheal_tui.pipeline.sequels import MOST_PARTS, OFFERED, Sequels, joined
from selfheal_tui.repair.base import RepairContext
from selfheal_tui.source.fingerprint import fingerprint
from selfheal_tui.source.project import Project

BEFORE = "def first(x):\n    y = x.nmae\n    return second(x)\n\n\ndef second(x):\n    return x.aeg\n"
HALF = BEFORE.replace("x.nmae", "x.name")
WHOLE = HALF.replace("x.aeg", "x.age")
PLAN = ReplayPlan("command", argv=("python", "app.py"))


def crash(root: Path, function: str, line: int, name: str, source: str, path: str = "app.py") -> CrashReport:
    frame = Frame(file=str(root / path), qualname=function, line=line, source=source, module="app")
    message = f"'X' object has no attribute '{name}'"
    return CrashReport("r1", 1.0, CaptureSource.PROBE, (ExceptionInfo("AttributeError", message, (frame,)),))


def edit(path: str, before: str | None, after: str) -> FileEdit:
    return FileEdit(path, None if before is None else sha256_hex(before.encode()), after)


@dataclass
class Copy:
    """An isolated copy on disk, which answers from a script and remembers what it was asked."""

    root: Path
    result: ReplayResult
    isolation: Isolation = Isolation.BUBBLEWRAP
    weakness: str = ""
    asked: list[object] = field(default_factory=list)

    def write(self, files: Mapping[str, bytes | None]) -> None:
        for path, data in files.items():
            if data is None:
                (self.root / path).unlink(missing_ok=True)
            else:
                (self.root / path).write_bytes(data)

    def replay(self, plan: ReplayPlan, *, seconds: float) -> ReplayResult:
        self.asked.append((plan.kind, (self.root / "app.py").read_text()))
        return self.result


@dataclass
class Examined(Copy):
    crashes: tuple[tuple[str, CrashReport], ...] = ()

    def test_crashes(self, *, seconds: float, only: Sequence[str]) -> tuple[tuple[str, CrashReport], ...]:
        self.asked.append(("tests", tuple(only), (self.root / "app.py").read_text()))
        return self.crashes


@dataclass
class Deriver:
    """Offers what it is given; remembers for which crash of which text."""

    offers: Sequence[Candidate | CannotFix]
    name: str = "rules"
    seen: list[tuple[str, str]] = field(default_factory=list)

    def propose(self, context: RepairContext) -> Iterator[Candidate | CannotFix]:
        assert context.frame is not None
        self.seen.append((context.frame.qualname, context.project.read("app.py").text))
        yield from self.offers


class World:
    def __init__(self, tmp_path: Path, kind: type[Copy] = Copy) -> None:
        self.project = a_project(tmp_path / "live", {"app.py": BEFORE, "other.py": "z = 1\n"})
        copy = tmp_path / "copy"
        a_project(copy, {"app.py": BEFORE, "other.py": "z = 1\n"})
        root = self.project.root
        self.report = self.project.localise(crash(root, "first", 2, "nmae", "y = x.nmae"))
        self.next = crash(root, "second", 7, "aeg", "return x.aeg")
        red = ReplayResult(ReplayStatus.CRASHED, self.report, 1)
        self.baseline = Baseline({PLAN: red})
        self.copy = kind(copy, ReplayResult(ReplayStatus.CRASHED, self.next, 1))
        self.first = a_candidate(
            edits=(edit("app.py", BEFORE, HALF),), targets=(Location("app.py", "first", 1),)
        )
        self.second = a_candidate(
            edits=(edit("app.py", HALF, WHOLE),),
            targets=(Location("app.py", "second", 6),),
            confidence=0.8,
            reason="`aeg` is misspelt",
        )
        self.deriver = Deriver([self.second])
        self.contexts = 0

    def context(self, candidate: Candidate) -> CheckContext:
        self.contexts += 1
        return CheckContext(
            self.project,
            self.report,
            fingerprint(self.report),
            lambda other: fingerprint(self.project.localise(other)),
            a_diagnosis(),
            candidate,
            {e.path: self.project.read(e.path).text.encode() for e in candidate.edits if e.before_sha256},
            Settings(),
            (PLAN,),
            self.baseline,
            self.copy,  # type: ignore[arg-type]
        )

    def of(self, proof: Proof | None = None, **changes: object) -> list[Candidate]:
        first = replace(self.first, **changes)  # type: ignore[arg-type]
        before = {file: file.read_bytes() for file in self.copy.root.parent.rglob("*.py")}
        attempt = Attempt(first, proof or further(first))
        found = Sequels(self.project, self.context, [self.deriver], "python").of(attempt)
        assert {file: file.read_bytes() for file in self.copy.root.parent.rglob("*.py")} == before
        return found


def further(candidate: Candidate) -> Proof:
    return a_proof(candidate, replay=Verdict.WARN)


def stopped(candidate: Candidate, rung: str = "replay") -> Proof:
    reports = []
    for report in a_proof(candidate).reports:
        if report.rung == rung:
            reports.append(replace(report, verdict=Verdict.FAIL))
            break
        reports.append(report)
    return Proof(candidate.candidate_id, candidate.patch_sha256, tuple(reports))


def left(
    candidate: Candidate, number: int = 1, verdict: Verdict = Verdict.WARN, names: tuple[str, ...] = ("t::a",)
) -> Proof:
    reports = [r for r in a_proof(candidate).reports if r.rung != "tests"]
    tests = RungReport("tests", verdict, "", left_failing=number, left=names)
    return Proof(candidate.candidate_id, candidate.patch_sha256, (*reports, tests))


def test_what_crashes_next_is_mended_with_the_half_in_place_and_both_are_one_fix(tmp_path: Path) -> None:
    world = World(tmp_path)
    (whole,) = world.of()
    assert [e.text for e in whole.edits] == [WHOLE]
    assert whole.edits[0].before_sha256 == sha256_hex(BEFORE.encode())
    assert world.deriver.seen == [("second", HALF)]
    assert world.copy.asked == [("command", HALF)]


def test_a_crash_that_moved_within_what_was_changed_is_gone_on_from(tmp_path: Path) -> None:
    world = World(tmp_path)
    moved = crash(world.project.root, "first", 3, "secnod", "return second(x)")
    world.copy.result = ReplayResult(ReplayStatus.CRASHED, moved, 1)
    assert len(world.of(stopped(world.first))) == 1
    assert world.deriver.seen == [("first", HALF)]


def test_where_what_the_fix_wrote_is_what_is_lacking_it_is_wrong_and_not_gone_on_from(tmp_path: Path) -> None:
    world = World(tmp_path)
    lacking = crash(world.project.root, "first", 2, "name", "y = x.name")
    world.copy.result = ReplayResult(ReplayStatus.CRASHED, lacking, 1)
    assert world.of(stopped(world.first)) == []
    assert world.deriver.seen == []


def test_the_same_crash_from_another_statement_is_gone_on_from(tmp_path: Path) -> None:
    world = World(tmp_path)
    again = crash(world.project.root, "first", 3, "nmae", "return second(x.nmae)")
    world.copy.result = ReplayResult(ReplayStatus.CRASHED, again, 1)
    assert len(world.of(stopped(world.first))) == 1


@pytest.mark.parametrize("status", [ReplayStatus.FINISHED, ReplayStatus.TIMEOUT, ReplayStatus.NOT_POSSIBLE])
def test_a_replay_that_shows_no_crash_has_nothing_to_go_on_with(tmp_path: Path, status: ReplayStatus) -> None:
    world = World(tmp_path)
    world.copy.result = ReplayResult(status, exit_code=3)
    assert world.of() == []
    assert world.deriver.seen == []


def test_the_same_crash_at_the_same_statement_is_not_gone_on_from(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.copy.result = ReplayResult(ReplayStatus.CRASHED, world.report, 1)
    assert world.of(stopped(world.first)) == []
    assert world.deriver.seen == []


def test_a_crash_that_was_never_reproduced_is_not_gone_on_from(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.baseline.replays[PLAN] = ReplayResult(ReplayStatus.FINISHED, exit_code=0)
    assert world.of() == []
    assert world.copy.asked == []


@pytest.mark.parametrize(
    "proof",
    [
        a_proof,
        lambda c: left(c, 0),
        lambda c: left(c, 3, Verdict.PASS),
        lambda c: a_proof(c, replay=Verdict.NOT_POSSIBLE),
        lambda c: a_proof(c, safety=Verdict.WARN),
        lambda c: stopped(c, "safety"),
        lambda c: stopped(c, "tests"),
        lambda c: Proof(c.candidate_id, c.patch_sha256),
    ],
    ids=["proved", "none left", "left elsewhere", "no replay", "warned", "unsafe", "broke tests", "no proof"],
)
def test_what_is_whole_or_failed_for_another_reason_has_no_sequel_and_runs_nothing(
    tmp_path: Path, proof: Callable[[Candidate], Proof]
) -> None:
    world = World(tmp_path, Examined)
    assert world.of(proof(world.first)) == []
    assert (world.contexts, world.copy.asked, world.deriver.seen) == (0, [], [])


@pytest.mark.parametrize("parts", range(1, MOST_PARTS + 2))
def test_a_fix_has_at_most_so_many_parts(tmp_path: Path, parts: int) -> None:
    world = World(tmp_path)
    found = world.of(parts=parts)
    assert len(found) == (1 if parts < MOST_PARTS else 0)
    assert all(whole.parts == parts + 1 <= MOST_PARTS for whole in found)


def test_where_the_next_part_cannot_be_derived_there_is_none(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.deriver.offers = [CannotFix("rules", "nothing is known")]
    assert world.of() == []
    assert len(world.deriver.seen) == 1


def test_only_the_most_certain_of_many_ways_to_go_on_are_offered(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.deriver.offers = [replace(world.second, confidence=c) for c in (0.3, 0.7, 0.5, 0.6)]
    assert [whole.confidence for whole in world.of()] == [
        pytest.approx(c * LESS_SURE, abs=0.001) for c in (0.7, 0.6)[:OFFERED]
    ]


def test_copies_of_the_fault_are_offered_before_what_crashes_next(tmp_path: Path) -> None:
    world = World(tmp_path)
    text = BEFORE.replace("x.aeg", "x.nmae")
    for root in (world.project.root, world.copy.root):
        (root / "app.py").write_text(text)
    world.project = Project(world.project.root)
    found = world.of(edits=(edit("app.py", text, text.replace("x.nmae", "x.name", 1)),))
    assert found[0].edits[0].text == text.replace("x.nmae", "x.name")
    assert len(found) == 2


def failing(world: World, *crashes: CrashReport, failed_at: tuple[tuple[str, str], ...] = (("t::a", "app.py"),)) -> None:  # fmt: skip
    assert isinstance(world.copy, Examined)
    world.copy.crashes = tuple((f"t::{n}", report) for n, report in enumerate(crashes))
    world.baseline.tests = TestRun(ran=True, failed=frozenset(n for n, _ in failed_at), failed_at=failed_at)


def test_what_a_test_still_fails_with_in_what_was_changed_is_mended_too(tmp_path: Path) -> None:
    world = World(tmp_path, Examined)
    failing(world, world.next, failed_at=(("t::b", "app.py"), ("t::a", "app.py"), ("t::c", "other.py")))
    (whole,) = world.of(left(world.first, names=("t::a", "t::b", "t::c")))
    assert whole.edits[0].text == WHOLE
    assert world.copy.asked == [("tests", ("t::a", "t::b"), HALF)]


def test_tests_that_the_first_part_cured_are_not_examined(tmp_path: Path) -> None:
    world = World(tmp_path, Examined)
    failing(world, world.next, failed_at=(("t::a", "app.py"), ("t::b", "app.py")))
    assert len(world.of(left(world.first, names=("t::b",)))) == 1
    assert world.copy.asked == [("tests", ("t::b",), HALF)]


def test_no_test_is_run_when_none_that_is_left_failed_in_what_was_changed(tmp_path: Path) -> None:
    world = World(tmp_path, Examined)
    failing(world, world.next, failed_at=(("t::a", "other.py"),))
    assert world.of(left(world.first)) == []
    assert world.copy.asked == []


def test_at_most_eight_tests_are_examined(tmp_path: Path) -> None:
    world = World(tmp_path, Examined)
    failing(world, world.next, failed_at=tuple((f"t::{n:02}", "app.py") for n in range(30)))
    names = tuple(f"t::{n:02}" for n in range(20))
    assert len(world.of(left(world.first, names=names))) == 1
    assert world.copy.asked == [("tests", names[:8], HALF)]


def test_a_test_that_fails_elsewhere_says_nothing_about_the_fix(tmp_path: Path) -> None:
    world = World(tmp_path, Examined)
    failing(world, crash(world.project.root, "<module>", 1, "zz", "z = 1", "other.py"))
    assert world.of(left(world.first)) == []
    assert world.deriver.seen == []


def test_a_workspace_that_cannot_tell_exceptions_of_tests_has_no_sequel(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.baseline.tests = TestRun(ran=True, failed_at=(("t::a", "app.py"),))
    assert world.of(left(world.first)) == []


def test_a_failing_test_run_was_never_made_so_that_nothing_is_gone_on_from(tmp_path: Path) -> None:
    world = World(tmp_path, Examined)
    assert world.of(left(world.first)) == []
    assert world.copy.asked == []


def test_the_copy_is_brought_back_when_deriving_breaks_off(tmp_path: Path) -> None:
    world = World(tmp_path)

    class Broken(Deriver):
        def propose(self, context: RepairContext) -> Iterator[Candidate | CannotFix]:
            raise RuntimeError("no")

    world.deriver = Broken([])
    with pytest.raises(RuntimeError, match="no"):
        world.of()
    assert (world.copy.root / "app.py").read_text() == BEFORE
    assert (world.project.root / "app.py").read_text() == BEFORE


def test_a_whole_is_bound_to_the_live_files_and_has_the_edits_of_both(tmp_path: Path) -> None:
    first = a_candidate(edits=(edit("app.py", BEFORE, HALF), edit("new.py", None, "x = 1\n")))
    second = a_candidate(
        edits=(
            replace(edit("app.py", HALF, WHOLE), encoding="utf-8-sig"),
            edit("other.py", "z = 1\n", "z = 2\n"),
            edit("new.py", "x = 1\n", "x = 2\n"),
        )
    )
    whole = joined(first, second)
    found = {e.path: (e.before_sha256, e.text) for e in whole.edits}
    assert len(whole.edits) == len(found)
    assert found == {
        "app.py": (sha256_hex(BEFORE.encode()), WHOLE),
        "new.py": (None, "x = 2\n"),
        "other.py": (sha256_hex(b"z = 1\n"), "z = 2\n"),
    }
    assert next(e for e in whole.edits if e.path == "app.py").encoding == "utf-8-sig"


@pytest.mark.parametrize("order", [1, -1])
def test_a_whole_is_as_doubtful_as_the_more_doubtful_part(order: int) -> None:
    sure = a_candidate(confidence=0.9)
    unsure = a_candidate(confidence=0.4, guess=True, doubt="one test only")
    whole = joined(*[sure, unsure][::order])
    assert (whole.guess, whole.doubt) == (True, "one test only")
    assert whole.confidence == pytest.approx(0.4 * LESS_SURE)
    assert not joined(sure, sure).guess
    assert joined(sure, sure).doubt == ""


def test_a_whole_names_what_both_parts_mean_to_change_once(tmp_path: Path) -> None:
    one, two = Location("app.py", "first", 1), Location("app.py", "second", 6)
    first = a_candidate(targets=(one,), notes=("n",), adds_imports=("os",), reason="this")
    second = a_candidate(targets=(two, one), notes=("n", "m"), adds_imports=("re", "os"), reason="that")
    whole = joined(first, second)
    assert whole.targets == (one, two)
    assert whole.notes == ("n", "m")
    assert whole.adds_imports == ("os", "re")
    assert whole.reason == f"this{JOIN}that"
    assert (whole.parts, joined(whole, second).parts) == (2, 3)
    assert (whole.proposer, whole.rule) == (first.proposer, first.rule)
