"""Every decision an operator can take, once, for the command line and the console alike.

Plain functions over an open project. They never print and never wait for a person; what they refuse they answer
with the remedy. Errors that mean a broken store (`StoreError`) go through.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from selfheal_tui.operations.answers import Answer, Came
from selfheal_tui.operations.desk import EditedFile
from selfheal_tui.operations.snapshot import RollbackPreview
from selfheal_tui.pipeline.build import Opened
from selfheal_tui.pipeline.steps import Step

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

Tell = Callable[[Step], None]
"""Takes the engine's steps while something runs, on the thread that called."""


def approve(
    project: Opened, about: str, *, by: str, code: str = "", reason: str = "", tell: Tell | None = None
) -> Answer:
    """Approves an open question and has the fix applied, by whoever waits for the answer or else here.

    Args:
        project: The project.
        about: The request's id (then nothing but that very question is answered), or the incident's.
        by: The operator's name.
        code: The typed code, where the request needs one.
        reason: Why.
        tell: Takes the engine's steps.
    """
    raise NotImplementedError


def reject(project: Opened, about: str, *, by: str, reason: str = "", tell: Tell | None = None) -> Answer:
    """Rejects an open question; arguments as for `approve`."""
    raise NotImplementedError


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
        project: The project.
        about: The request's id, or the incident's.
        files: Whole texts of the files that the new patch changes.
        what: Such as `2 of 3 hunks` or `edited by hand`.
        by: The operator's name.
        tell: Takes `Proposed`, `RungEnded` and `Judged` while it is proved.
        stop: Set to cancel.
    """
    raise NotImplementedError


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
        project: The project.
        about: The request's id, or the incident's.
        by: The operator's name.
        number: Take this one, as `selfheal show` counts (1-based), also one that was set aside before.
        tell: Takes the steps of the search.
        stop: Set to cancel.
    """
    raise NotImplementedError


def preview(project: Opened, target: str) -> tuple[RollbackPreview | None, str]:
    """Works out what taking something back would do, writing nothing.

    Args:
        project: The project.
        target: A backup id, an incident id, or `undo` for the last rollback.

    Returns:
        The preview, or why there is none.
    """
    raise NotImplementedError


def roll_back(
    project: Opened,
    target: str,
    *,
    by: str,
    overwrite: bool = False,
    reason: str = "",
    shown: RollbackPreview | None = None,
) -> Answer:
    """Takes a fix back, restores a backup, or (target `undo`) takes the last rollback back.

    Args:
        project: The project.
        target: As for `preview`.
        by: The operator's name.
        overwrite: Restore over conflicting later edits, which are backed up first.
        reason: Why.
        shown: What the operator saw; refused when it would be anything else now. None trusts the plan of now.
    """
    raise NotImplementedError


def undo(
    project: Opened,
    *,
    by: str,
    overwrite: bool = False,
    reason: str = "",
    shown: RollbackPreview | None = None,
) -> Answer:
    """Takes the last rollback back; arguments as for `roll_back`."""
    raise NotImplementedError


def pause(project: Opened, *, by: str, reason: str = "") -> Answer:
    """Stops all changes, in every process."""
    raise NotImplementedError


def resume(project: Opened, *, by: str) -> Answer:
    """Allows changes again."""
    raise NotImplementedError


def retry(project: Opened, incident_id: str, *, by: str) -> Answer:
    """Has an incident that was not healed looked at anew, by the engine that serves the project."""
    raise NotImplementedError


def cancel(project: Opened, incident_id: str, *, by: str) -> Answer:
    """Ends the work on an incident that nobody is at: it is closed as rejected.

    One that a worker of this very process walks is cancelled through its service instead.
    """
    raise NotImplementedError
