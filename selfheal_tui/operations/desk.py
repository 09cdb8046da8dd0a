"""The operator's desk: questions and decisions go in, snapshots come out. The only door a face has to the system.

Methods return at once; what they bring about arrives as an event, on a thread of the desk's. An implementation
reads the store and drives the engine on threads of its own; a face may not do either.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from selfheal_tui.operations.snapshot import (
    BackupFile,
    Board,
    History,
    IncidentDetail,
    Insights,
    PolicyView,
    RollbackPreview,
    RungView,
)
from selfheal_tui.supervisor.output import OutputSnapshot


@dataclass(frozen=True, slots=True)
class BoardChanged:
    """The home view is to show this now; at most ten a second."""

    board: Board


@dataclass(frozen=True, slots=True)
class DetailReady:
    """An incident in full, as asked for, and again whenever it changes while it is the one looked at."""

    detail: IncidentDetail


@dataclass(frozen=True, slots=True)
class ProofMoved:
    """A proof is being made.

    Attributes:
        incident_id: The incident.
        label: What is being proved, such as `candidate 2 · rules/none-guard` or `your edit`.
        rungs: All rungs of the ladder as they stand, one of them perhaps running.
        started_at: Unix time in seconds.
        ended: Whether it ended.
    """

    incident_id: str
    label: str
    rungs: tuple[RungView, ...]
    started_at: float
    ended: bool


@dataclass(frozen=True, slots=True)
class HistoryReady:
    """The history, as asked for."""

    history: History


@dataclass(frozen=True, slots=True)
class BackupsReady:
    """The backup tree, as asked for."""

    files: tuple[BackupFile, ...]


@dataclass(frozen=True, slots=True)
class PreviewReady:
    """What taking something back would do; `error` says why that cannot be told."""

    target: str
    preview: RollbackPreview | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class InsightsReady:
    """The insights, as asked for."""

    insights: Insights


@dataclass(frozen=True, slots=True)
class PolicyReady:
    """The policy, as asked for."""

    policy: PolicyView


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of a decision.

    Attributes:
        about: The id that the decision was about (request, incident, backup, program), or the verb.
        ok: Whether it was done.
        text: One sentence for the operator, with the remedy when it was not done.
    """

    about: str
    ok: bool
    text: str


@dataclass(frozen=True, slots=True)
class Working:
    """Something long runs.

    Attributes:
        errand: Unique id; `Desk.cancel_errand` takes it.
        text: What runs, such as `proving your edit of #a1b2`.
        started_at: Unix time in seconds.
        ended: Whether it ended.
        about: The id that it is about (request, incident), as in `Answered`; empty for none.
    """

    errand: str
    text: str
    started_at: float
    ended: bool
    about: str = ""


DeskEvent = (
    BoardChanged
    | DetailReady
    | ProofMoved
    | HistoryReady
    | BackupsReady
    | PreviewReady
    | InsightsReady
    | PolicyReady
    | Answered
    | Working
)


@dataclass(frozen=True, slots=True)
class EditedFile:
    """A file of a proposal as the operator wants it: its path and whole new text."""

    path: str
    text: str


class Desk(Protocol):
    """What a face can ask for. Every method returns at once and may be called from any thread."""

    def start(self, tell: Callable[[DeskEvent], None]) -> None:
        """Begins to watch (and to serve, unless told otherwise), and tells events from then on."""

    def stop(self) -> None:
        """Ends everything: programs, engine, errands. Returns within seconds; never waits for a model."""

    # -- questions ----------------------------------------------------------------------------------

    def look_at(self, incident_id: str) -> None:
        """Asks for an incident in full, now and whenever it changes; an empty id ends that."""

    def ask_history(self) -> None:
        """Asks for `HistoryReady`."""

    def ask_backups(self) -> None:
        """Asks for `BackupsReady`."""

    def ask_preview(self, target: str) -> None:
        """Asks for `PreviewReady`: of a backup id, an incident id, or `undo` for the last rollback."""

    def ask_insights(self) -> None:
        """Asks for `InsightsReady`."""

    def ask_policy(self) -> None:
        """Asks for `PolicyReady`."""

    def output(self, program: str, *, after: int = 0) -> OutputSnapshot:
        """Returns kept output of a program, from memory."""

    # -- decisions: each is followed by `Answered` ---------------------------------------------------

    def approve(self, request_id: str, *, code: str = "", reason: str = "") -> None:
        """Approves, and has it applied."""

    def reject(self, request_id: str, *, reason: str = "") -> None:
        """Rejects."""

    def revise(self, request_id: str, files: Sequence[EditedFile], *, what: str) -> None:
        """Puts the operator's version in place of a proposal; it is proved and asked anew.

        Args:
            request_id: The open question.
            files: The whole texts of the files that the new patch changes.
            what: Such as `2 of 3 hunks` or `edited by hand`.
        """

    def next_candidate(self, request_id: str) -> None:
        """Puts the next proved candidate in place of a proposal, or searches on when there is none."""

    def retry(self, incident_id: str) -> None:
        """Has an incident that was not healed looked at anew."""

    def cancel(self, incident_id: str) -> None:
        """Ends the work on an incident."""

    def cancel_errand(self, errand: str) -> None:
        """Ends something long that this desk started."""

    def roll_back(self, target: str, *, overwrite: bool = False, reason: str = "") -> None:
        """Carries out what `ask_preview` showed for the same target; refused when files changed since."""

    def pause(self, *, reason: str = "") -> None:
        """Stops all changes, in every process."""

    def resume(self) -> None:
        """Allows changes again."""

    def restart_program(self, name: str) -> None:
        """Starts a supervised program anew."""

    def stop_program(self, name: str) -> None:
        """Stops a supervised program."""

    def export(self, kind: str, form: str, file: str, *, text: str = "") -> None:
        """Writes `history` (`json`, `csv`, `md`), `insights` (`svg`, `json`) or a `screenshot` (`svg`) to a file.

        Args:
            kind: What.
            form: In which form.
            file: Where, relative to the root; an existing file that is not ours is never overwritten.
            text: The drawing, for `svg`, which only a face can make.
        """
