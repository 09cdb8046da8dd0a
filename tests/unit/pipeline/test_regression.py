"""Regression tests: what is drafted, what counts as telling two versions apart, and what may be written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from making import AFTER, BEFORE, a_candidate, a_project, a_proof, a_report

from selfheal_tui.model.candidate import Candidate, FileEdit
from selfheal_tui.model.crash import CrashReport, ProcessFacts, ReplayCall
from selfheal_tui.model.incident import Attempt, Fingerprint, Incident
from selfheal_tui.model.kinds import CaptureSource, Environment, RiskLevel
from selfheal_tui.model.ports import CallText, ReplayPlan, ReplayResult, ReplayStatus
from selfheal_tui.model.regression import Draft, Regression
from selfheal_tui.model.settings import Settings
from selfheal_tui.pipeline.apply import ApplyError, DriftError, add_test
from selfheal_tui.pipeline.drafts import draft, file_text, folder_of_tests
from selfheal_tui.pipeline.govern import Governance, RefusedError
from selfheal_tui.pipeline.policy import ADD_TEST, LIGHTS, SELF_MODIFY
from selfheal_tui.pipeline.regression import RUNS, validate_test, write_test
from selfheal_tui.probe.redaction import MASK
from selfheal_tui.probe.replay import MASKED
from selfheal_tui.source.project import Project
from selfheal_tui.store import Store

Colour = Callable[[dict[str, bytes | None], int], int]
CALL = Draft("call", "app.total()", ("total([1])",), ("from app import total",))


class FakeWorkspace:
    """Runs nothing: `colour` says by the files in place, and how often it was asked, how a run ends."""

    def __init__(
        self, root: Path, colour: Colour, output: str = "NameError: name 'itms' is not defined"
    ) -> None:
        self.root = root
        self.runs = 0
        self.files: dict[str, bytes | None] = {}
        self._colour = colour
        self._output = output
        self.text = CallText(args=("[1]",))

    def write(self, files: dict[str, bytes | None]) -> None:
        self.files.update(files)

    def replay(self, plan: ReplayPlan, *, seconds: float) -> ReplayResult:
        self.runs += 1
        code = self._colour(self.files, self.runs)
        return ReplayResult(ReplayStatus.FINISHED, exit_code=code, output=self._output if code else "OK")

    def literals(self, plan: ReplayPlan) -> CallText:
        return self.text


def an_incident(root: Path, *drafts: Draft) -> tuple[Incident, Attempt]:
    candidate = a_candidate()
    attempt = Attempt(candidate, a_proof(candidate))
    incident = Incident(
        "ab12",
        Fingerprint("ab12" * 4, 1),
        a_report(root),
        Environment.LOCAL,
        1.0,
        1.0,
        attempts=(attempt,),
        chosen=0,
        regression=Regression(drafts=drafts or (CALL,)),
    )
    return incident, attempt


def judged(tmp_path: Path, colour: Colour, output: str = "NameError: x") -> tuple[Regression, FakeWorkspace]:
    project = a_project(tmp_path)
    incident, attempt = an_incident(tmp_path)
    workspace = FakeWorkspace(tmp_path, colour, output)
    before: dict[str, bytes | None] = {"app.py": BEFORE.encode()}
    return validate_test(workspace, project, incident, attempt, before, "python3"), workspace  # type: ignore[arg-type]


def honest(files: dict[str, bytes | None], _run: int) -> int:
    return int(files["app.py"] == BEFORE.encode())


def test_red_before_and_green_after_each_time_is_offered(tmp_path: Path) -> None:
    known, workspace = judged(tmp_path, honest)
    assert known.path == "tests/test_selfheal_ab12.py"
    assert "total([1])" in known.text
    assert workspace.runs == 2 * RUNS
    assert workspace.files == {"app.py": BEFORE.encode(), known.path: None}, "the copy is as it was found"


@pytest.mark.parametrize(
    ("colour", "output"),
    [
        (lambda files, run: 0, "NameError: x"),
        (lambda files, run: 1, "NameError: x"),
        (lambda files, run: honest(files, run) or int(run % 3 == 2), "NameError: x"),
        (lambda files, run: honest(files, run) and int(run % 6 != 5), "NameError: x"),
        (lambda files, run: 5 if honest(files, run) else 0, "NameError: x"),
        (honest, "ModuleNotFoundError: no such module"),
    ],
    ids=[
        "green before",
        "red after",
        "flaky after",
        "flaky before",
        "no tests ran",
        "red for another reason",
    ],
)
def test_a_test_that_does_not_tell_them_apart_is_never_offered(
    tmp_path: Path, colour: Colour, output: str
) -> None:
    known, _ = judged(tmp_path, colour, output)
    assert (known.text, known.path, known.patch_sha256) == ("", "", "")
    assert known.problem


def captured(root: Path, **changes: object) -> CrashReport:
    call = ReplayCall("app", str(root / "app.py"), "total", payload="r1.args.0.pickle")
    facts = ProcessFacts(argv=("/usr/bin/python3", str(root / "main.py"), "x"), cwd=str(root), seconds=0.1)
    return replace(a_report(root), **({"replay": (call,), "process": facts} | changes))  # type: ignore[arg-type]


def drafted(tmp_path: Path, report: CrashReport, text: CallText | None = None) -> Regression:
    project = a_project(tmp_path)
    with Store.open(tmp_path) as store:
        (store.inbox.directory / "r1.args.0.pickle").write_bytes(b"opened in the sandbox only")
        workspace = FakeWorkspace(tmp_path, honest)
        workspace.text = text or workspace.text
        return draft(store, project, report, workspace)  # type: ignore[arg-type]


def test_a_call_comes_before_the_command(tmp_path: Path) -> None:
    known = drafted(tmp_path, captured(tmp_path))
    assert [one.kind for one in known.drafts] == ["call", "command"]
    assert known.drafts[0].body == ("total([1])",)
    assert "str(root / 'main.py'), 'x'" in known.drafts[1].body[0]


def test_a_coroutine_function_is_run_in_a_loop(tmp_path: Path) -> None:
    report = captured(tmp_path)
    report = replace(report, replay=(replace(report.replay[0], is_async=True),))
    assert drafted(tmp_path, report).drafts[0].body == ("asyncio.run(total([1]))",)


def test_nothing_is_drafted_of_a_secret(tmp_path: Path) -> None:
    report = captured(tmp_path)
    masked = replace(report, replay=(replace(report.replay[0], problem=MASKED),))
    in_words = replace(report, process=replace(report.process, argv=("python3", "main.py", f"--key={MASK}")))
    for one in (masked, in_words):
        known = drafted(tmp_path, one)
        assert known.drafts == ()
        assert "secret" in known.problem
    shown = CallText(args=("'postgres://me:hunter2hunter2@db/x'",))
    assert drafted(tmp_path, report, shown).drafts == ()


def test_nothing_is_drafted_of_what_was_only_foreseen(tmp_path: Path) -> None:
    assert drafted(tmp_path, captured(tmp_path, source=CaptureSource.SCAN)).drafts == ()


def test_the_project_s_own_test_folder_is_used(tmp_path: Path) -> None:
    assert folder_of_tests(a_project(tmp_path / "a")) == "tests"
    files = {"app.py": BEFORE, "app/checks/test_a.py": "", "app/checks/test_b.py": ""}
    assert folder_of_tests(a_project(tmp_path / "b", files)) == "app/checks"


@pytest.mark.parametrize("style", ["pytest", "unittest"])
@pytest.mark.parametrize("entry", [None, "", "src"])
def test_every_shape_of_file_compiles(tmp_path: Path, style: str, entry: str | None) -> None:
    incident, _ = an_incident(tmp_path)
    hostile = replace(incident.report.chain[0], message='""" \\ \n\x1b[31m „x” """')
    incident = replace(incident, report=incident.report.with_chain((hostile,)))
    text = file_text(incident, CALL, style=style, folder="tests/unit", path_entry=entry)
    compile(text, "t.py", "exec")
    assert text.isascii()
    assert ("unittest" in text) is (style == "unittest")


def ordered(store: Store, project: Project, candidate: Candidate, action: str = ADD_TEST) -> str:
    governance = Governance(project, Settings(), store)
    request = governance.ordered("ab12", candidate, action=action, by="kim", reason="r")
    return add_test(
        store,
        project,
        candidate,
        request_id=request.request_id,
        policy=governance.policy_version,
        incident_id="ab12",
    )


def a_test(path: str = "tests/test_selfheal_ab12.py", before: str | None = None) -> Candidate:
    return a_candidate(proposer="operator", edits=(FileEdit(path, before, "def test_x(): pass\n"),))


def files_of(root: Path) -> dict[str, bytes]:
    return {
        p.relative_to(root).as_posix(): p.read_bytes()
        for p in root.rglob("*")
        if p.is_file() and not p.relative_to(root).parts[0].startswith(".self")
    }


def test_a_new_test_is_written_on_record(tmp_path: Path) -> None:
    project = a_project(tmp_path)
    incident, _ = an_incident(tmp_path)
    known = Regression((CALL,), "", "sha", "tests/test_selfheal_ab12.py", "def test_x(): pass\n", "seen")
    with Store.open(tmp_path) as store:
        governance = Governance(project, Settings(), store)
        write_test(store, project, governance, replace(incident, regression=known), by="kim")
        assert (tmp_path / known.path).read_text() == known.text
        (record,) = store.audit.records(kinds={"test.added"})
        assert record.actor == "operator:kim"
        assert not store.audit.records(kinds={"change.applied"}), (
            "it is no healing, and counts against no limit"
        )


@pytest.mark.parametrize(
    "path",
    [
        "tests/test_other.py",
        "app.py",
        ".selfheal/test_selfheal_ab12.py",
        "venv/test_selfheal_ab12.py",
        "venv/tests/test_selfheal_ab12.py",
        "test_selfheal_ab12.sh",
    ],
)
def test_no_other_file_can_be_written_that_way(tmp_path: Path, path: str) -> None:
    project = a_project(tmp_path)
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "pyvenv.cfg").write_text("")
    with Store.open(tmp_path) as store:
        before = files_of(tmp_path)
        with pytest.raises(ApplyError):
            ordered(store, project, a_test(path))
        assert files_of(tmp_path) == before


def test_an_existing_test_is_never_changed(tmp_path: Path) -> None:
    project = a_project(tmp_path, {"app.py": AFTER, "tests/test_selfheal_ab12.py": "mine\n"})
    with Store.open(tmp_path) as store, pytest.raises(ApplyError, match="never changed"):
        ordered(store, project, a_test())
    assert (tmp_path / "tests/test_selfheal_ab12.py").read_text() == "mine\n"


def test_an_order_is_worth_for_its_bytes_alone(tmp_path: Path) -> None:
    project = a_project(tmp_path)
    with Store.open(tmp_path) as store:
        governance = Governance(project, Settings(), store)
        request = governance.ordered("ab12", a_test(), action=ADD_TEST, by="kim", reason="r")
        other = a_candidate(edits=(FileEdit("tests/test_selfheal_ab12.py", None, "import os\n"),))
        with pytest.raises(DriftError):
            add_test(
                store,
                project,
                other,
                request_id=request.request_id,
                policy=governance.policy_version,
                incident_id="ab12",
            )
    assert not (tmp_path / "tests").exists()


def test_red_and_unknown_actions_cannot_be_ordered(tmp_path: Path) -> None:
    project = a_project(tmp_path)
    assert LIGHTS[ADD_TEST] is RiskLevel.YELLOW
    with Store.open(tmp_path) as store:
        for action in (SELF_MODIFY, "delete_everything"):
            with pytest.raises(RefusedError):
                ordered(store, project, a_test(), action)
        store.pause.pause("kim", "audit")
        with pytest.raises(RefusedError, match="paused"):
            ordered(store, project, a_test())
    assert not (tmp_path / "tests").exists()
