"""Every decision an operator can take, once, for the command line and the console alike.

Plain functions over an open project. They never print and never wait for a person; what they refuse they answer
with the remedy. Errors that mean a broken store or an unknown id (`StoreError`) go through, as does
`IncidentBusyError` where another process holds the incident.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from selfheal_tui.model.approval import ApprovalRequest, RequestState
from selfheal_tui.model.incident import Incident, IncidentState
from selfheal_tui.model.kinds import Outcome
from selfheal_tui.operations import rollbacks
from selfheal_tui.operations.answers import Answer, Came
from selfheal_tui.operations.cases import cancel, retry
from selfheal_tui.operations.desk import EditedFile
from selfheal_tui.operations.proving import Proved, prove
from selfheal_tui.operations.rollbacks import preview, roll_back
from selfheal_tui.operations.snapshot import RollbackPreview
from selfheal_tui.operations.versions import CannotMakeError, version_of
from selfheal_tui.pipeline.build import Opened
from selfheal_tui.pipeline.govern import WrongCodeError
from selfheal_tui.pipeline.lease import IncidentBusyError
from selfheal_tui.pipeline.revise import NOTHING_ELSE
from selfheal_tui.pipeline.steps import ApprovalNeeded, Step
from selfheal_tui.pipeline.system import Silence, follow
from selfheal_tui.probe import places
from selfheal_tui.store import ApprovalConflictError, UnknownRequestError
from selfheal_tui.supervisor.order import Order, OrderKind

__all__ = [
    "Answer",
    "Came",
    "approve",
    "cancel",
    "next_candidate",
    "pause",
    "preview",
    "reject",
    "resume",
    "retry",
    "revise",
    "roll_back",
    "undo",
]

_S = IncidentState
_HEALED = frozenset({Outcome.HEALED, Outcome.HEALED_UNPROVEN})


Tell = Callable[[Step], None]
"""Takes the engine's steps while something runs, on the thread that called."""


class _RefusedError(RuntimeError):
    def __init__(self, text: str, incident: Incident | None = None) -> None:
        super().__init__(text)
        self.incident = incident


def approve(
    project: Opened, about: str, *, by: str, code: str = "", reason: str = "", tell: Tell | None = None
) -> Answer:
    """Approves an open question and has the fix applied, by whoever waits for the answer or else here.

    Args:
        project: The project, open in the environment in which was asked.
        about: The request's id (then nothing but that very question is answered), or the incident's.
        by: The operator's name.
        code: The typed code, where the request needs one.
        reason: Why.
        tell: Takes the engine's steps.
    """
    return _answer(project, about, True, by=by, code=code, reason=reason, tell=tell)


def reject(project: Opened, about: str, *, by: str, reason: str = "", tell: Tell | None = None) -> Answer:
    """Rejects an open question; arguments as for `approve`."""
    return _answer(project, about, False, by=by, code="", reason=reason, tell=tell)


def revise(
    project: Opened,
    about: str,
    files: Sequence[EditedFile],
    *,
    what: str,
    by: str,
    tell: Tell | None = None,
    stop: threading.Event | None = None,
) -> Answer:
    """Puts the operator's own version to the whole proof and, if it passes, in place of the open question.

    Runs in a worker process that is killed when `stop` is set; then nothing is changed. On success the old question
    is withdrawn and a new one, with a binding and a code of its own, is open (`request_id`). Otherwise the old one
    stays as it is.

    Args:
        project: The project, open in the environment of the incident.
        about: The request's id, or the incident's; one that is closed without a fix can be brought one.
        files: Whole texts of the files that the new patch changes.
        what: Such as `2 of 3 hunks` or `edited by hand`.
        by: The operator's name.
        tell: Takes `Proposed`, `RungEnded` and `Judged` while it is proved.
        stop: Set to cancel.
    """
    incident, request_id = _incident_and_request(project, about)
    try:
        candidate = version_of(project.engine, incident, files, what=what, by=by)
    except CannotMakeError as error:
        return Answer(ok=False, text=str(error), incident=incident, came=Came.REFUSED)
    order = Order(OrderKind.REVISE, by, request_id, candidate)
    return _replaced(project, incident, prove(project, incident, order, tell=tell, stop=stop), "your version")


def next_candidate(
    project: Opened,
    about: str,
    *,
    by: str,
    number: int | None = None,
    tell: Tell | None = None,
    stop: threading.Event | None = None,
) -> Answer:
    """Puts the next proved candidate in place of the open question, or searches on when there is none.

    Runs in a worker process, as `revise` does. Where nothing more is found the old question stays.

    Args:
        project: The project, open in the environment in which was asked.
        about: The request's id, or the incident's.
        by: The operator's name.
        number: Take this one, as `selfheal show` counts (1-based), also one that was set aside before.
        tell: Takes the steps of the search.
        stop: Set to cancel.
    """
    incident, request_id = _incident_and_request(project, about)
    order = Order(OrderKind.NEXT, by, request_id, number=number)
    return _replaced(project, incident, prove(project, incident, order, tell=tell, stop=stop), "the next fix")


def undo(
    project: Opened,
    *,
    by: str,
    overwrite: bool = False,
    reason: str = "",
    shown: RollbackPreview | None = None,
) -> Answer:
    """Takes the last rollback back; arguments as for `roll_back`."""
    return roll_back(project, rollbacks.UNDO, by=by, overwrite=overwrite, reason=reason, shown=shown)


def pause(project: Opened, *, by: str, reason: str = "") -> Answer:
    """Stops all changes, in every process."""
    store = project.engine.store
    store.pause.pause(by, reason)
    store.audit.append("policy.paused", actor=f"operator:{by}", data={"reason": reason})
    return Answer(ok=True, text="paused: nothing will be changed until `selfheal resume`")


def resume(project: Opened, *, by: str) -> Answer:
    """Allows changes again."""
    store = project.engine.store
    store.pause.resume(by)
    store.audit.append("policy.resumed", actor=f"operator:{by}", data={})
    return Answer(ok=True, text="healing is allowed again")


# -- answers ----------------------------------------------------------------------------------------


def _answer(
    project: Opened, about: str, yes: bool, *, by: str, code: str, reason: str, tell: Tell | None
) -> Answer:
    engine = project.engine
    try:
        incident, request = _question(project, about)
    except _RefusedError as error:
        return _refused(str(error), error.incident)
    try:
        if engine.store.approvals.state(request.request_id) is not RequestState.APPROVED or not yes:
            engine.governance.decide(request.request_id, approve=yes, by=by, reason=reason, code=code)
    except (WrongCodeError, ApprovalConflictError) as error:
        return _refused(str(error), incident)
    root = str(engine.project.root)
    try:
        ended = follow(engine.resume(incident), _telling(tell))
    except IncidentBusyError:
        places.ring(root, "approval")
        text = "recorded; the waiting selfheal takes it from here"
        return Answer(True, text, engine.store.incidents.get(incident.incident_id), handed_on=True)
    served = places.ring(root, "approval")
    ended = _confirmed(project, ended, served=served)
    text = ended.message or f"{ended.outcome or ended.state}"
    if not yes:
        return Answer(ok=True, text=text, incident=ended)
    came = _came(ended)
    return Answer(came is Came.DONE, text, ended, came, ended.request_id)


def _confirmed(project: Opened, ended: Incident, *, served: bool) -> Incident:
    """Nobody watches the live program where no engine serves the project: then the proof is all there is."""
    if ended.state is not _S.ON_PROBATION or served:
        return ended
    return project.engine.closer.confirm(
        ended, "applied after approval; proved in an isolated copy, not yet seen in the live program"
    )


def _came(ended: Incident) -> Came:
    if ended.state is _S.AWAITING_APPROVAL:
        return Came.ASKED_ANEW  # something had changed under the approval
    if ended.state is _S.ON_PROBATION or ended.outcome in _HEALED:
        return Came.DONE
    return Came.NOT_HEALED


def _question(project: Opened, about: str) -> tuple[Incident, ApprovalRequest]:
    incident, request_id = _incident_and_request(project, about)
    if incident.state is not _S.AWAITING_APPROVAL or not incident.request_id:
        raise _RefusedError(
            f"incident {incident.incident_id} does not wait for an approval: it is "
            f"{incident.outcome or incident.state}",
            incident,
        )
    if request_id and request_id != incident.request_id:
        raise _RefusedError(
            f"another question is open about incident {incident.incident_id} by now; look at it first",
            incident,
        )
    return incident, project.engine.store.approvals.get(incident.request_id)


def _incident_and_request(project: Opened, about: str) -> tuple[Incident, str]:
    """Finds the incident that an id is about, and the request's id if it is one."""
    store = project.engine.store
    try:
        request = store.approvals.get(about)
    except UnknownRequestError:
        return store.incidents.get(about.lstrip("#")), ""
    return store.incidents.get(request.incident_id), request.request_id


def _replaced(project: Opened, incident: Incident, proved: Proved, what: str) -> Answer:
    store = project.engine.store
    if proved.asked is not None:
        asked, request = proved.asked.incident, proved.asked.request
        text = f"{what} was proved; read it and answer anew"
        return Answer(True, text, asked, Came.ASKED_ANEW, request.request_id, proved.proof)
    current = store.incidents.get(incident.incident_id)
    if proved.refusal:
        failed = proved.proof is not None and proved.proof.failed
        came = Came.NOT_PROVED if failed or proved.refusal.startswith(NOTHING_ELSE) else Came.REFUSED
        return Answer(False, proved.refusal, current, came, current.request_id, proved.proof)
    served = places.listens(str(project.engine.project.root))
    current = _confirmed(project, current, served=served)
    text = f"the question was answered meanwhile, and the answer counts: {current.message}"
    return Answer(False, text, current, Came.REFUSED, current.request_id, proved.proof)


def _telling(tell: Tell | None) -> Callable[[Step], Silence | None]:
    def answer(step: Step) -> Silence | None:
        if tell is not None:
            tell(step)
        return Silence.LEAVE_OPEN if isinstance(step, ApprovalNeeded) else None

    return answer


def _refused(text: str, incident: Incident | None) -> Answer:
    return Answer(ok=False, text=text, incident=incident, came=Came.REFUSED)
