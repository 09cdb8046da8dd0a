"""A proof is seen growing rung by rung, whoever makes it, and never stays half-done on the screen."""

from __future__ import annotations

from operations_world import a_candidate, an_incident

from selfheal_tui.model.evidence import RUNGS, Proof, RungReport
from selfheal_tui.model.incident import IncidentState
from selfheal_tui.model.kinds import Verdict
from selfheal_tui.operations.desk import ProofMoved
from selfheal_tui.operations.liveproof import LiveProofs
from selfheal_tui.pipeline.steps import Judged, Progressed, Proposed, RungEnded


def words(move: ProofMoved) -> list[str]:
    return [rung.standing.word for rung in move.rungs]


def test_rungs_come_one_after_the_other_and_the_next_one_runs() -> None:
    moves: list[ProofMoved] = []
    proofs = LiveProofs(moves.append, clock=lambda: 7.0)
    incident, candidate = an_incident(), a_candidate()
    reports = [RungReport(name, Verdict.PASS, "fine", seconds=0.1) for name in RUNGS]
    proofs.hear(Proposed(incident, candidate))
    assert words(moves[-1]) == ["running"] + ["waiting"] * 7
    assert moves[-1].rungs[0].started_at == 7.0
    for number, report in enumerate(reports[:-1], start=1):
        proofs.hear(RungEnded(incident, candidate, report))
        assert words(moves[-1]) == ["pass"] * number + ["running"] + ["waiting"] * (7 - number)
        assert proofs.notes() == {"a1b2": f"proving · {RUNGS[number]}"}
    proofs.hear(RungEnded(incident, candidate, reports[-1]))
    proofs.hear(Judged(incident, candidate, Proof("", "", tuple(reports))))
    assert moves[-1].ended
    assert words(moves[-1]) == ["pass"] * 8


def test_what_comes_after_a_failure_is_not_reached_and_never_waits() -> None:
    moves: list[ProofMoved] = []
    proofs = LiveProofs(moves.append)
    failed = RungReport("scope", Verdict.FAIL, "too much")
    proofs.hear(Proposed(an_incident(), a_candidate()))
    proofs.hear(RungEnded(an_incident(), a_candidate(), RungReport("syntax", Verdict.PASS, "")))
    proofs.hear(RungEnded(an_incident(), a_candidate(), failed))
    assert words(moves[-1]) == ["pass", "fail"] + ["not reached"] * 6


def test_a_viewer_who_comes_late_is_told_how_it_stands() -> None:
    moves: list[ProofMoved] = []
    proofs = LiveProofs(moves.append)
    proofs.tell_again("a1b2")
    assert not moves
    proofs.hear(Proposed(an_incident(), a_candidate()))
    proofs.tell_again("a1b2")
    assert moves[0] == moves[1]


def test_a_proof_whose_worker_is_gone_is_ended() -> None:
    moves: list[ProofMoved] = []
    proofs = LiveProofs(moves.append)
    proofs.hear(Proposed(an_incident(), a_candidate()))
    proofs.end_all()
    assert moves[-1].ended
    assert words(moves[-1]) == ["not reached"] * 8
    assert proofs.notes() == {}
    proofs.end("a1b2")
    assert len(moves) == 2


def test_notes_end_when_the_search_ends() -> None:
    proofs = LiveProofs(lambda _move: None)
    proofs.hear(Progressed(an_incident(state=IncidentState.PROPOSING)))
    assert proofs.notes() == {"a1b2": "searching for a fix"}
    proofs.hear(Progressed(an_incident(state=IncidentState.APPLYING)))
    assert proofs.notes() == {}
