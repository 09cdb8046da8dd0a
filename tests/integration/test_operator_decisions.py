"""Taking back, undoing that, pausing, trying again and cancelling: what is decided, what is learnt, what stays."""

from __future__ import annotations

from dataclasses import replace

import pytest
from operator_world import BEFORE, FIXED, World

from selfheal_tui.model.incident import Incident, IncidentState
from selfheal_tui.model.kinds import Outcome
from selfheal_tui.operations import decisions
from selfheal_tui.operations.answers import Came
from selfheal_tui.pipeline.build import Opened
from selfheal_tui.pipeline.lease import IncidentBusyError, lease
from selfheal_tui.store import UnknownIncidentError


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("operator-decisions"))


@pytest.fixture
def world(made: World) -> World:
    made.put_back()
    return made


def approve(project: Opened, world: World) -> Incident:
    code = project.engine.store.approvals.get(world.incident(project).request_id).binding.code
    answer = decisions.approve(project, world.incident_id, by="kim", code=code)
    assert answer.ok, answer.text
    assert world.file.read_text() == FIXED
    assert answer.incident is not None
    return answer.incident


def counts(project: Opened, incident: Incident) -> list[tuple[int, int]]:
    attempt = incident.chosen_attempt
    assert attempt is not None
    keys = (f"rule:{attempt.candidate.rule}", f"fingerprint:{incident.fingerprint.value}")
    return [(n.successes, n.failures) for n in map(project.engine.store.learning.get, keys)]


def test_an_undone_rollback_is_the_fix_again_and_nothing_is_learnt_twice(world: World) -> None:
    with world.opened() as project:
        store = project.engine.store
        healed = approve(project, world)
        assert counts(project, healed) == [(1, 0), (1, 0)]
        assert decisions.roll_back(project, world.incident_id, by="kim", reason="no").ok
        assert world.file.read_text() == BEFORE
        back = world.incident(project)
        assert back.outcome is Outcome.ROLLED_BACK
        assert counts(project, back) == [(1, 1), (1, 1)]
        assert store.learning.blacklisted(back.fingerprint.value)

        shown, why = decisions.preview(project, "undo")
        assert shown is not None, why
        assert [(c.before, c.after) for c in shown.changes] == [(BEFORE, FIXED)]
        assert world.file.read_text() == BEFORE
        answer = decisions.undo(project, by="lee", shown=shown)
        assert answer.ok, answer.text
        assert world.file.read_text() == FIXED
        again = world.incident(project)
        assert (again.state, again.outcome) == (IncidentState.CLOSED, Outcome.HEALED)
        assert "put back in by operator:lee" in again.message
        assert counts(project, again) == [(1, 0), (1, 0)]
        assert not store.learning.blacklisted(again.fingerprint.value)
        record = store.audit.records(kinds={"rollback.undone"})[-1]
        assert record.actor == "operator:lee"
        assert (
            record.data["undoes"] == store.audit.records(kinds={"change.rolled_back"})[-1].data["transaction"]
        )

        nothing = decisions.undo(project, by="lee")
        assert (nothing.ok, nothing.came) == (False, Came.NOT_FOUND)
        assert decisions.roll_back(project, world.incident_id, by="kim").ok
        assert world.file.read_text() == BEFORE
        assert counts(project, world.incident(project)) == [(1, 1), (1, 1)]
        assert store.audit.verify().ok


def test_an_undo_around_later_edits_keeps_them_and_claims_less(world: World) -> None:
    with world.opened() as project:
        approve(project, world)
        decisions.roll_back(project, world.incident_id, by="kim")
        world.file.write_text(BEFORE.replace("Greets people", "Greets everybody"))
        assert decisions.undo(project, by="kim").ok
        assert world.file.read_text() == FIXED.replace("Greets people", "Greets everybody")
        assert world.incident(project).outcome is Outcome.HEALED_UNPROVEN


def test_an_undo_over_a_conflicting_edit_writes_nothing_unless_told(world: World) -> None:
    with world.opened() as project:
        approve(project, world)
        decisions.roll_back(project, world.incident_id, by="kim")
        edited = BEFORE.replace("self.nmae", "self.title")
        world.file.write_text(edited)
        shown, _ = decisions.preview(project, "undo")
        assert shown is not None
        assert shown.conflicts == ("greeter.py",)
        refused = decisions.undo(project, by="kim", shown=shown)
        assert (refused.ok, refused.came) == (False, Came.REFUSED)
        assert world.file.read_text() == edited
        assert world.incident(project).outcome is Outcome.ROLLED_BACK
        assert decisions.undo(project, by="kim", shown=shown, overwrite=True).ok
        assert world.file.read_text() == FIXED


def test_an_undo_is_a_change_and_waits_while_healing_is_paused(world: World) -> None:
    with world.opened() as project:
        approve(project, world)
        decisions.pause(project, by="lee", reason="audit")
        assert decisions.roll_back(project, world.incident_id, by="kim").ok  # the way out is always open
        answer = decisions.undo(project, by="kim")
        assert (answer.ok, answer.came) == (False, Came.REFUSED)
        assert "paused by lee" in answer.text
        assert world.file.read_text() == BEFORE
        assert decisions.resume(project, by="lee").ok
        assert decisions.undo(project, by="kim").ok


def test_only_what_was_shown_is_written(world: World) -> None:
    with world.opened() as project:
        approve(project, world)
        shown, _ = decisions.preview(project, world.incident_id)
        edited = FIXED.replace("Greets people", "Greets everybody")
        world.file.write_text(edited)
        answer = decisions.roll_back(project, world.incident_id, by="kim", shown=shown)
        assert (answer.ok, answer.came) == (False, Came.REFUSED)
        assert world.file.read_text() == edited
        assert world.incident(project).outcome is Outcome.HEALED


def test_restoring_one_backup_can_be_undone_and_says_nothing_about_the_incident(world: World) -> None:
    with world.opened() as project:
        approve(project, world)
        backup = project.engine.store.backups.entries()[0].backup_id
        assert decisions.roll_back(project, backup, by="kim").ok
        assert world.file.read_text() == BEFORE
        assert world.incident(project).outcome is Outcome.HEALED
        assert decisions.undo(project, by="kim").ok
        assert world.file.read_text() == FIXED
        assert world.incident(project).outcome is Outcome.HEALED


def test_a_preview_says_why_there_is_none(world: World) -> None:
    with world.opened() as project:
        assert decisions.preview(project, "undo") == (None, "there is no rollback to undo")
        assert "no applied fix" in decisions.preview(project, world.incident_id)[1]
        assert "no incident" in decisions.preview(project, "ffff-nothing")[1]


def test_a_rejected_incident_is_looked_at_anew_and_an_open_question_is_not(world: World) -> None:
    with world.opened() as project:
        waits = decisions.retry(project, world.incident_id, by="kim")
        assert (waits.ok, waits.came) == (False, Came.REFUSED)
        decisions.reject(project, world.incident_id, by="kim", reason="no")
        count = world.incident(project).count
        answer = decisions.retry(project, world.incident_id, by="kim")
        assert answer.ok, answer.text
        again = world.incident(project)
        assert (again.state, again.outcome, again.count) == (IncidentState.DETECTED, None, count)
        assert world.untouched()


def test_a_healed_incident_is_not_looked_at_anew(world: World) -> None:
    with world.opened() as project:
        approve(project, world)
        assert not decisions.retry(project, world.incident_id, by="kim").ok
        assert world.file.read_text() == FIXED


def test_a_cancelled_question_is_closed_and_can_be_approved_no_more(world: World) -> None:
    with world.opened() as project:
        request = world.incident(project).request_id
        answer = decisions.cancel(project, world.incident_id, by="kim")
        assert answer.ok, answer.text
        assert world.incident(project).outcome is Outcome.REJECTED
        code = project.engine.store.approvals.get(request).binding.code
        assert not decisions.approve(project, request, by="kim", code=code).ok
        assert not decisions.cancel(project, world.incident_id, by="kim").ok
        assert world.untouched()


def test_what_was_written_already_is_not_cancelled_but_found(world: World) -> None:
    """The process that applied it died before it could say so."""
    with world.opened() as project:
        healed = approve(project, world)
        cut_off = replace(healed, state=IncidentState.APPLYING, outcome=None, transaction_id="")
        project.engine.store.incidents.put(cut_off)
        answer = decisions.cancel(project, world.incident_id, by="kim")
        assert (answer.ok, answer.came) == (False, Came.REFUSED)
        found = world.incident(project)
        assert (found.state, found.transaction_id) == (IncidentState.ON_PROBATION, healed.transaction_id)
        assert world.file.read_text() == FIXED


def test_what_another_process_works_on_is_neither_cancelled_nor_tried_anew(world: World) -> None:
    with world.opened() as project, lease(project.engine.store.directory, world.incident_id):
        for decide in (decisions.cancel, decisions.retry):
            with pytest.raises(IncidentBusyError):
                decide(project, world.incident_id, by="kim")
        assert world.incident(project).state is IncidentState.AWAITING_APPROVAL


def test_a_question_that_is_not_the_open_one_is_not_answered(world: World) -> None:
    with world.opened() as project:
        store = project.engine.store
        old = world.incident(project)
        request = store.approvals.get(old.request_id)
        store.approvals.request(replace(request, request_id="another00000"))
        store.incidents.put(replace(old, request_id="another00000"))
        answer = decisions.approve(project, request.request_id, by="kim", code=request.binding.code)
        assert (answer.ok, answer.came) == (False, Came.REFUSED)
        assert "another question" in answer.text
        assert world.untouched()


def test_an_unknown_id_is_an_unknown_incident(world: World) -> None:
    with world.opened() as project, pytest.raises(UnknownIncidentError):
        decisions.approve(project, "zzzz", by="kim")
