"""Drives the engine from a command line: has its steps told, and waits for decisions.

It only waits. Who may approve, and what, is governance's business; `--yes` is an operator's standing
consent and is not taken where an approval must be typed.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, TypeVar

from selfheal_tui.commands.common import operator, say
from selfheal_tui.commands.narration import tell, tell_json
from selfheal_tui.pipeline.steps import ApprovalNeeded
from selfheal_tui.pipeline.system import Engine, Silence, follow

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Consent:
    """How approval requests are answered.

    Attributes:
        yes: The operator agreed beforehand to whatever is proved and need not be typed.
        wait_seconds: How long to wait for an answer from anywhere; then it is denied.
        leave_open: Do not wait and do not deny: leave the request for `selfheal approve`.
    """

    yes: bool
    wait_seconds: float
    leave_open: bool


def drive(
    engine: Engine, walk: Generator[Any, Silence | None, T], consent: Consent, *, as_json: bool = False
) -> T:
    """Runs a walk to its end.

    Args:
        engine: The engine.
        walk: From `Engine.walk`, `Engine.resume` or `run_and_heal`.
        consent: How requests are answered.
        as_json: Tell steps as JSON lines on standard error instead of in words.

    Returns:
        What the walk returned.
    """

    def answer(step: object) -> Silence | None:
        (tell_json if as_json else tell)(step)
        return _answer(engine, step, consent) if isinstance(step, ApprovalNeeded) else None

    return follow(walk, answer)


def _answer(engine: Engine, step: ApprovalNeeded, consent: Consent) -> Silence | None:
    request = step.request
    if consent.yes and not request.needs_code:
        engine.governance.decide(
            request.request_id, approve=True, by=operator(), reason="agreed beforehand with --yes"
        )
        return None
    if consent.yes:
        say("           --yes does not count here: this approval must be typed")
    if consent.leave_open:
        return Silence.LEAVE_OPEN
    say(f"           waiting up to {consent.wait_seconds:.0f} s for an answer; silence is a denial")
    try:
        engine.store.approvals.wait(request.request_id, consent.wait_seconds, cancelled=lambda: False)
    except KeyboardInterrupt:
        say("           not waiting any longer; the request stays open")
        return Silence.LEAVE_OPEN
    return Silence.DENY
