"""What a transaction is about to do, written down before it does anything. No I/O."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One file of a transaction; all paths are relative to the root.

    Attributes:
        path: As the change names it.
        real: The file itself, after following links.
        temporary: Where its new content is written first, beside it.
        backup_id: Its backup.
        before_sha256: Hash of its bytes before; None when it did not exist.
        after_sha256: Hash of its bytes after; None when it is deleted.
        mode: Permission bits before.
        uid: Owner before.
        gid: Group before.
    """

    path: str
    real: str
    temporary: str
    backup_id: str
    before_sha256: str | None
    after_sha256: str | None
    mode: int
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Intent:
    """A transaction that has begun.

    Attributes:
        transaction_id: Its id.
        incident_id: The incident.
        kind: `heal` or `rollback`.
        at: Unix time in seconds.
        steps: Its files.
        folders: Folders that it creates, parents first.
    """

    transaction_id: str
    incident_id: str
    kind: str
    at: float
    steps: tuple[Step, ...]
    folders: tuple[str, ...] = ()
