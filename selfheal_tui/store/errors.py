"""Everything that the store can refuse, as exceptions whose messages name the remedy.

The faces print these as they are, so each says what happened, to which file, and what to do about it.
"""

from __future__ import annotations

from pathlib import Path


class StoreError(RuntimeError):
    """The store could not do what it was asked.

    Attributes:
        problem: What happened.
        remedy: What the operator can do about it.
    """

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(f"{problem}; {remedy}" if remedy else problem)
        self.problem = problem
        self.remedy = remedy


class StoreUnavailableError(StoreError):
    """The state folder cannot be created, opened or trusted."""


class StoreLockedError(StoreError):
    """Another process holds the store for too long."""


class StoreWriteError(StoreError):
    """A record could not be written; the records before it are untouched."""


class CorruptStoreError(StoreError):
    """A file of the store is not what the store wrote.

    Attributes:
        file: The damaged file.
    """

    def __init__(self, file: Path, problem: str, remedy: str) -> None:
        super().__init__(f"{file}: {problem}", remedy)
        self.file = file


class UnknownIncidentError(StoreError):
    """No incident has that id."""


class AmbiguousIncidentError(StoreError):
    """Several incidents begin with that prefix."""


class IncidentConflictError(StoreError):
    """The id already belongs to another crash."""


class UnknownRequestError(StoreError):
    """No approval request has that id."""


class ApprovalConflictError(StoreError):
    """The request is not open, has expired, was used, or is about something else."""


class UnknownBackupError(StoreError):
    """No backup has that id."""


class BadReportError(StoreError):
    """A file in the inbox is not a crash report."""


class StaleTargetError(StoreError):
    """A file is no longer what the change was made from; nothing was changed.

    Attributes:
        path: The file, relative to the root.
    """

    def __init__(self, path: str, problem: str, remedy: str) -> None:
        super().__init__(f"{path}: {problem}", remedy)
        self.path = path


class WriteFailedError(StoreError):
    """A change could not be written; nothing was changed.

    Attributes:
        path: The file, relative to the root.
    """

    def __init__(self, path: str, problem: str, remedy: str) -> None:
        super().__init__(f"{path}: {problem}", remedy)
        self.path = path


class RefusedTargetError(WriteFailedError):
    """A path may never be written: outside the root, our own state, or not a regular file."""
