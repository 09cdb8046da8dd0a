"""An operator's own version: wholly proved, asked anew, and until then nothing is changed, whatever happens."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from operator_world import BEFORE, FIXED, MINE, World

from selfheal_tui.model.approval import RequestState
from selfheal_tui.model.incident import IncidentState
from selfheal_tui.model.kinds import Outcome
from selfheal_tui.operations import decisions
from selfheal_tui.operations.answers import Answer, Came
from selfheal_tui.operations.desk import EditedFile
from selfheal_tui.operations.versions import files_of, with_hunks
from selfheal_tui.pipeline.build import Opened
from selfheal_tui.pipeline.lease import IncidentBusyError, lease
from selfheal_tui.pipeline.steps import Judged, RungEnded
from selfheal_tui.pipeline.system import Silence, follow


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("operator"))


@pytest.fixture
def world(made: World) -> World:
    made.put_back()
    return made


def revise(project: Opened, world: World, text: str, path: str = "greeter.py", **options: object) -> Answer:
    files = [EditedFile(path, text)]
    request = world.incident(project).request_id or world.incident_id
    return decisions.revise(project, request, files, what="edited by hand", by="kim", **options)  # type: ignore[arg-type]


def assert_asked_as_before(project: Opened, world: World, request_id: str) -> None:
    """Nothing is written, and the very question from before is open."""
    incident = world.incident(project)
    assert world.untouched()
    assert (incident.state, incident.request_id) == (IncidentState.AWAITING_APPROVAL, request_id)
    assert project.engine.store.approvals.state(request_id) is RequestState.OPEN


def test_a_proved_version_is_asked_anew_and_written_only_with_its_own_code(world: World) -> None:
    steps: list[object] = []
    with world.opened() as project:
        store = project.engine.store
        old = store.approvals.get(world.incident(project).request_id)
        answer = revise(project, world, MINE, tell=steps.append)
        assert answer.ok, answer.text
        assert {type(s) for s in steps} >= {RungEnded, Judged}
        new = store.approvals.get(answer.request_id)
        assert world.untouched()
        assert new.needs_code
        assert new.binding.code != old.binding.code
        assert store.approvals.state(old.request_id) is RequestState.WITHDRAWN
        assert [r.kind for r in store.audit.records(world.incident_id)][-2:] == [
            "approval.withdrawn",
            "approval.requested",
        ]
        stale = decisions.approve(project, old.request_id, by="kim", code=old.binding.code)
        assert (stale.ok, stale.came) == (False, Came.REFUSED)
        wrong = decisions.approve(project, new.request_id, by="kim", code=old.binding.code)
        assert (wrong.ok, wrong.came) == (False, Came.REFUSED)
        assert world.untouched()
        done = decisions.approve(project, new.request_id, by="kim", code=new.binding.code)
        assert done.ok, done.text
        assert world.file.read_text() == MINE
        assert done.incident is not None
        assert done.incident.chosen_attempt is not None
        assert done.incident.chosen_attempt.candidate.proposer == "operator"
        assert store.audit.verify().ok


def test_a_version_that_fails_is_told_with_its_evidence_and_the_question_stays(world: World) -> None:
    with world.opened() as project:
        request_id = world.incident(project).request_id
        answer = revise(project, world, BEFORE.replace("self.nmae", "self.naem"))
        assert (answer.ok, answer.came) == (False, Came.NOT_PROVED)
        assert answer.proof is not None
        assert answer.proof.failed
        assert_asked_as_before(project, world, request_id)
        assert world.incident(project).attempts[-1].proof.failed


def test_chosen_hunks_are_a_version_like_any_other(world: World) -> None:
    with world.opened() as project:
        first = revise(project, world, MINE)
        attempt = world.incident(project).chosen_attempt
        assert attempt is not None
        files, what = with_hunks(files_of(project.engine, attempt), [2])
        assert what == "1 of 2 hunks"
        answer = decisions.revise(project, first.request_id, files, what=what, by="kim")
        assert answer.ok, answer.text
        code = project.engine.store.approvals.get(answer.request_id).binding.code
        assert decisions.approve(project, answer.request_id, by="kim", code=code).ok
        assert world.file.read_text() == MINE.replace("Greets all", "Greets people")


def test_a_version_that_was_set_aside_can_be_taken_back(world: World) -> None:
    with world.opened() as project:
        first = revise(project, world, MINE)
        answer = decisions.next_candidate(project, first.request_id, by="kim", number=1)
        assert answer.ok, answer.text
        code = project.engine.store.approvals.get(answer.request_id).binding.code
        assert decisions.approve(project, answer.request_id, by="kim", code=code).ok
        assert world.file.read_text() == FIXED


def test_where_nothing_else_is_found_the_question_stays(world: World) -> None:
    with world.opened() as project:
        request_id = world.incident(project).request_id
        answer = decisions.next_candidate(project, request_id, by="kim")
        assert (answer.ok, answer.came) == (False, Came.NOT_PROVED), answer.text
        assert "nothing else was found" in answer.text
        assert_asked_as_before(project, world, request_id)


@pytest.mark.parametrize(
    ("path", "text", "why"),
    [
        ("selfheal.toml", "environment = 'local'\n", "may not be changed"),
        ("../outside.py", "x = 1\n", "outside|may not be changed|cannot be changed"),
        (".selfheal/history.jsonl", "{}\n", "may not be changed"),
        ("greeter.py", BEFORE, "change nothing"),
        ("greeter.py", FIXED, "very patch"),
    ],
)
def test_what_may_not_be_written_is_refused(world: World, path: str, text: str, why: str) -> None:
    with world.opened() as project:
        request_id = world.incident(project).request_id
        answer = revise(project, world, text, path)
        assert (answer.ok, answer.came) == (False, Came.REFUSED), answer.text
        assert any(part in answer.text for part in why.split("|")), answer.text
        assert_asked_as_before(project, world, request_id)


def test_a_file_that_drifted_is_not_set_back_by_an_older_version(world: World) -> None:
    with world.opened() as project:
        edited = BEFORE + "\n# somebody's edit\n"
        world.file.write_text(edited)
        answer = revise(project, world, MINE)
        assert (answer.ok, answer.came) == (False, Came.REFUSED)
        assert "edited since" in answer.text
        assert world.file.read_text() == edited


def test_a_file_that_drifts_while_the_version_is_proved_stops_it(world: World) -> None:
    edited = BEFORE + "\n# somebody's edit\n"

    def drift(step: object) -> None:
        if isinstance(step, Judged):
            return
        world.file.write_text(edited)

    with world.opened() as project:
        request_id = world.incident(project).request_id
        answer = revise(project, world, MINE, tell=drift)
        assert not answer.ok
        assert world.incident(project).request_id == request_id
        assert world.file.read_text() == edited


def test_nothing_is_proved_or_asked_while_healing_is_paused(world: World) -> None:
    with world.opened() as project:
        request_id = world.incident(project).request_id
        decisions.pause(project, by="lee")
        for answer in (
            revise(project, world, MINE),
            decisions.next_candidate(project, request_id, by="kim"),
        ):
            assert (answer.ok, answer.came) == (False, Came.REFUSED)
            assert "paused by lee" in answer.text
        assert_asked_as_before(project, world, request_id)


def test_whoever_holds_the_incident_is_not_disturbed(world: World) -> None:
    with world.opened() as project, lease(project.engine.store.directory, world.incident_id):
        request_id = world.incident(project).request_id
        with pytest.raises(IncidentBusyError):
            revise(project, world, MINE)
        assert_asked_as_before(project, world, request_id)


def test_another_environment_cannot_soften_the_question(world: World) -> None:
    with world.opened(environment="local") as project:
        request_id = world.incident(project).request_id
        answer = revise(project, world, MINE)
        assert (answer.ok, answer.came) == (False, Came.REFUSED)
        assert "--env production" in answer.text
        assert_asked_as_before(project, world, request_id)


def test_a_cancelled_proof_changes_nothing(world: World) -> None:
    stop = threading.Event()
    with world.opened() as project:
        request_id = world.incident(project).request_id
        answer = revise(project, world, MINE, tell=lambda _step: stop.set(), stop=stop)
        assert not answer.ok
        assert "cancelled by operator:kim" in answer.text
        assert_asked_as_before(project, world, request_id)
        assert len(world.incident(project).attempts) == 1


def test_an_answer_that_is_given_meanwhile_counts(world: World) -> None:
    with world.opened() as project:
        request = project.engine.store.approvals.get(world.incident(project).request_id)
        answers: list[Answer] = []

        def reject(step: object) -> None:
            if isinstance(step, RungEnded) and not answers:
                answers.append(decisions.reject(project, request.request_id, by="lee", reason="no"))

        answer = revise(project, world, MINE, tell=reject)
        assert answers[0].handed_on
        assert not answer.ok
        assert "answered meanwhile" in answer.text
        ended = world.incident(project)
        assert (ended.state, ended.outcome) == (IncidentState.CLOSED, Outcome.REJECTED)
        assert world.untouched()


def test_a_closed_incident_can_be_brought_a_fix(world: World) -> None:
    with world.opened() as project:
        assert decisions.reject(project, world.incident_id, by="kim", reason="mine is better").ok
        answer = revise(project, world, MINE)
        assert answer.ok, answer.text
        assert world.untouched()
        code = project.engine.store.approvals.get(answer.request_id).binding.code
        assert decisions.approve(project, world.incident_id, by="kim", code=code).ok
        assert world.file.read_text() == MINE


def test_an_expired_question_can_be_replaced_and_is_worth_nothing_itself(world: World) -> None:
    with world.opened() as project:
        store = project.engine.store
        old = store.approvals.get(world.incident(project).request_id)
        expired = replace(old, request_id="expired00000", created_at=1.0, expires_at=2.0)
        store.approvals.request(expired)
        store.incidents.put(replace(world.incident(project), request_id=expired.request_id))
        worthless = decisions.approve(project, expired.request_id, by="kim", code=old.binding.code)
        assert (worthless.ok, worthless.came) == (False, Came.REFUSED)
        assert world.untouched()
        answer = revise(project, world, MINE)
        assert answer.ok, answer.text
        assert world.untouched()
        assert store.approvals.state(expired.request_id) is RequestState.WITHDRAWN


def test_a_question_that_was_withdrawn_and_not_replaced_is_asked_anew(world: World) -> None:
    """Whoever was to replace it was killed in between: the next answer or engine puts the question again."""
    with world.opened() as project:
        engine = project.engine
        old = world.incident(project).request_id
        engine.governance.withdraw(old, by="kim", reason="something better")
        assert not decisions.approve(project, old, by="kim").ok
        ended = follow(engine.resume(world.incident(project)), lambda _step: Silence.LEAVE_OPEN)
        assert ended.state is IncidentState.AWAITING_APPROVAL
        assert ended.request_id != old
        assert world.untouched()


def test_an_open_question_is_not_expired_by_whoever_looks_at_it(world: World) -> None:
    with world.opened() as project:
        request_id = world.incident(project).request_id
        follow(project.engine.resume(world.incident(project)), lambda _step: Silence.LEAVE_OPEN)
        assert_asked_as_before(project, world, request_id)
