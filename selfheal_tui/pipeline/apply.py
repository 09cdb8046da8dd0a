"""Writes an approved fix to the live tree: consume the approval, back up, write, recheck, or undo.

This is the only module that changes the project. It has no way in but a single-use approval whose
binding equals what is on disk at this moment, and it leaves either the whole fix or nothing.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from selfheal_tui.model.approval import ApprovalDecision
from selfheal_tui.model.candidate import Candidate, sha256_hex
from selfheal_tui.pipeline.binding import bind, current_bytes
from selfheal_tui.source.project import OutsideRootError, Project
from selfheal_tui.store import ApprovalConflictError, Change, StaleTargetError, Store, StoreError


class ApplyError(RuntimeError):
    """The fix was not applied and nothing is changed; the message says why."""


class DriftError(ApplyError):
    """What was approved is not what would be written now; it has to be asked anew."""


@dataclass(frozen=True, slots=True)
class Applied:
    """A fix that is on disk.

    Attributes:
        transaction_id: For rolling it back.
        decision: The approval that was used up.
        files: Paths that were written.
    """

    transaction_id: str
    decision: ApprovalDecision
    files: tuple[str, ...]


def apply_candidate(
    store: Store,
    project: Project,
    candidate: Candidate,
    *,
    request_id: str,
    policy: str,
    incident_id: str,
    fingerprint: str,
) -> Applied:
    """Applies a candidate under its approval.

    Args:
        store: The store.
        project: The project.
        candidate: The fix, exactly as approved.
        request_id: The approved request.
        policy: Version of the policy in force now.
        incident_id: The incident.
        fingerprint: Its fingerprint, for the limits.

    Returns:
        What was written.

    Raises:
        DriftError: The approval does not fit what would be written now.
        ApplyError: Writing or the recheck failed; the tree is as it was.
    """
    paused = store.pause.status()
    if paused is not None:
        raise ApplyError(f"healing is paused by {paused.by}; `selfheal resume` allows it again")
    for edit in candidate.edits:
        reason = project.protected(edit.path)
        if reason:
            raise ApplyError(f"{edit.path} may not be changed: {reason}")
    try:
        decision = store.approvals.consume(request_id, bind(project, candidate, policy))
    except ApprovalConflictError as error:
        raise DriftError(f"the approval does not fit: {error}") from error
    except (OSError, OutsideRootError) as error:
        raise DriftError(f"the approval does not fit: a target cannot be read any more: {error}") from error
    after = {edit.path: edit.after_bytes() for edit in candidate.edits}
    for data in after.values():
        store.blobs.put(data)
    changes = [
        Change(path=edit.path, before_sha256=edit.before_sha256, after=after[edit.path])
        for edit in candidate.edits
    ]
    try:
        transaction = store.transactions.apply(changes, incident_id=incident_id, kind="heal")
    except StaleTargetError as error:
        raise DriftError(f"another change came first: {error}") from error
    except StoreError as error:
        raise ApplyError(f"not applied, nothing is changed: {error}") from error
    problem = _recheck(project, after)
    if problem:
        undo_transaction(store, project, transaction.transaction_id, incident_id=incident_id)
        raise ApplyError(f"applied and taken back at once: {problem}")
    files = tuple(sorted(after))
    store.audit.append(
        "change.applied",
        actor=decision.by,
        incident_id=incident_id,
        data={
            "transaction": transaction.transaction_id,
            "candidate": candidate.candidate_id,
            "patch_sha256": candidate.patch_sha256,
            "request": request_id,
            "fingerprint": fingerprint,
            "files": list(files),
            "after": {path: sha256_hex(data) for path, data in after.items()},
            "backups": [entry.backup_id for entry in transaction.entries],
            "proposer": candidate.proposer,
            "rule": candidate.rule,
        },
    )
    return Applied(transaction_id=transaction.transaction_id, decision=decision, files=files)


def undo_transaction(store: Store, project: Project, transaction_id: str, *, incident_id: str) -> None:
    """Puts every file of a transaction back, as long as nobody edited it since.

    Args:
        store: The store.
        project: The project.
        transaction_id: The change to take back.
        incident_id: The incident.

    Raises:
        StoreError: A file was edited since, or cannot be written; nothing was changed.
    """
    changes = []
    for entry in store.backups.of_transaction(transaction_id):
        now = current_bytes(project, entry.path)
        if (None if now is None else sha256_hex(now)) != entry.after_sha256:
            raise StoreError(f"{entry.path} was edited since; use `selfheal rollback {incident_id}`")
        changes.append(
            Change(
                path=entry.path,
                before_sha256=entry.after_sha256,
                after=store.backups.read(entry),
                mode=entry.mode,
            )
        )
    store.transactions.apply(changes, incident_id=incident_id, kind="rollback")


def _recheck(project: Project, after: dict[str, bytes]) -> str:
    for path, expected in after.items():
        if current_bytes(project, path) != expected:
            return f"{path} does not hold what was written"
        if path.endswith((".py", ".pyw")):
            try:
                ast.parse(expected)
            except (SyntaxError, ValueError) as error:
                return f"{path} does not parse: {error}"
    return ""
