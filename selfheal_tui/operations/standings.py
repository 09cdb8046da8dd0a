"""How every state of the system looks: one table of glyph, ASCII sign, word and tone for all faces.

Data only. A state is told by its word; glyph and tone only help the eye.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from selfheal_tui.model.approval import RequestState
from selfheal_tui.model.incident import IncidentState
from selfheal_tui.model.kinds import Outcome, Verdict
from selfheal_tui.operations.snapshot import Standing, Tone
from selfheal_tui.supervisor.lifecycle import ProgramState

_T = Tone

NEEDS_YOU = Standing("needs you", "!", "!", _T.ASK)
QUESTION_EXPIRED = Standing("question expired", "!", "!", _T.WARN)
ANSWERED = Standing("approved", "~", "~", _T.BUSY)

STATES: Mapping[IncidentState, Standing] = MappingProxyType(
    {
        IncidentState.DETECTED: Standing("detected", "~", "~", _T.WARN),
        IncidentState.ANALYZED: Standing("analyzed", "~", "~", _T.WARN),
        IncidentState.PROPOSING: Standing("proposing", "~", "~", _T.BUSY),
        IncidentState.VALIDATING: Standing("proving", "~", "~", _T.BUSY),
        IncidentState.AWAITING_APPROVAL: NEEDS_YOU,
        IncidentState.APPLYING: Standing("applying", "~", "~", _T.BUSY),
        IncidentState.ON_PROBATION: Standing("on probation", "◔", "~", _T.GOOD),
        IncidentState.CLOSED: Standing("closed", "-", "-", _T.QUIET),
    }
)
"""Of an incident that is not closed."""

OUTCOMES: Mapping[Outcome, Standing] = MappingProxyType(
    {
        Outcome.HEALED: Standing(Outcome.HEALED.value, "✓", "+", _T.GOOD),
        Outcome.HEALED_UNPROVEN: Standing(Outcome.HEALED_UNPROVEN.value, "✓", "+", _T.WARN),
        Outcome.EXPLAINED: Standing(Outcome.EXPLAINED.value, "?", "?", _T.WARN),
        Outcome.TRANSIENT: Standing(Outcome.TRANSIENT.value, "~", "~", _T.QUIET),
        Outcome.EXTERNAL: Standing(Outcome.EXTERNAL.value, "-", "-", _T.QUIET),
        Outcome.REJECTED: Standing(Outcome.REJECTED.value, "✗", "x", _T.BAD),
        Outcome.ROLLED_BACK: Standing(Outcome.ROLLED_BACK.value, "↺", "<", _T.WARN),
        Outcome.FAILED: Standing(Outcome.FAILED.value, "✗", "x", _T.BAD),
    }
)
"""Of a closed incident, and of a past attempt."""

UNKNOWN_OUTCOME = Standing("unknown", "?", "?", _T.QUIET)

VERDICTS: Mapping[Verdict, Standing] = MappingProxyType(
    {
        Verdict.PASS: Standing(Verdict.PASS.value, "✓", "+", _T.GOOD),
        Verdict.WARN: Standing(Verdict.WARN.value, "!", "!", _T.WARN),
        Verdict.FAIL: Standing(Verdict.FAIL.value, "✗", "x", _T.BAD),
        Verdict.NOT_POSSIBLE: Standing(Verdict.NOT_POSSIBLE.value, "–", "-", _T.QUIET),
    }
)
"""Of a rung that ended. `not possible` never looks like a pass."""

RUNG_RUNNING = Standing("running", "●", "*", _T.BUSY)
RUNG_WAITING = Standing("waiting", "·", ".", _T.QUIET)
RUNG_NOT_REACHED = Standing("not reached", "·", ".", _T.QUIET)

REQUESTS: Mapping[RequestState, Standing] = MappingProxyType(
    {
        RequestState.OPEN: NEEDS_YOU,
        RequestState.APPROVED: ANSWERED,
        RequestState.REJECTED: Standing("rejected", "✗", "x", _T.BAD),
        RequestState.EXPIRED: QUESTION_EXPIRED,
        RequestState.WITHDRAWN: Standing("replaced by another", "-", "-", _T.QUIET),
        RequestState.CONSUMED: Standing("approved and used", "✓", "+", _T.GOOD),
    }
)
"""Of a question to a person."""

PROGRAMS: Mapping[ProgramState, Standing] = MappingProxyType(
    {
        ProgramState.STARTING: Standing("starting", "~", "~", _T.BUSY),
        ProgramState.RUNNING: Standing("running", "●", "*", _T.GOOD),
        ProgramState.STOPPING: Standing("stopping", "~", "~", _T.BUSY),
        ProgramState.BACKING_OFF: Standing("waits to restart", "↺", "<", _T.WARN),
        ProgramState.BROKEN: Standing("crash loop, stopped", "✗", "x", _T.BAD),
        ProgramState.STOPPED: Standing("stopped", "○", "o", _T.QUIET),
    }
)
"""Of a supervised program."""

ENGINE_STARTING = Standing("starting", "~", "~", _T.BUSY)
ENGINE_RUNNING = Standing("running", "●", "*", _T.GOOD)
ENGINE_PAUSED = Standing("paused", "‖", "=", _T.WARN)
ENGINE_ELSEWHERE = Standing("running elsewhere", "●", "*", _T.GOOD)
ENGINE_NOT_RUNNING = Standing("not running", "○", "o", _T.WARN)
ENGINE_FAILED = Standing("failed", "✗", "x", _T.BAD)

RESTORABLE = Standing("can be restored", "↺", "<", _T.QUIET)
IS_THERE_NOW = Standing("is what is there now", "✓", "+", _T.GOOD)
UNREADABLE = Standing("unreadable", "✗", "x", _T.BAD)


def of_incident(
    state: IncidentState, outcome: Outcome | None, request: RequestState | None = None
) -> Standing:
    """Returns where an incident stands.

    Args:
        state: Its state.
        outcome: How it closed, if it did.
        request: Where its question to a person stands, while it waits for one.
    """
    if state is IncidentState.CLOSED and outcome is not None:
        return OUTCOMES[outcome]
    if state is IncidentState.AWAITING_APPROVAL and request is not None:
        return REQUESTS[request]
    return STATES[state]


def of_attempt(outcome: str) -> Standing:
    """Returns how a past attempt ended, by the word on record."""
    try:
        return OUTCOMES[Outcome(outcome)]
    except ValueError:
        return UNKNOWN_OUTCOME
