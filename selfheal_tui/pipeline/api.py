"""The seed's interface, to the letter: heal a live exception from inside the program that caught it.

It is a thin face of the engine: the same capture, ladder, governance and store as the command line, so
that both give the same result. It never prints, never waits for a person and never raises on its own
account: a healer that fails says so in its result and leaves the program alone.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from selfheal_tui.model.crash import CrashReport
from selfheal_tui.model.incident import Incident, IncidentState
from selfheal_tui.model.kinds import Outcome
from selfheal_tui.model.record import BackupEntry
from selfheal_tui.model.serial import from_builtins, to_builtins
from selfheal_tui.model.settings import ProjectSettings
from selfheal_tui.pipeline.analyze import analyze
from selfheal_tui.pipeline.build import open_project
from selfheal_tui.pipeline.govern import ToolGovernance
from selfheal_tui.pipeline.inprocess import TakenOver, remember, take_over
from selfheal_tui.pipeline.learn import FactChecker, validation_dict
from selfheal_tui.pipeline.snippets import check_snippet, propose_snippet
from selfheal_tui.pipeline.steps import ApprovalNeeded
from selfheal_tui.pipeline.system import Engine, Silence, follow
from selfheal_tui.source.project import Project
from selfheal_tui.source.text import decode_source


@dataclass(slots=True)
class CodebaseIssue:
    """An issue in the seed's shape.

    Attributes:
        file_path: File of the suspect frame, relative to the root, or `unknown`.
        line_number: Its line.
        issue_type: One of the seed's six categories.
        severity: critical, high, medium or low.
        description: The exception's message.
        error_message: `Type: message`.
        stack_trace: As handed in.
        root_cause: One sentence.
        suggested_fix: Unified diff of the proposed fix.
        fix_validated: Whether its proof is acceptable.
        fix_applied: Whether it is on disk.
        timestamp: ISO 8601 with offset.
        report: The capture behind it.
    """

    file_path: str
    line_number: int | None
    issue_type: str
    severity: str
    description: str
    error_message: str | None = None
    stack_trace: str | None = None
    root_cause: str | None = None
    suggested_fix: str | None = None
    fix_validated: bool = False
    fix_applied: bool = False
    timestamp: str = field(default_factory=lambda: datetime.now(UTC).isoformat())
    report: CrashReport | None = field(default=None, repr=False)


@dataclass(slots=True)
class SelfHealingResult:
    """What became of one call of `detect_and_heal`.

    Attributes:
        success: Whether a fix was applied.
        issue_detected: Whether the exception concerns the project's own code.
        issue: The issue.
        fix_proposed: Whether there was a candidate.
        fix_validated: Whether its proof is acceptable.
        fix_applied: Whether it is on disk.
        rollback_performed: Whether it was taken back.
        message: For the log.
        changes: What was done: `backup_created`, `file_modified`, `approval_requested`; `swapped` names what runs
            new code in this process already, `restart_needed` what cannot without a restart.
        incident_id: For `selfheal show`.
        outcome: The honest outcome; empty while a person has to decide.
    """

    success: bool
    issue_detected: bool
    issue: CodebaseIssue | None = None
    fix_proposed: bool = False
    fix_validated: bool = False
    fix_applied: bool = False
    rollback_performed: bool = False
    message: str = ""
    changes: list[dict[str, Any]] = field(default_factory=list)
    incident_id: str = ""
    outcome: str = ""


def capture(error: BaseException, stack_trace: str, context: Mapping[str, Any], root: Path) -> CrashReport:
    """Captures a live exception; one without a traceback is read from its text.

    Args:
        error: The exception.
        stack_trace: `traceback.format_exc()`, used when the exception carries no traceback of its own.
        context: What the program says about its work.
        root: The project.
    """
    from selfheal_tui.probe.capture import capture_exception

    if error.__traceback__ is None and stack_trace.strip():
        from selfheal_tui.source.tracebacks import NotATracebackError, parse_traceback

        try:
            return parse_traceback(stack_trace)
        except NotATracebackError:
            pass  # the live exception below still tells its type and message
    inbox = root / ".selfheal" / "inbox"
    payloads = str(inbox) if inbox.is_dir() else None
    raw = capture_exception(error, root=str(root), payload_dir=payloads, context=dict(context))
    return from_builtins(raw | {"source": "in-process"}, CrashReport)


def issue_of(report: CrashReport, project: Project, stack_trace: str) -> CodebaseIssue:
    """Puts a diagnosis into the seed's shape."""
    diagnosis = analyze(report, project)
    suspect = diagnosis.suspect
    return CodebaseIssue(
        file_path=suspect.path if suspect else "unknown",
        line_number=suspect.line if suspect else None,
        issue_type=diagnosis.issue_type.value,
        severity=diagnosis.severity.value,
        description=report.raised.message,
        error_message=f"{report.raised.type}: {report.raised.message}",
        stack_trace=stack_trace,
        root_cause=diagnosis.root_cause,
        report=report,
    )


class CodebaseAnalyzer:
    """Tells whether an error is the project's own, and what is behind it."""

    def __init__(self, codebase_root: str | Path = ".") -> None:
        self.codebase_root = Path(codebase_root).resolve()
        self._project = Project(self.codebase_root, ProjectSettings())

    def is_codebase_error(self, error: BaseException, stack_trace: str = "") -> bool:
        """Tells whether the innermost in-app frame exists and code could be the cause.

        Args:
            error: The exception.
            stack_trace: Its formatted traceback.
        """
        report = self._project.localise(capture(error, stack_trace, {}, self.codebase_root))
        return report.suspect() is not None and analyze(report, self._project).is_code

    def analyze_issue(
        self, error: BaseException, stack_trace: str = "", context: Mapping[str, Any] | None = None
    ) -> CodebaseIssue | None:
        """Analyzes an exception.

        Args:
            error: The exception.
            stack_trace: Its formatted traceback.
            context: What the program says about its work.

        Returns:
            The issue, or None when no frame is the project's own code.
        """
        report = self._project.localise(capture(error, stack_trace, context or {}, self.codebase_root))
        return issue_of(report, self._project, stack_trace) if report.suspect() else None


class FixProposer:
    """Proposes a fix for an issue, without touching anything."""

    def __init__(self, codebase_root: str | Path = ".") -> None:
        self.codebase_root = Path(codebase_root).resolve()

    def propose_fix(self, issue: CodebaseIssue) -> str | None:
        """Returns the unified diff of the most promising candidate, or None when there is none.

        Args:
            issue: From `CodebaseAnalyzer.analyze_issue`.
        """
        return propose_snippet(self.codebase_root, issue.report)


class FixValidator:
    """Checks a proposed text without running it."""

    def validate_fix(
        self, issue: CodebaseIssue, proposed_fix: str, original_file: str | None = None
    ) -> dict[str, Any]:
        """Checks syntax, new capabilities and honesty of a proposed text.

        This is the static part of the ladder alone, for a text that is not merged yet; the full ladder,
        with replay and tests, is climbed by `SelfHealingSystem`.

        Args:
            issue: What it is meant to cure.
            proposed_fix: New text of the file, or a part of it.
            original_file: Text of the file before, if known.

        Returns:
            `valid`, `errors`, `warnings`, `syntax_valid`, `imports_valid`, `safe_to_apply`.
        """
        return check_snippet(proposed_fix, original_file, missing=issue.description)


class SelfHealingSystem:
    """Detects and heals from inside the program."""

    def __init__(
        self, codebase_root: str | Path = ".", *, environment: str | None = None, model: str | None = None
    ) -> None:
        self.codebase_root = Path(codebase_root).resolve()
        self.analyzer = CodebaseAnalyzer(self.codebase_root)
        self.fix_proposer = FixProposer(self.codebase_root)
        self.validator = FixValidator()
        self.fact_checker = FactChecker()
        self._flags = {"environment": environment} if environment else {}
        if model:
            self._flags["model.name"] = model
        self.governance = ToolGovernance(environment or "production")

    @property
    def healing_history(self) -> list[dict[str, Any]]:
        """Past attempts on this project, oldest first, in the seed's record format and more."""
        with open_project(self.codebase_root, environ=os.environ, flags=self._flags) as opened:
            return [to_builtins(attempt) for attempt in opened.engine.store.attempts.all()]

    def detect_and_heal(
        self, error: BaseException, stack_trace: str = "", context: Mapping[str, Any] | None = None
    ) -> SelfHealingResult:
        """Heals a live exception as far as policy allows; never waits for a person, never raises.

        After a fix was applied this process runs the new code: the same call on the same object may be made again
        at once. What cannot be taken over is told in `message` as `restart needed: …`, and in `changes`.

        Args:
            error: The exception, as caught.
            stack_trace: `traceback.format_exc()`.
            context: What the program says about its work; `environment` chooses the policy, unset means
                what the settings say, and without any setting `production`.

        Returns:
            What happened. When a person has to decide, `changes` holds the request; after
            `selfheal approve` the fix is on disk.
        """
        facts = dict(context or {})
        flags = dict(self._flags)
        if "environment" in facts:
            flags["environment"] = str(facts["environment"])
        try:
            with open_project(self.codebase_root, environ=os.environ, flags=flags) as opened:
                remember(self.codebase_root)
                return self._heal(opened.engine, error, stack_trace, facts)
        except Exception as failure:  # noqa: BLE001 - whatever fails here must not reach the program
            self.fact_checker.record_failure("self_healing", f"{type(failure).__name__}: {failure}")
            return SelfHealingResult(
                success=False,
                issue_detected=False,
                message=f"the healer itself failed: {type(failure).__name__}: {failure}",
                outcome=Outcome.FAILED.value,
            )

    def _heal(
        self, engine: Engine, error: BaseException, stack_trace: str, context: Mapping[str, Any]
    ) -> SelfHealingResult:
        report = capture(error, stack_trace, context, self.codebase_root)
        incident = engine.take_in(report)
        ended = follow(
            engine.walk(incident),
            lambda step: Silence.LEAVE_OPEN if isinstance(step, ApprovalNeeded) else None,
        )
        if ended.state is IncidentState.ON_PROBATION:
            ended = engine.closer.confirm(ended, "applied; proved in an isolated copy")
        return self._result(engine, ended, stack_trace)

    def _result(self, engine: Engine, incident: Incident, stack_trace: str) -> SelfHealingResult:
        attempt = incident.chosen_attempt or (incident.attempts[-1] if incident.attempts else None)
        healed = incident.outcome in (Outcome.HEALED, Outcome.HEALED_UNPROVEN)
        issue = issue_of(incident.report, engine.project, stack_trace)
        result = SelfHealingResult(
            success=healed,
            issue_detected=incident.report.suspect() is not None,
            issue=issue,
            fix_proposed=attempt is not None,
            fix_validated=attempt is not None and attempt.proof.acceptable,
            fix_applied=healed,
            message=incident.message,
            incident_id=incident.incident_id,
            outcome=incident.outcome.value if incident.outcome else "",
        )
        issue.fix_applied, issue.fix_validated = healed, result.fix_validated
        if attempt is not None:
            issue.suggested_fix = engine.closer.diff_of(attempt)
            result.changes.append({"type": "validation", **validation_dict(attempt.proof)})
        if incident.state is IncidentState.AWAITING_APPROVAL:
            result.message = f"Fix requires approval. Approval ID: {incident.request_id}. {incident.message}"
            result.changes.append({"type": "approval_requested", "approval_id": incident.request_id})
        if healed:
            entries = engine.store.backups.of_transaction(incident.transaction_id)
            for entry in entries:
                result.changes.append({"type": "backup_created", "backup_path": entry.backup_id})
                result.changes.append({"type": "file_modified", "file": entry.path})
            taken = self._taken_over(engine, entries)
            result.changes += taken.changes()
            result.message = " · ".join(filter(None, (result.message, taken.sentence())))
            self.fact_checker.record_success("self_healing", {"incident": incident.incident_id})
        else:
            self.fact_checker.record_failure("self_healing", incident.message)
        return result

    def _taken_over(self, engine: Engine, entries: Sequence[BackupEntry]) -> TakenOver:
        before: dict[str, str] = {}
        for entry in entries:
            data = engine.store.backups.read(entry)
            if data is not None and entry.path.endswith(".py"):
                before[entry.path] = decode_source(data, entry.path).text
        return take_over(self.codebase_root, before, [entry.path for entry in entries])


_systems: dict[Path, SelfHealingSystem] = {}


def get_self_healing_system(codebase_root: str | Path = ".") -> SelfHealingSystem:
    """Returns the one system of a project in this process, as the seed does.

    Args:
        codebase_root: The project.
    """
    root = Path(codebase_root).resolve()
    return _systems.setdefault(root, SelfHealingSystem(root))
