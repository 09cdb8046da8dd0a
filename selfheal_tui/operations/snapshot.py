"""What an operator sees, as immutable snapshots: made in the background, drawn by any face. No I/O.

Every string that came from a program or a model is made visible here already (`source.display.visible`),
except the texts of `FileChange`, which are exact because hunks are chosen in them; whoever draws those makes each
line visible. A face may not parse any of these strings as markup.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Tone(StrEnum):
    """How a state feels; a face maps it to a colour, and never tells a state by it alone."""

    ASK = "ask"
    BUSY = "busy"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class Standing:
    """A state as glyph, word and tone.

    Attributes:
        word: Such as `needs you` or `healed`.
        glyph: One cell wide.
        ascii: One cell wide, in ASCII.
        tone: How it feels.
    """

    word: str
    glyph: str
    ascii: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """An incident in the list.

    Attributes:
        incident_id: Its id.
        standing: Where it stands.
        risk: Light of what it waits for, such as `RED`; empty when it waits for nothing.
        error: Bare exception type.
        message: Its message, in one line.
        place: `path:line`.
        kind: Issue type and severity, such as `reliability critical`.
        count: How often the crash was seen.
        environment: Where.
        first_seen: Unix time in seconds.
        last_seen: Unix time in seconds.
        since: Unix time in seconds at which it got where it stands.
        note: The last thing worth telling, in one line; for a running proof such as `tests 14/52`.
        needs_person: Whether somebody has to decide.
        request_id: Its open request, or empty.
        open: Whether it is not closed yet.
    """

    incident_id: str
    standing: Standing
    risk: str
    error: str
    message: str
    place: str
    kind: str
    count: int
    environment: str
    first_seen: float
    last_seen: float
    since: float
    note: str = ""
    needs_person: bool = False
    request_id: str = ""
    open: bool = True


@dataclass(frozen=True, slots=True)
class RungView:
    """One rung of a proof.

    Attributes:
        name: One of `model.evidence.RUNGS`.
        standing: `pass`, `warn`, `fail`, `not possible`, `running`, `waiting`, or `not reached` when the climb
            ended before it.
        summary: One line.
        details: Evidence, a line each.
        seconds: How long it took; 0 while it runs.
        isolation: How it was walled off; empty when nothing was run.
        started_at: Unix time in seconds at which it began; 0 unless it runs.
    """

    name: str
    standing: Standing
    summary: str = ""
    details: tuple[str, ...] = ()
    seconds: float = 0.0
    isolation: str = ""
    started_at: float = 0.0


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file before and after, as exact texts.

    Attributes:
        path: Relative to the root (visible).
        before: Text that the fix was made from, or that is there now; empty for a new file.
        after: Text that would be, or was, written; empty for a deleted one.
        note: Such as `merge around later edits`; empty for none.
    """

    path: str
    before: str
    after: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class CandidateView:
    """A fix that was tried.

    Attributes:
        number: 1-based, as `selfheal show` counts.
        candidate_id: Short id.
        by: Such as `rules/misspelt-attribute`.
        reason: Why it should help.
        confidence: 0 to 1.
        changes: Its files.
        added: Lines added.
        removed: Lines removed.
        rungs: Its proof, every rung of the ladder in order.
        note: Why it was not taken, if it was not.
        notes: What the operator should know.
        acceptable: Whether it may be offered.
    """

    number: int
    candidate_id: str
    by: str
    reason: str
    confidence: float
    changes: tuple[FileChange, ...]
    added: int
    removed: int
    rungs: tuple[RungView, ...]
    note: str = ""
    notes: tuple[str, ...] = ()
    acceptable: bool = False


@dataclass(frozen=True, slots=True)
class FrameView:
    """One frame: where, its line, and its telling locals as (name, repr)."""

    place: str
    qualname: str
    source: str
    in_app: bool
    locals: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ErrorView:
    """One exception of the chain, with the way it is linked (`raised`, `cause`, `context`, `group`)."""

    link: str
    type: str
    message: str
    frames: tuple[FrameView, ...]


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """One step or decision.

    Attributes:
        at: Unix time in seconds.
        kind: Such as `candidate.proved`.
        actor: Who.
        text: Facts, in one line; tokens and money among them.
    """

    at: float
    kind: str
    actor: str
    text: str


@dataclass(frozen=True, slots=True)
class RequestView:
    """A question to the operator.

    Attributes:
        request_id: Its id.
        incident_id: The incident.
        candidate_id: The fix in question.
        risk: `RED`, `YELLOW` or `GREEN`.
        action: Such as `self_modify_codebase`.
        headline: Files, added and removed lines, who proposed it, with which confidence.
        why: Why it is asked, a sentence each.
        rungs: The proof.
        needs_code: Whether `code` must be typed after the key.
        code: The four characters.
        created_at: Unix time in seconds.
        expires_at: Unix time in seconds.
        state: `open`, `approved`, `rejected`, `expired` or `consumed`.
        others: How many other proved candidates there are.
    """

    request_id: str
    incident_id: str
    candidate_id: str
    risk: str
    action: str
    headline: str
    why: tuple[str, ...]
    rungs: tuple[RungView, ...]
    needs_code: bool
    code: str
    created_at: float
    expires_at: float
    state: str
    others: int = 0


@dataclass(frozen=True, slots=True)
class IncidentDetail:
    """An incident in full.

    Attributes:
        row: As in the list.
        cause: Root cause, in a sentence.
        explanation: Longer text, with line ends.
        reason: Why it was classified so.
        failing: The failing expression.
        trail: `path:line qualname` where the bad value came by, latest first.
        chain: The exceptions, the raised one first.
        candidates: What was tried, in order.
        chosen: Index in `candidates` of what is proposed or applied; -1 for none.
        request: The open question, if there is one.
        timeline: Oldest first.
        transaction_id: Its applied change; empty when there is none to take back.
        cost: Tokens and money, in words; empty when no model was asked.
    """

    row: IncidentRow
    cause: str
    explanation: str
    reason: str
    failing: str
    trail: tuple[str, ...]
    chain: tuple[ErrorView, ...]
    candidates: tuple[CandidateView, ...]
    chosen: int
    request: RequestView | None
    timeline: tuple[TimelineRow, ...]
    transaction_id: str = ""
    cost: str = ""

    @property
    def candidate(self) -> CandidateView | None:
        """The fix that is proposed or applied, else the last one tried."""
        if 0 <= self.chosen < len(self.candidates):
            return self.candidates[self.chosen]
        return self.candidates[-1] if self.candidates else None


@dataclass(frozen=True, slots=True)
class ProgramView:
    """A supervised program.

    Attributes:
        name: Its name.
        command: Its command line.
        standing: Its state.
        pid: Its process; 0 for none.
        run: How often it was started.
        crashes: How often it ended by itself with a failure.
        message: The last thing worth telling.
        since: Unix time in seconds of its state.
    """

    name: str
    command: str
    standing: Standing
    pid: int
    run: int
    crashes: int
    message: str
    since: float


@dataclass(frozen=True, slots=True)
class EngineView:
    """The engine of the project.

    Attributes:
        standing: `running`, `paused`, `running elsewhere`, `not running` or `failed`.
        detail: One sentence, such as who holds it or who paused it and why.
        working: Incidents that are being healed now.
        queued: Incidents that wait for a worker.
    """

    standing: Standing
    detail: str = ""
    working: tuple[str, ...] = ()
    queued: int = 0


@dataclass(frozen=True, slots=True)
class Board:
    """What the console's home shows, at one moment.

    Attributes:
        revision: Counts up with every change.
        project: Name of the project's folder.
        root: Its path.
        environment: In force.
        read_only: Whether decisions are refused in this console.
        engine: The engine.
        rows: Incidents, those that need somebody first, then the newest.
        requests: Open questions, oldest first; their rungs without evidence, which is in the detail.
        programs: Supervised by this console.
        problems: What failed in the tool itself, newest last, bounded.
        loading: Whether the store has not been read yet.
    """

    revision: int
    project: str
    root: str
    environment: str
    read_only: bool
    engine: EngineView
    rows: tuple[IncidentRow, ...] = ()
    requests: tuple[RequestView, ...] = ()
    programs: tuple[ProgramView, ...] = ()
    problems: tuple[str, ...] = ()
    loading: bool = False

    @property
    def needs_you(self) -> int:
        """How many incidents wait for a person."""
        return len(self.requests)


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One past attempt (a line of `healing_history`).

    Attributes:
        key: Unique in the list.
        at: Unix time in seconds.
        incident_id: The incident.
        standing: Its outcome.
        success: Whether the fix was applied and held.
        error: `Type: message`.
        file: Suspect file.
        kind: Issue type and severity.
        by: Proposer and rule or model; empty when nothing was proposed.
        decided_by: Who allowed or refused it.
        seconds: From detection to the record.
        tokens: Tokens spent.
        usd: Money spent; None when unknown.
        preview: Beginning of its diff.
        validation: Its proof in words, a line each.
        decided: Whether it is over; a fix that is still watched is neither a success nor a failure.
    """

    key: str
    at: float
    incident_id: str
    standing: Standing
    success: bool
    error: str
    file: str
    kind: str
    by: str
    decided_by: str
    seconds: float
    tokens: int
    usd: float | None
    preview: str
    validation: tuple[str, ...]
    decided: bool = True


@dataclass(frozen=True, slots=True)
class History:
    """All past attempts, newest first, and whether the audit trail is whole (`audit_ok` None: not checked yet)."""

    rows: tuple[AttemptRow, ...]
    audit_ok: bool | None = None
    audit_text: str = ""


@dataclass(frozen=True, slots=True)
class BackupVersion:
    """One saved version of a file.

    Attributes:
        backup_id: Its id, as `selfheal rollback` takes it.
        path: The file.
        created_at: Unix time in seconds.
        what: What replaced it, such as `before the fix of #a1b2` or `before a rollback`.
        sha: First digits of its hash, or `(did not exist)`.
        incident_id: The incident, or empty.
        transaction_id: The change it belongs to.
        size: Bytes; 0 when it did not exist.
        standing: `can be restored`, `is what is there now`, or `unreadable`.
    """

    backup_id: str
    path: str
    created_at: float
    what: str
    sha: str
    incident_id: str
    transaction_id: str
    size: int
    standing: Standing


@dataclass(frozen=True, slots=True)
class BackupFile:
    """A file with its saved versions, newest first."""

    path: str
    versions: tuple[BackupVersion, ...]


@dataclass(frozen=True, slots=True)
class RollbackPreview:
    """What taking something back would do, exactly.

    Attributes:
        target: Backup id, incident id, or transaction to undo, as it was asked for.
        title: What it is, in a line.
        changes: A file each: as it is now, as it would be, and what would be done in `note`.
        conflicts: Paths that were edited since in the same place; nothing is written unless overwritten.
        nothing: Whether there is nothing to do.
    """

    target: str
    title: str
    changes: tuple[FileChange, ...]
    conflicts: tuple[str, ...] = ()
    nothing: bool = False


@dataclass(frozen=True, slots=True)
class Series:
    """Numbers to plot.

    Attributes:
        name: What they are.
        labels: One a value, such as days or rules.
        values: The numbers.
        unit: Such as `incidents`, `s` or `USD`.
    """

    name: str
    labels: tuple[str, ...]
    values: tuple[float, ...]
    unit: str


@dataclass(frozen=True, slots=True)
class Insights:
    """What became of all incidents, and what was learned.

    Attributes:
        per_day: Incidents a day.
        outcomes: How often each outcome.
        time_to_heal: Mean seconds from detection to the record of the healed ones, a value a day.
        by_rule: Success rate per rule or model, best supported first.
        by_rule_counts: Attempts per rule or model, same labels as `by_rule`.
        money: USD a day.
        learned: What the system has learned, a sentence each.
        totals: Headline numbers, name to text.
    """

    per_day: Series
    outcomes: Series
    time_to_heal: Series
    by_rule: Series
    by_rule_counts: Series
    money: Series
    learned: tuple[str, ...]
    totals: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SettingView:
    """A setting in force, and where its value came from."""

    key: str
    value: str
    source: str
    help: str


@dataclass(frozen=True, slots=True)
class PolicyView:
    """The policy in force.

    Attributes:
        environment: In force.
        environment_source: Where that came from.
        version: Hash of the policy.
        lights: Action and light.
        rules: Reasons to ask: name, sentence, and whether it is met by every change in this environment.
        outcome: What that means here, a sentence each, such as `local: proved, unflagged fixes go ahead unasked`.
        budgets: Limit, what is used of it, in words.
        settings: Every setting.
        paused: By whom, why, since when; empty when healing goes on.
        sandbox: How candidates are walled off here.
    """

    environment: str
    environment_source: str
    version: str
    lights: tuple[tuple[str, str], ...]
    rules: tuple[tuple[str, str, bool], ...]
    outcome: tuple[str, ...]
    budgets: tuple[tuple[str, str], ...]
    settings: tuple[SettingView, ...]
    paused: str = ""
    sandbox: str = ""
