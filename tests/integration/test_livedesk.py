"""The desk behind the console against the real pipeline: what is seen, what is decided, and how it ends."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psutil
import pytest
from desk_world import a_desk, a_project, crash, environment
from serving import PROGRAM, start_service, wait_until

from selfheal_tui.model.evidence import RUNGS
from selfheal_tui.operations.desk import (
    Answered,
    BackupsReady,
    BoardChanged,
    DetailReady,
    EditedFile,
    HistoryReady,
    InsightsReady,
    PolicyReady,
    PreviewReady,
    ProofMoved,
    Working,
)
from selfheal_tui.store import Store


def test_a_fix_is_seen_being_proved_then_read_approved_applied_and_taken_back(tmp_path: Path) -> None:
    root = a_project(tmp_path / "p")
    with a_desk(root) as (desk, heard):
        heard.wait(lambda: heard.board.engine.standing.word == "running", "the engine")
        crash(root)
        request = heard.wait(lambda: heard.board.requests, "a question")[0]
        _proof_was_seen_growing(heard.of(ProofMoved))

        desk.look_at(request.incident_id)
        detail = heard.wait(lambda: heard.of(DetailReady), "the detail")[-1].detail
        assert detail.candidate is not None
        (change,) = detail.candidate.changes
        assert (change.path, change.before) == ("app.py", PROGRAM)
        assert (detail.candidate.added, detail.candidate.removed) == (1, 1)
        assert (root / "app.py").read_text() == PROGRAM

        desk.approve(request.request_id, code="nope")
        assert not heard.answer(request.request_id).ok
        assert (root / "app.py").read_text() == PROGRAM
        heard.events.clear()
        desk.approve(request.request_id, code=request.code, reason="looks right")
        assert heard.answer(request.request_id).ok
        assert (root / "app.py").read_text() == change.after
        assert [work.ended for work in heard.of(Working)] == [False, True]
        heard.wait(lambda: heard.board.rows[0].standing.word == "on probation", "probation")

        desk.roll_back(request.incident_id)
        assert not heard.answer(request.incident_id).ok, "nothing was shown yet"
        heard.events.clear()
        desk.ask_preview(request.incident_id)
        preview = heard.wait(lambda: heard.of(PreviewReady), "the preview")[-1].preview
        assert preview is not None
        assert [(one.before, one.after) for one in preview.changes] == [(change.after, PROGRAM)]
        desk.roll_back(request.incident_id, reason="on second thoughts")
        assert heard.answer(request.incident_id).ok
        assert (root / "app.py").read_text() == PROGRAM
        heard.wait(lambda: heard.board.rows[0].standing.word == "rolled back", "the row")

        _questions_are_answered(desk, heard)


def _proof_was_seen_growing(moves: list[ProofMoved]) -> None:
    shown = [[rung.standing.word for rung in move.rungs] for move in moves]
    assert shown[0] == ["running"] + ["waiting"] * (len(RUNGS) - 1)
    assert [[rung.name for rung in move.rungs] for move in moves] == [list(RUNGS)] * len(moves)
    ended = [sum(word not in ("running", "waiting") for word in words) for words in shown]
    assert ended == sorted(ended)
    assert [move.ended for move in moves] == [False] * (len(moves) - 1) + [True]
    assert "running" not in shown[-1]
    assert "waiting" not in shown[-1]
    assert moves[0].label == "candidate 1 · rules/misspelt-name"


def _questions_are_answered(desk: object, heard: object) -> None:
    desk.ask_history()
    history = heard.wait(
        lambda: [e for e in heard.of(HistoryReady) if e.history.audit_ok is not None], "the history"
    )[-1].history
    assert history.audit_ok
    assert history.rows[0].standing.word == "rolled back"
    desk.ask_backups()
    (file,) = heard.wait(lambda: heard.of(BackupsReady), "the backups")[-1].files
    assert [version.what.partition(" of")[0] for version in file.versions] == [
        "before a rollback",
        "before the fix",
    ]
    assert [version.standing.word for version in file.versions] == ["can be restored", "is what is there now"]
    desk.ask_insights()
    insights = heard.wait(lambda: heard.of(InsightsReady), "the insights")[-1].insights
    assert insights.totals["incidents"] == "1"
    desk.ask_policy()
    policy = heard.wait(lambda: heard.of(PolicyReady), "the policy")[0].policy
    assert (policy.environment, policy.environment_source) == ("production", "default")
    assert ("production", "production always asks", True) in policy.rules


def test_two_desks_agree_and_only_one_serves(tmp_path: Path) -> None:
    root = a_project(tmp_path / "p")
    with a_desk(root) as (_, first):
        first.wait(lambda: first.board.engine.standing.word == "running", "the engine")
        with a_desk(root) as (second_desk, second):
            second.wait(lambda: second.board.engine.standing.word == "running elsewhere", "who serves")
            assert str(os.getpid()) in second.board.engine.detail
            crash(root)
            request = second.wait(lambda: second.board.requests, "the question, seen by the other one")[0]
            second_desk.reject(request.request_id, reason="not like this")
            assert second.answer(request.request_id).ok
            for heard in (first, second):
                heard.wait(
                    lambda heard=heard: (
                        heard.board.rows[0].standing.word == "rejected" and not heard.board.rows[0].open
                    ),
                    "the same row, closed",
                )
            assert first.board.rows == second.board.rows
            assert not first.board.requests


def test_a_read_only_desk_sees_everything_and_decides_nothing(tmp_path: Path) -> None:
    root = a_project(tmp_path / "p")
    with a_desk(root) as (_, serving):
        crash(root)
        request = serving.wait(lambda: serving.board.requests, "a question")[0]
        with a_desk(root, read_only=True) as (desk, heard):
            assert heard.wait(lambda: heard.board.requests, "the question")[0] == request
            assert heard.board.read_only
            decisions = {
                request.request_id: [
                    lambda: desk.approve(request.request_id, code=request.code),
                    lambda: desk.reject(request.request_id),
                    lambda: desk.next_candidate(request.request_id),
                    lambda: desk.revise(request.request_id, (), what="nothing"),
                ],
                request.incident_id: [
                    lambda: desk.cancel(request.incident_id),
                    lambda: desk.retry(request.incident_id),
                    lambda: desk.roll_back(request.incident_id),
                ],
                "pause": [desk.pause],
                "resume": [desk.resume],
                "program": [lambda: desk.stop_program("program"), lambda: desk.restart_program("program")],
            }
            for about, acts in decisions.items():
                for act in acts:
                    heard.events[:] = [e for e in heard.events if not isinstance(e, Answered)]
                    act()
                    answer = heard.answer(about)
                    assert not answer.ok
                    assert "read-only" in answer.text
        assert (root / "app.py").read_text() == PROGRAM
        with Store.open(root) as store:
            assert [r.request_id for r in store.approvals.open_requests()] == [request.request_id]
            assert store.pause.status() is None


def test_the_seat_is_taken_when_the_other_engine_is_killed(tmp_path: Path) -> None:
    root = a_project(tmp_path / "p")
    other = start_service(root)
    try:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == b"ServiceStarted"
        with a_desk(root) as (_, heard):
            heard.wait(lambda: heard.board.engine.standing.word == "running elsewhere", "who serves")
            assert str(other.pid) in heard.board.engine.detail
            other.kill()
            heard.wait(lambda: heard.board.engine.standing.word == "running", "the seat")
    finally:
        other.kill()
        other.wait()
        assert other.stdout is not None
        other.stdout.close()


def test_stopping_kills_the_workers_and_waits_for_nobody(tmp_path: Path) -> None:
    root = a_project(tmp_path / "p")
    (root / "test_slow.py").write_text("import time\n\ndef test_slow():\n    time.sleep(300)\n")
    before = set(psutil.Process().children(recursive=True))
    with a_desk(root) as (desk, heard):
        crash(root)
        heard.wait(lambda: any("tests" in row.note for row in heard.board.rows), "a test run")
        assert set(psutil.Process().children(recursive=True)) - before
        began = time.monotonic()
        desk.stop()
        assert time.monotonic() - began < 5  # two seconds, and a loaded machine
    wait_until(lambda: not _alive(set(psutil.Process().children(recursive=True)) - before))


def _alive(processes: set[psutil.Process]) -> list[psutil.Process]:
    return [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def test_work_on_an_incident_can_be_ended_and_begun_anew(tmp_path: Path) -> None:
    root = a_project(tmp_path / "p")
    slow = root / "test_slow.py"
    slow.write_text("import time\n\ndef test_slow():\n    time.sleep(300)\n")
    with a_desk(root) as (desk, heard):
        crash(root)
        heard.wait(lambda: any("tests" in row.note for row in heard.board.rows), "a test run")
        incident_id = heard.board.rows[0].incident_id
        assert heard.board.engine.working == (incident_id,)
        desk.cancel(incident_id)
        assert heard.answer(incident_id).ok
        heard.wait(lambda: heard.board.rows[0].standing.word == "rejected", "the end")
        heard.wait(lambda: heard.of(ProofMoved)[-1].ended, "the end of the proof")
        slow.unlink()
        heard.events[:] = [e for e in heard.events if not isinstance(e, Answered)]
        desk.retry(incident_id)
        assert heard.answer(incident_id).ok
        heard.wait(lambda: heard.board.requests, "the question")


def test_the_proof_of_an_edit_is_seen_and_can_be_cancelled(tmp_path: Path) -> None:
    root = a_project(tmp_path / "p")
    before = set(psutil.Process().children(recursive=True))
    with a_desk(root) as (desk, heard):
        crash(root)
        request = heard.wait(lambda: heard.board.requests, "a question")[0]
        mine = PROGRAM.replace("itms", "list(items)")
        (root / "test_slow.py").write_text("import time\n\ndef test_slow():\n    time.sleep(300)\n")
        heard.events[:] = [heard.events[-1]]
        desk.revise(request.request_id, [EditedFile("app.py", mine)], what="edited by hand")
        move = heard.wait(
            lambda: [e for e in heard.of(ProofMoved) if e.rungs[-1].standing.word == "running"], "the proof"
        )[-1]
        assert move.label == "your version · edited by hand"
        desk.revise(request.request_id, [EditedFile("app.py", mine)], what="again")
        assert "not now" in heard.answer(request.request_id).text
        heard.events[:] = [e for e in heard.events if not isinstance(e, Answered)]
        (work,) = heard.of(Working)
        assert f"#{request.incident_id}" in work.text
        desk.cancel_errand(work.errand)
        assert not heard.answer(request.request_id).ok
        assert heard.of(Working)[-1].ended
        heard.wait(lambda: heard.of(ProofMoved)[-1].ended, "the end of the proof")
        heard.wait(lambda: heard.board.rows[0].needs_person, "the question, still open")
        assert heard.board.requests == (request,)
    assert (root / "app.py").read_text() == PROGRAM
    wait_until(lambda: not _alive(set(psutil.Process().children(recursive=True)) - before))


def test_the_kill_switch_is_seen_by_every_desk(tmp_path: Path) -> None:
    root = a_project(tmp_path / "p")
    with a_desk(root, serve=False) as (desk, heard), a_desk(root, read_only=True) as (_, other):
        heard.wait(lambda: heard.board.engine.standing.word == "not running", "the engine")
        desk.pause(reason="a deployment")
        assert heard.answer("pause").ok
        for one in (heard, other):
            one.wait(lambda one=one: one.board.engine.standing.word == "paused", "the pause")
            assert "kim" in one.board.engine.detail
            assert "a deployment" in one.board.engine.detail
        desk.resume()
        assert heard.answer("resume").ok
        other.wait(lambda: other.board.engine.standing.word == "not running", "the end of the pause")


def test_a_question_is_answered_in_the_environment_in_which_it_was_asked(tmp_path: Path) -> None:
    root = a_project(tmp_path / "p")
    with a_desk(root, flags={"environment": "staging"}) as (_, heard):
        crash(root)
        request = heard.wait(lambda: heard.board.requests, "a question")[0]
    with a_desk(root, serve=False) as (desk, heard):
        heard.wait(lambda: heard.board.requests, "the question")
        assert heard.board.environment == "production"
        desk.approve(request.request_id, code=request.code)
        assert heard.answer(request.request_id).ok
    assert (root / "app.py").read_text() != PROGRAM


def test_what_cannot_be_opened_is_told_on_the_board(tmp_path: Path) -> None:
    root = a_project(tmp_path / "p")
    (root / "selfheal.toml").write_text("nonsense = 1\n")
    with a_desk(root) as (_, heard):
        heard.wait(lambda: not heard.board.loading, "the failure")
        assert heard.board.engine.standing.word == "failed"
        assert "nonsense" in heard.board.problems[-1]


def test_a_history_is_exported_and_never_over_somebody_elses_file(tmp_path: Path) -> None:
    root = a_project(tmp_path / "p")
    with a_desk(root, serve=False) as (desk, heard):
        heard.wait(lambda: not heard.board.loading, "the store")
        for form in ("json", "csv", "md"):
            for _ in range(2):  # ours may be written anew
                heard.events[:] = [e for e in heard.events if not isinstance(e, Answered)]
                desk.export("history", form, f"out.{form}")
                assert heard.answer(f"out.{form}").ok
        desk.export("history", "csv", "app.py")
        assert not heard.answer("app.py").ok
        desk.export("insights", "svg", "plots.svg", text="<svg width='1'></svg>")
        assert heard.answer("plots.svg").ok
        desk.export("history", "csv", "../out.csv")
        assert not heard.answer("../out.csv").ok
    assert (root / "app.py").read_text() == PROGRAM
    assert not (root.parent / "out.csv").exists()
    assert [file.name for file in root.glob(".out*")] == []


def test_a_face_that_fails_ends_nothing(tmp_path: Path) -> None:
    root = a_project(tmp_path / "p")
    boards = []

    def fails(event: object) -> None:
        if isinstance(event, BoardChanged):
            boards.append(event.board)
        raise RuntimeError("no screen")

    from selfheal_tui.operations.livedesk import LiveDesk

    desk = LiveDesk(root, environ=environment(), serve=False)
    desk.start(fails)
    try:
        wait_until(lambda: boards and not boards[-1].loading)
    finally:
        desk.stop()


def test_a_read_only_desk_runs_no_programs(tmp_path: Path) -> None:
    from selfheal_tui.operations.livedesk import LiveDesk
    from selfheal_tui.supervisor.programs import ProgramSpec

    with pytest.raises(ValueError, match="read-only"):
        LiveDesk(tmp_path, read_only=True, specs=[ProgramSpec("app", ("true",))])


def test_a_desk_that_is_killed_leaves_no_worker(tmp_path: Path) -> None:
    import subprocess
    import sys

    root = a_project(tmp_path / "p")
    (root / "test_slow.py").write_text("import time\n\ndef test_slow():\n    time.sleep(300)\n")
    code = (
        "import sys, threading\nfrom pathlib import Path\n"
        "from selfheal_tui.operations.livedesk import LiveDesk\n"
        "def told(event):\n"
        "    board = getattr(event, 'board', None)\n"
        "    if board and any('tests' in row.note for row in board.rows): print('proving', flush=True)\n"
        "LiveDesk(Path(sys.argv[1])).start(told)\nthreading.Event().wait()\n"
    )
    crash(root)
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(root)], stdout=subprocess.PIPE, env=environment()
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == b"proving"
        family = psutil.Process(process.pid).children(recursive=True)
        assert family
        process.send_signal(signal.SIGKILL)
        process.wait()
        wait_until(lambda: not _alive(set(family)))
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
