"""Puts another proposal in the place of an open question: the operator's own version, or the next candidate.

Both climb the whole ladder, and both are asked anew, with a binding and a code of their own: nothing here applies
anything. Until the very last step the incident and its question stay on disk as they are, so that whoever is cut off,
fails or is killed has changed nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Final

from selfheal_tui.model.approval import RequestState
from selfheal_tui.model.candidate import Candidate, sha256_hex
from selfheal_tui.model.incident import Attempt, Incident, IncidentState
from selfheal_tui.model.kinds import Outcome
from selfheal_tui.model.ports import SandboxError
from selfheal_tui.pipeline.binding import current_bytes
from selfheal_tui.pipeline.lease import lease
from selfheal_tui.pipeline.propose import Told
from selfheal_tui.pipeline.search import Search
from selfheal_tui.pipeline.select import SET_ASIDE, strength
from selfheal_tui.pipeline.steps import ApprovalNeeded, Held, Step
from selfheal_tui.pipeline.system import LOOK_SECONDS, Engine, Silence
from selfheal_tui.source.project import OutsideRootError
from selfheal_tui.store import ApprovalConflictError

_S = IncidentState
REVISABLE: Final = frozenset({Outcome.REJECTED, Outcome.EXPLAINED, Outcome.FAILED, Outcome.ROLLED_BACK})
"""Outcomes of closed incidents for which an operator may still bring a version of their own."""

NOTHING_ELSE: Final = "nothing else was found"
"""How the message begins when a search for another candidate came to nothing."""

Revision = Generator[Step, Silence | None, Incident]
"""Ends with `ApprovalNeeded` when the new question is open, with `Held` (its message says why) when it is not."""


class _NotReplacedError(RuntimeError):
    """The question stays as it is; the message says why."""


class _AnsweredError(_NotReplacedError):
    """The question was answered while its replacement was being proved; the answer counts."""


def revise(
    engine: Engine, incident: Incident, candidate: Candidate, *, by: str, request_id: str | None = None
) -> Revision:
    """Proves an operator's own version and asks about it instead.

    Args:
        engine: The engine.
        incident: Awaiting approval, or closed without a fix that stands.
        candidate: The version, made from the bytes on disk now.
        by: The operator's name.
        request_id: The question that the operator saw; None takes whichever is open.

    Yields:
        `Proposed`, `RungEnded` and `Judged`, then how it ended; see `Revision`.

    Returns:
        The incident as it stands.

    Raises:
        IncidentBusyError: Another process works on it, or waits for its answer.
    """

    def work(current: Incident) -> Revision:
        _writable(engine, candidate)
        shown = current.chosen_attempt
        if shown is not None and shown.candidate.patch_sha256 == candidate.patch_sha256:
            raise _NotReplacedError("that is the very patch that is asked about already")
        try:
            tools = engine.make_tools(current.report)
            with tools.sandbox.workspace() as workspace:
                proved, attempt = yield from _search(engine).prove(tools, workspace, current, candidate)
        except SandboxError as error:
            raise _NotReplacedError(str(error)) from error
        kept = _keep_attempts(engine, current, proved)
        if not attempt.proof.acceptable:
            last = attempt.proof.reports[-1] if attempt.proof.reports else None
            why = f"{last.rung}: {last.summary}" if last else "it was not proved to the end"
            raise _NotReplacedError(f"your version failed the proof at {why}{_stands(current)}")
        _writable(engine, candidate)
        return (yield from _ask_instead(engine, kept, len(kept.attempts) - 1, by=by, what=candidate.reason))

    return (yield from _guarded(engine, incident, work, request_id=request_id, closed_too=True))


def next_candidate(
    engine: Engine,
    incident: Incident,
    *,
    by: str,
    request_id: str | None = None,
    number: int | None = None,
) -> Revision:
    """Asks about the next proved candidate instead; searches on, without all that was tried, when there is none.

    Args:
        engine: The engine.
        incident: Awaiting approval.
        by: The operator's name.
        request_id: The question that the operator saw; None takes whichever is open.
        number: Take this one, counted from 1, also if it was set aside before.

    Yields:
        The steps of a search, if one is made, then how it ended; see `Revision`.

    Returns:
        The incident as it stands.

    Raises:
        IncidentBusyError: Another process works on it, or waits for its answer.
    """

    def work(current: Incident) -> Revision:
        index = _numbered(current, number) if number is not None else _waiting(engine, current)
        if index is None:
            current, index = yield from _search_on(engine, current)
        _writable(engine, current.attempts[index].candidate)
        return (yield from _ask_instead(engine, current, index, by=by, what=f"candidate {index + 1}"))

    return (yield from _guarded(engine, incident, work, request_id=request_id, closed_too=False))


def _guarded(
    engine: Engine,
    incident: Incident,
    work: Callable[[Incident], Revision],
    *,
    request_id: str | None,
    closed_too: bool,
) -> Revision:
    """Works under the incident's lease, and turns what stands in the way into `Held`."""
    store = engine.store
    try:
        with lease(store.directory, incident.incident_id, wait_seconds=LOOK_SECONDS):
            current = store.incidents.get(incident.incident_id)
            _replaceable(engine, current, request_id, closed_too=closed_too)
            report = engine.project.localise(current.report)
            return (yield from work(replace(current, report=report)))
    except _AnsweredError:
        return (yield from engine.resume(incident))  # under the lease of its own
    except _NotReplacedError as error:
        held = replace(store.incidents.get(incident.incident_id), message=str(error))
        yield Held(held)
        return held


def _replaceable(engine: Engine, current: Incident, request_id: str | None, *, closed_too: bool) -> None:
    paused = engine.store.pause.status()
    if paused is not None:
        raise _NotReplacedError(f"healing is paused by {paused.by}; `selfheal resume` allows it again")
    if engine.settings.environment is not current.environment:
        raise _NotReplacedError(
            f"it happened in {current.environment}, and here the policy of {engine.settings.environment} is in "
            f"force: use --env {current.environment}"
        )
    if current.diagnosis is None:
        raise _NotReplacedError("it has not been analysed")
    if current.state is _S.CLOSED and current.outcome in REVISABLE and closed_too and not request_id:
        return
    if current.state is not _S.AWAITING_APPROVAL:
        raise _NotReplacedError(
            f"incident {current.incident_id} asks nothing: it is {current.outcome or current.state}"
        )
    if request_id and request_id != current.request_id:
        raise _NotReplacedError("another question is open about it by now; look at it first")
    state = engine.store.approvals.state(current.request_id)
    if state not in (RequestState.OPEN, RequestState.EXPIRED):
        raise _NotReplacedError(f"its question is {state} already")


def _writable(engine: Engine, candidate: Candidate) -> None:
    """Refuses what could never be written; the ladder and governance look at it again."""
    changes = 0
    for edit in candidate.edits:
        reason = engine.project.protected(edit.path)
        if reason:
            raise _NotReplacedError(f"{edit.path} may not be changed: {reason}")
        try:
            now = current_bytes(engine.project, edit.path)
        except (OSError, OutsideRootError) as error:
            raise _NotReplacedError(f"{edit.path} cannot be written: {error}") from error
        if (None if now is None else sha256_hex(now)) != edit.before_sha256:
            raise _NotReplacedError(
                f"{edit.path} was edited since this was made from it; nothing was asked, begin anew"
            )
        changes += edit.after_bytes() != now
    if not changes:
        raise _NotReplacedError("it would change nothing")


def _fits(engine: Engine, candidate: Candidate) -> bool:
    try:
        _writable(engine, candidate)
    except _NotReplacedError:
        return False
    return True


def _search(engine: Engine) -> Search:
    return Search(engine.project, engine.settings, engine.store, quiet=True)


def _keep_attempts(engine: Engine, before: Incident, after: Incident) -> Incident:
    """Keeps what was tried, beside the question as it is on disk now; counts may have gone up meanwhile."""
    with engine.store.incidents.exclusive():
        current = engine.store.incidents.get(before.incident_id)
        new = after.attempts[len(before.attempts) :]
        kept = replace(current, attempts=(*current.attempts, *new), cost=after.cost)
        engine.store.incidents.put(kept)
    return kept


def _waiting(engine: Engine, current: Incident) -> int | None:
    """Finds the strongest other candidate that was proved, and whose proof is of the files as they are."""
    barred = engine.store.learning.blacklisted(current.fingerprint.value)
    free = [
        index
        for index, attempt in enumerate(current.attempts)
        if index != current.chosen
        and attempt.proof.acceptable
        and not attempt.note
        and attempt.ast_key not in barred
        and attempt.candidate.patch_sha256 == attempt.proof.patch_sha256
        and _fits(engine, attempt.candidate)
    ]
    return max(free, key=lambda index: strength(current.attempts[index]), default=None)


def _numbered(current: Incident, number: int) -> int:
    if not 1 <= number <= len(current.attempts):
        raise _NotReplacedError(f"there are {len(current.attempts)} candidates")
    attempt = current.attempts[number - 1]
    if number - 1 == current.chosen:
        raise _NotReplacedError(f"candidate {number} is the one that is asked about already")
    if not attempt.proof.acceptable:
        raise _NotReplacedError(f"candidate {number} did not pass the proof")
    if attempt.note and not attempt.note.startswith(SET_ASIDE):
        raise _NotReplacedError(f"candidate {number} is out of the question: {attempt.note}")
    return number - 1


def _search_on(engine: Engine, current: Incident) -> Generator[Step, object, tuple[Incident, int]]:
    told = Told()
    try:
        tools = engine.make_tools(current.report)
        with tools.sandbox.workspace() as workspace:
            searched, best, _ = yield from _search(engine)(
                tools, workspace, current, told, skip=_same_again(engine, current)
            )
    except SandboxError as error:
        raise _NotReplacedError(str(error)) from error
    kept = _keep_attempts(engine, current, searched)
    if best is None:
        raise _NotReplacedError(f"{NOTHING_ELSE}{_tried(current, searched)}{_stands(current)}")
    return kept, len(kept.attempts) - len(searched.attempts) + searched.attempts.index(best)


def _same_again(engine: Engine, current: Incident) -> Callable[[Candidate], bool]:
    """Knows what was tried on files that were edited since, by its idea: its text is another one now."""
    stale = {
        _idea(attempt.candidate)
        for attempt in current.attempts
        if attempt.candidate.proposer != "llm" and not _fits(engine, attempt.candidate)
    }
    return lambda candidate: _idea(candidate) in stale


def _idea(candidate: Candidate) -> tuple[str, str, str, tuple[str, ...]]:
    return candidate.proposer, candidate.rule, candidate.reason, tuple(e.path for e in candidate.edits)


def _tried(before: Incident, after: Incident) -> str:
    count = len(after.attempts) - len(before.attempts)
    return f" ({count} more candidate(s) failed the proof)" if count else ""


def _stands(incident: Incident) -> str:
    if incident.state is not _S.AWAITING_APPROVAL:
        return "; nothing was asked"
    aside = [str(n + 1) for n, a in enumerate(incident.attempts) if a.note.startswith(SET_ASIDE)]
    again = f" (set aside before: candidate {', '.join(aside)})" if aside else ""
    return f"; the question that is open stays as it is{again}"


def _ask_instead(engine: Engine, current: Incident, index: int, *, by: str, what: str) -> Revision:
    """Withdraws the question that is open, if one is, and asks about another attempt."""
    attempt = current.attempts[index]
    marked = _marked(current, index, f"{SET_ASIDE}operator:{by} for {what}")
    rivals = sum(1 for other in marked.attempts if other is not attempt and _rivals(other))
    gate = engine.asking.judge(marked, attempt, rivals=rivals)
    if not gate.must_ask:
        # Never allowed unasked, whatever the policy: somebody chose it, and has not approved it yet.
        raise _NotReplacedError("; ".join(gate.reasons) + _stands(current))
    if current.state is _S.AWAITING_APPROVAL:
        try:
            engine.governance.withdraw(current.request_id, by=by, reason=f"{what} takes its place")
        except ApprovalConflictError as error:
            raise _AnsweredError(str(error)) from error
    else:
        marked = _reopened(engine, marked, by, what)
    request = engine.governance.request(current.incident_id, attempt.candidate, gate)
    asked = replace(
        marked,
        state=_S.AWAITING_APPROVAL,
        chosen=index,
        request_id=request.request_id,
        message="; ".join(gate.reasons),
    )
    engine.store.incidents.put(asked)
    yield ApprovalNeeded(asked, request, attempt.candidate, attempt.proof)
    return asked


def _marked(current: Incident, index: int, note: str) -> Incident:
    attempts = list(current.attempts)
    if current.state is _S.AWAITING_APPROVAL and 0 <= current.chosen < len(attempts):
        attempts[current.chosen] = replace(attempts[current.chosen], note=note)
    attempts[index] = replace(attempts[index], note="")
    return replace(current, attempts=tuple(attempts))


def _rivals(other: Attempt) -> bool:
    return other.proof.proved and not other.proof.flagged and not other.note


def _reopened(engine: Engine, closed: Incident, by: str, what: str) -> Incident:
    opened = closed
    for state in (_S.DETECTED, _S.ANALYZED, _S.PROPOSING, _S.VALIDATING):
        opened = opened.advance(state)
    engine.store.audit.append(
        "incident.reopened",
        actor=f"operator:{by}",
        incident_id=closed.incident_id,
        data={"was": closed.outcome.value if closed.outcome else "", "what": what},
    )
    return replace(opened, outcome=None)
