"""Puts a candidate on the proof ladder and hands the rungs out as they end.

It decides nothing: what a proof is worth is governance's business. It reads the live tree and writes
only into the isolated copy.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from selfheal_tui.checks.base import Baseline, CheckContext
from selfheal_tui.checks.ladder import climb
from selfheal_tui.model.candidate import Candidate
from selfheal_tui.model.crash import CrashReport
from selfheal_tui.model.diagnosis import Diagnosis
from selfheal_tui.model.evidence import RungReport
from selfheal_tui.model.incident import Fingerprint
from selfheal_tui.model.kinds import CaptureSource
from selfheal_tui.model.ports import ReplayPlan, Workspace
from selfheal_tui.model.settings import Settings
from selfheal_tui.pipeline.binding import contents_before
from selfheal_tui.source.fingerprint import fingerprint
from selfheal_tui.source.project import Project
from selfheal_tui.store import Store

QUICK_SHARE = 0.5
"""A command is replayed only if it crashed within this share of the replay's time limit, so that the
fixed program has time to get past the place."""

HANG_SHARE = 0.4
"""A replay is taken to hang after this share of the time for which the program was seen to hang."""
SHORTEST_HANG, LONGEST_HANG = 1.5, 3.0
"""Bounds of that, in seconds: a fix that takes longer than this is missed, which costs less than waiting."""


def replay_plans(
    store: Store, project: Project, report: CrashReport, settings: Settings, interpreter: str
) -> tuple[ReplayPlan, ...]:
    """Works out how a crash could be made to happen again, most telling first.

    Args:
        store: The store, whose inbox holds captured arguments.
        project: The project.
        report: The crash.
        settings: All settings.
        interpreter: The project's interpreter.

    Returns:
        The whole command first (if it crashed quickly) and the innermost call; without a command, every
        call whose arguments were captured. For a crash known from text alone: the script at the top of its
        traceback.
    """
    plans = []
    process = report.process
    # What hangs is ended early, as soon as it is seen to hang again.
    quick = report.stuck or process.seconds <= settings.sandbox.replay_seconds * QUICK_SHARE
    if process.argv and quick and not process.handled:
        plans.append(
            ReplayPlan(
                kind="command",
                argv=process.argv,
                cwd=process.cwd,
                sys_path=process.sys_path,
                hang_seconds=_hang_seconds(report, settings),
            )
        )
    if report.stuck or (plans and report.raised.bare_type == "RecursionError"):
        # The innermost call's arguments say nothing about the call that was meant.
        return tuple(plans)
    if not process.argv and report.source is CaptureSource.TEXT:
        script = _script_of(report)
        if script:
            plans.append(
                ReplayPlan(
                    kind="command",
                    argv=(interpreter, str(project.absolute(script))),
                    cwd=str(project.root),
                )
            )
    for call in report.replay if not plans else report.replay[:1]:
        payload = store.inbox.payload(report, call.payload) if call.payload else None
        if payload is not None and Path(payload).exists():
            plans.append(
                ReplayPlan(
                    kind="call",
                    cwd=process.cwd,
                    sys_path=process.sys_path,
                    module=call.module,
                    file=call.file,
                    qualname=call.qualname,
                    payload=str(payload),
                    is_async=call.is_async,
                )
            )
    return tuple(plans)


def _hang_seconds(report: CrashReport, settings: Settings) -> float:
    """How long a replay of a hang must stay in one loop to count as hanging."""
    if not report.stuck:
        return 0.0
    took = report.process.seconds * HANG_SHARE
    return max(SHORTEST_HANG, min(took, LONGEST_HANG, settings.sandbox.replay_seconds * QUICK_SHARE))


def validate(
    workspace: Workspace,
    project: Project,
    candidate: Candidate,
    *,
    report: CrashReport,
    crash: Fingerprint,
    diagnosis: Diagnosis,
    settings: Settings,
    plans: tuple[ReplayPlan, ...],
    baseline: Baseline,
) -> Iterator[RungReport]:
    """Climbs the ladder.

    Args:
        workspace: The isolated copy.
        project: The live project.
        candidate: The fix.
        report: The crash.
        crash: Its fingerprint.
        diagnosis: Its analysis.
        settings: All settings.
        plans: Ways to replay it.
        baseline: Shared results of the unfixed copy.

    Yields:
        Each rung's report as it ends.
    """
    yield from climb(
        CheckContext(
            project=project,
            report=report,
            fingerprint=crash,
            fingerprint_of=lambda other: fingerprint(project.localise(other)),
            diagnosis=diagnosis,
            candidate=candidate,
            before=contents_before(project, candidate),
            settings=settings,
            plans=plans,
            baseline=baseline,
            workspace=workspace,
        )
    )


def _script_of(report: CrashReport) -> str:
    for info in report.chain:
        if info.frames and info.frames[0].qualname == "<module>" and info.frames[0].path:
            return info.frames[0].path
    return ""
