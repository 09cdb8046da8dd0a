"""A made-up incident, project and workspace for the tests of the rungs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from selfheal_tui.checks.base import Baseline, CheckContext
from selfheal_tui.model.candidate import Candidate, FileEdit, sha256_hex
from selfheal_tui.model.crash import CrashReport, ExceptionInfo, Frame, LocalValue
from selfheal_tui.model.diagnosis import Diagnosis, Location
from selfheal_tui.model.kinds import CaptureSource, Isolation, IssueType, Nature, Severity
from selfheal_tui.model.ports import ImportProbe, ReplayPlan, ReplayResult, SyntaxProblem, TestRun
from selfheal_tui.model.settings import Settings
from selfheal_tui.source.fingerprint import fingerprint
from selfheal_tui.source.project import Project

BEFORE = "import os\n\n\ndef f(x):\n    return x.nmae\n\n\ndef g(x):\n    return f(x)\n"
AFTER = BEFORE.replace("nmae", "name")


def crash(
    type_: str = "AttributeError",
    message: str = "'X' object has no attribute 'nmae'",
    *,
    qualname: str = "f",
    line: int = 5,
    source: str = "return x.nmae",
    path: str = "app.py",
    root: str = "",
) -> CrashReport:
    frames = (
        Frame(file=f"{root}/app.py", qualname="g", line=9, source="return f(x)", path="app.py", in_app=True),
        Frame(
            file=f"{root}/{path}",
            qualname=qualname,
            line=line,
            source=source,
            path=path,
            in_app=True,
            locals=(LocalValue("x", "X", "<X>"),),
        ),
    )
    return CrashReport("0" * 32, 0.0, CaptureSource.PROBE, (ExceptionInfo(type_, message, frames),))


@dataclass
class FakeProject(Project):
    """A real project whose reports are taken as localised already."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)

    def localise(self, report: CrashReport) -> CrashReport:
        return report


@dataclass
class FakeWorkspace:
    """Remembers what was written, and answers from scripts keyed by whether the fix is in place."""

    originals: dict[str, bytes | None]
    replays: Callable[[ReplayPlan, bool, int], ReplayResult] | None = None
    tests: Callable[[bool, tuple[str, ...], int], TestRun] | None = None
    imports: Callable[[str, bool], ImportProbe] | None = None
    problems: list[SyntaxProblem] = field(default_factory=list)
    files: dict[str, bytes | None] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    root: Path = Path("/nowhere")
    isolation: Isolation = Isolation.BUBBLEWRAP
    weakness: str = ""

    def __post_init__(self) -> None:
        self.files = dict(self.originals)

    @property
    def fixed(self) -> bool:
        return self.files != self.originals

    def write(self, files: Mapping[str, bytes | None]) -> None:
        self.files.update(files)

    def compile(self, paths: Sequence[str]) -> list[SyntaxProblem]:
        self.log.append(f"compile {' '.join(paths)} {self.fixed}")
        return self.problems

    def resolve_imports(self, statements: Sequence[str], *, path: str) -> list[ImportProbe]:
        self.log += [f"import {s}" for s in statements]
        answer = self.imports or (lambda s, fixed: ImportProbe(s, True))
        return [answer(s, self.fixed) for s in statements]

    def replay(self, plan: ReplayPlan, *, seconds: float) -> ReplayResult:
        count = sum(1 for entry in self.log if entry == f"replay {plan.kind} {self.fixed}")
        self.log.append(f"replay {plan.kind} {self.fixed}")
        assert self.replays is not None
        return self.replays(plan, self.fixed, count)

    def run_tests(self, *, seconds: float, only: Sequence[str] = (), each_seconds: float = 0.0) -> TestRun:
        count = sum(1 for entry in self.log if entry == f"tests {self.fixed}")
        self.log.append(f"tests {self.fixed}")
        assert self.tests is not None
        return self.tests(self.fixed, tuple(only), count)


def edit_of(path: str, before: str | None, after: str) -> FileEdit:
    return FileEdit(path, sha256_hex(before.encode()) if before is not None else None, after)


def candidate_of(*edits: FileEdit, targets: tuple[tuple[str, str], ...] = (("app.py", "f"),)) -> Candidate:
    return Candidate(
        "rules", "rename", "because", 0.9, edits, tuple(Location(path, name, 1) for path, name in targets)
    )


def make_context(
    root: Path,
    *,
    candidate: Candidate | None = None,
    before: dict[str, bytes | None] | None = None,
    plans: tuple[ReplayPlan, ...] = (),
    report: CrashReport | None = None,
    identifier: str = "nmae",
    settings: Settings | None = None,
) -> tuple[CheckContext, FakeWorkspace]:
    if before is None:
        before = {"app.py": BEFORE.encode()}
    for path, data in before.items():
        if data is not None:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(data)
    report = report or crash()
    workspace = FakeWorkspace(originals=dict(before))
    diagnosis = Diagnosis(
        "attribute",
        IssueType.RELIABILITY,
        Severity.HIGH,
        Nature.CODE,
        "r",
        "c",
        suspect=Location("app.py", "f", 5),
        failing_expression="x.nmae",
        identifier=identifier,
    )
    context = CheckContext(
        project=FakeProject(root),
        report=report,
        fingerprint=fingerprint(report),
        fingerprint_of=fingerprint,
        diagnosis=diagnosis,
        candidate=candidate or candidate_of(edit_of("app.py", BEFORE, AFTER)),
        before=before,
        settings=settings or Settings(),
        plans=plans,
        baseline=Baseline(),
        workspace=workspace,
    )
    return context, workspace


def with_candidate(context: CheckContext, candidate: Candidate) -> CheckContext:
    return replace(context, candidate=candidate)
