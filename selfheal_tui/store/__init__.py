"""Floor 1: what is on disk: history, incidents, approvals, backups. Bytes in, bytes out."""

from __future__ import annotations

from selfheal_tui.store.audit import Verification
from selfheal_tui.store.errors import (
    AmbiguousIncidentError,
    ApprovalConflictError,
    BadReportError,
    CorruptStoreError,
    IncidentConflictError,
    RefusedTargetError,
    StaleTargetError,
    StoreError,
    StoreLockedError,
    StoreUnavailableError,
    StoreWriteError,
    UnknownBackupError,
    UnknownIncidentError,
    UnknownRequestError,
    WriteFailedError,
)
from selfheal_tui.store.pause import Paused
from selfheal_tui.store.store import Store
from selfheal_tui.store.transactions import Change, Transaction

__all__ = [
    "AmbiguousIncidentError",
    "ApprovalConflictError",
    "BadReportError",
    "Change",
    "CorruptStoreError",
    "IncidentConflictError",
    "Paused",
    "RefusedTargetError",
    "StaleTargetError",
    "Store",
    "StoreError",
    "StoreLockedError",
    "StoreUnavailableError",
    "StoreWriteError",
    "Transaction",
    "UnknownBackupError",
    "UnknownIncidentError",
    "UnknownRequestError",
    "Verification",
    "WriteFailedError",
]
