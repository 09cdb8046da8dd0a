"""Writes an approved fix to the live tree: consume the approval, back up, write, recheck, or undo.

This is the only module that changes the project. It has no way in but a single-use approval whose
binding equals what is on disk at this moment, and it leaves either the whole fix or nothing.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from selfheal_tui.model.approval import ApprovalDecision
from selfheal_tui.model.candidate import Candidate, sha256_hex
from selfheal_tui.pipeline.binding import bind, current_bytes
from selfheal_tui.source.places import TESTS_JUDGE, glob_match
from selfheal_tui.source.project import OutsideRootError, Project
from selfheal_tui.store import ApprovalConflictError, Change, StaleTargetError, Store, StoreError

_NEW_TEST = re.compile(r"(^|/)test_selfheal_[0-9a-f]+\.py\Z")


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


def add_test(
    store: Store, project: Project, candidate: Candidate, *, request_id: str, policy: str, incident_id: str
) -> str:
    """Writes a new test file that an operator ordered; nothing that exists is ever touched.

    Fixes may not change tests, since tests judge them. A new file that an operator asks for by name changes no judge.

    Args:
        store: The store.
        project: The project.
        candidate: One new file, exactly as ordered.
        request_id: The approved request.
        policy: Version of the policy in force now.
        incident_id: The incident.

    Returns:
        The transaction's id.

    Raises:
        DriftError: The approval does not fit what would be written now.
        ApplyError: It is no new test file, or cannot be written; the tree is as it was.
    """
    paused = store.pause.status()
    if paused is not None:
        raise ApplyError(f"healing is paused by {paused.by}; `selfheal resume` allows it again")
    problem = _why_no_new_test(project, candidate)
    if problem:
        raise ApplyError(problem)
    edit = candidate.edits[0]
    try:
        decision = store.approvals.consume(request_id, bind(project, candidate, policy))
    except ApprovalConflictError as error:
        raise DriftError(f"the approval does not fit: {error}") from error
    data = edit.after_bytes()
    store.blobs.put(data)
    try:
        transaction = store.transactions.apply(
            [Change(path=edit.path, before_sha256=None, after=data)], incident_id=incident_id, kind="test"
        )
    except StoreError as error:
        raise ApplyError(f"not written, nothing is changed: {error}") from error
    if problem := _recheck(project, {edit.path: data}):
        undo_transaction(store, project, transaction.transaction_id, incident_id=incident_id)
        raise ApplyError(f"written and taken back at once: {problem}")
    store.audit.append(
        "test.added",
        actor=decision.by,
        incident_id=incident_id,
        data={
            "transaction": transaction.transaction_id,
            "request": request_id,
            "files": [edit.path],
            "after": {edit.path: sha256_hex(data)},
            "backups": [entry.backup_id for entry in transaction.entries],
        },
    )
    return transaction.transaction_id


def _why_no_new_test(project: Project, candidate: Candidate) -> str:
    """Says why what an operator ordered is no new test file of the project; empty when it is one."""
    if len(candidate.edits) != 1 or candidate.edits[0].before_sha256 is not None:
        return "a regression test is one new file"
    path = candidate.edits[0].path
    if not _NEW_TEST.search(path):
        return f"{path} is not named as a regression test"
    if current_bytes(project, path) is not None:
        return f"{path} exists; an existing test is never changed"
    if pattern := glob_match(path, project.settings.protect):
        return f"{path} may not be written: the setting `protect` names it ({pattern})"
    if not project.is_in_app(path):
        return f"{path} may not be written: it is in an environment, or not the project's own"
    reason = project.protected(path)
    return "" if reason.endswith(TESTS_JUDGE) else f"{path} may not be written: {reason or 'it is no test'}"


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
