"""The replay rung: the crash is made to happen again, and then with the fix it does not.

Each plan is run on the unfixed copy first; only one that crashes *the same way* there can prove anything.
Runs programs in the isolated copy only, and puts the original bytes back.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from selfheal_tui.checks.base import CheckContext
from selfheal_tui.checks.coverage import changed_by
from selfheal_tui.checks.definitions import plain_qualname
from selfheal_tui.checks.endings import doubt_about_ending, is_same_hang
from selfheal_tui.checks.findings import clip, make_report
from selfheal_tui.checks.judged import judging_test
from selfheal_tui.checks.moved import crashed_in_changed_code
from selfheal_tui.checks.pairs import python_pairs
from selfheal_tui.checks.written import written
from selfheal_tui.model.crash import CrashReport
from selfheal_tui.model.evidence import RungReport
from selfheal_tui.model.kinds import Verdict
from selfheal_tui.model.ports import ReplayPlan, ReplayResult, ReplayStatus

RERUN_BELOW_SECONDS = 5.0
"""A green replay whose baseline took less is run once more, to catch crashes that come and go."""
_HEAD_CHARS = 60


class Sameness(StrEnum):
    """How alike two crashes are."""

    SAME = "same"
    ALIKE = "alike"
    OTHER = "other"


class Effect(StrEnum):
    """What the fix did to one replay."""

    GREEN = "green"
    GREEN_BUT = "green, but it ended with an error code"
    FLAKY = "green once and not again"
    PROGRESSED = "another crash further on"
    CONTRADICTED = "an assertion fails further on"
    RED = "the same crash"
    MOVED = "the crash only moved"
    TIMEOUT = "it no longer ends"
    NOT_RUN = "could not be run with the fix"


FAILING = frozenset({Effect.RED, Effect.MOVED, Effect.TIMEOUT})


@dataclass(frozen=True, slots=True)
class Outcome:
    """One plan's outcome; `effect` is None when its crash could not be reproduced."""

    plan: ReplayPlan
    effect: Effect | None
    text: str


def plan_name(plan: ReplayPlan) -> str:
    """Names a plan for the operator."""
    if plan.kind == "call":
        return f"call {plan.qualname}()"
    return "command " + " ".join(plan.argv)[:120]


def crash_name(report: CrashReport | None) -> str:
    """Spells the exception of a report in one line."""
    if report is None:
        return "a crash that was not captured"
    info = report.raised
    lines = info.message.splitlines()
    return f"{info.bare_type}: {lines[0][:120]}" if lines else info.bare_type


def compare_crashes(context: CheckContext, other: CrashReport | None) -> Sameness:
    """Compares a crash with the incident's.

    The fingerprint decides. A crash known from text or from an older interpreter carries less, so the
    same exception from the same function with the same beginning of its message is taken for it, too.
    """
    if other is None:
        return Sameness.OTHER
    if context.report.stuck and is_same_hang(context, other):
        return Sameness.ALIKE
    if context.fingerprint_of(other).value == context.fingerprint.value:
        return Sameness.SAME
    ours, theirs = context.report.suspect(), context.project.localise(other).suspect()
    if ours is None or theirs is None:
        return Sameness.OTHER
    same_type = ours[0].bare_type == theirs[0].bare_type
    same_place = ours[1].path == theirs[1].path and (
        plain_qualname(ours[1].qualname).rpartition(".")[2]
        == plain_qualname(theirs[1].qualname).rpartition(".")[2]
    )
    heads = [" ".join(info.message.split())[:_HEAD_CHARS] for info in (ours[0], theirs[0])]
    return Sameness.ALIKE if same_type and same_place and heads[0] == heads[1] else Sameness.OTHER


def shows_crash(context: CheckContext, result: ReplayResult) -> Sameness:
    """Looks for the incident's crash among all that a replay reported: it need not be what ended the run."""
    found = {compare_crashes(context, one) for one in (result.report, *result.reports)}
    return next((same for same in (Sameness.SAME, Sameness.ALIKE) if same in found), Sameness.OTHER)


def _baseline(context: CheckContext, plan: ReplayPlan) -> ReplayResult:
    known = context.baseline.replays.get(plan)
    if known is None:
        known = context.workspace.replay(plan, seconds=context.settings.sandbox.replay_seconds)
        context.baseline.replays[plan] = known
    return known


def why_not_red(context: CheckContext, result: ReplayResult) -> str:
    """Says why an unfixed replay does not show the crash; empty when it does."""
    if result.status is ReplayStatus.NOT_POSSIBLE:
        return result.reason or "it could not be run"
    if shows_crash(context, result) is not Sameness.OTHER:
        return ""
    if result.status is ReplayStatus.TIMEOUT and context.report.stuck:
        return ""
    if result.status is ReplayStatus.TIMEOUT:
        return f"it ran into the time limit of {context.settings.sandbox.replay_seconds:g} s"
    if result.status is ReplayStatus.CRASHED:
        return f"it crashed differently: {crash_name(result.report)}"
    return "it did not crash again"


def reproduced(context: CheckContext) -> tuple[ReplayPlan, ReplayResult] | None:
    """Returns the first plan that shows the crash on the unfixed copy, with how it went; None when none does."""
    for plan in context.plans:
        before = _baseline(context, plan)
        if not why_not_red(context, before):
            return plan, before
    return None


def classify(context: CheckContext, plan: ReplayPlan, result: ReplayResult) -> tuple[Effect, str]:
    """Judges a replay with the fix in place.

    Returns:
        What the fix did, and the sentence about it.
    """
    if result.status is ReplayStatus.NOT_POSSIBLE:
        return Effect.NOT_RUN, result.reason or "it could not be run with the fix"
    if result.status is ReplayStatus.TIMEOUT:
        return Effect.TIMEOUT, f"still running after {context.settings.sandbox.replay_seconds:g} s"
    if shows_crash(context, result) is not Sameness.OTHER:
        return Effect.RED, f"the same crash: {crash_name(context.report)}"
    if result.status is ReplayStatus.CRASHED:
        name = crash_name(result.report)
        if result.report is not None and crashed_in_changed_code(context, result.report):
            return Effect.MOVED, f"the crash only moved: {name}"
        if result.report is not None and result.report.raised.bare_type == "AssertionError":
            # Whoever asserts judges results; the fix may have made the wrong one.
            return Effect.CONTRADICTED, f"an assertion fails further on: {name}"
        return Effect.PROGRESSED, f"another crash further on: {name}"
    if result.exit_code not in {0, None} or (plan.kind == "command" and result.exit_code is None):
        return Effect.GREEN_BUT, f"no crash, but exit code {result.exit_code}"
    returned = f", returned {result.result_repr[:80]}" if result.result_repr else ""
    return Effect.GREEN, f"ran to its end{returned}"


def _fixed(context: CheckContext, plan: ReplayPlan, before: ReplayResult) -> tuple[Effect, str, str]:
    seconds = context.settings.sandbox.replay_seconds
    result = context.workspace.replay(plan, seconds=seconds)
    effect, text = classify(context, plan, result)
    if effect is Effect.GREEN and before.seconds < RERUN_BELOW_SECONDS:
        again = context.workspace.replay(plan, seconds=seconds)
        second, why = classify(context, plan, again)
        if second is not Effect.GREEN:
            return Effect.FLAKY, f"green once, then: {why}", again.output
    return effect, text, result.output


def outcomes(context: CheckContext) -> tuple[list[Outcome], list[str]]:
    """Runs all plans without and with the fix; stops at the first that fails.

    Returns:
        The outcomes, and details for the operator.
    """
    details: list[str] = []
    found: list[Outcome] = []
    red: list[tuple[ReplayPlan, ReplayResult]] = []
    for plan in context.plans:
        before = _baseline(context, plan)
        reason = why_not_red(context, before)
        if reason:
            found.append(Outcome(plan, None, reason))
            details.append(f"{plan_name(plan)}: could not be reproduced: {reason}")
            continue
        red.append((plan, before))
        if shows_crash(context, before) is Sameness.ALIKE:
            details.append(f"{plan_name(plan)}: reproduced as the same crash, captured differently")
    if not red:
        return found, details
    with written(context):
        for plan, before in red:
            effect, text, output = _fixed(context, plan, before)
            found.append(Outcome(plan, effect, text))
            details.append(f"{plan_name(plan)}: red before; with the fix: {text}")
            if effect is not Effect.GREEN and output.strip():
                details.append(clip(output.strip()))
            if effect in FAILING and plan.kind != "call":
                break
    return found, details


def settled_by_command(context: CheckContext, found: list[Outcome]) -> tuple[list[Outcome], str]:
    """Sets calls aside that cannot speak against a fix because it was made further out.

    A call is repeated with the arguments it crashed on. Where the whole command runs to its end with the
    fix, and the fix is in a caller that passes better ones, that call crashing still proves nothing.

    Returns:
        The outcomes that count, and a warning; empty when there is none.
    """
    green = any(o.effect is Effect.GREEN and o.plan.kind == "command" for o in found)
    # A test that goes on to its assertions knows better than arguments whose files may be gone by now.
    judged = green and bool(judging_test(context))
    outweighed = {Effect.RED, Effect.MOVED, Effect.PROGRESSED} if judged else set()
    found = [o for o in found if o.plan.kind == "command" or o.effect not in outweighed]
    still = [o for o in found if o.effect in FAILING and o.plan.kind == "call"]
    if not green or not still:
        return found, ""
    changed = {plain_qualname(q) for _, q in changed_by(python_pairs(context))}
    if any(plain_qualname(o.plan.qualname) in changed for o in still):
        return [
            o for o in found if o not in still
        ], "the command is green, but with its captured arguments the changed call still crashes"
    return [o for o in found if o not in still], ""


def verdict_of(found: list[Outcome]) -> tuple[Verdict, str]:
    """Adds the outcomes of all plans up.

    Returns:
        The verdict and a one-line summary.
    """
    tried = [o for o in found if o.effect is not None]
    if not tried:
        reason = found[0].text if found else "there is no way to run it again"
        return Verdict.NOT_POSSIBLE, f"not reproduced: {reason}"
    for outcome in tried:
        if outcome.effect in FAILING:
            return Verdict.FAIL, f"red → {outcome.text}"
    effects = {o.effect for o in tried}
    if Effect.FLAKY in effects:
        return Verdict.WARN, "flaky: green once and not again"
    green_call = any(o.effect is Effect.GREEN and o.plan.kind == "call" for o in tried)
    if Effect.GREEN_BUT in effects:
        text = next(o.text for o in tried if o.effect is Effect.GREEN_BUT)
        return Verdict.WARN, f"red → {text}"
    if Effect.CONTRADICTED in effects:
        text = next(o.text for o in tried if o.effect is Effect.CONTRADICTED)
        return Verdict.WARN, f"red → {text}"
    if Effect.PROGRESSED in effects:
        text = next(o.text for o in tried if o.effect is Effect.PROGRESSED)
        return (
            (Verdict.PASS, f"red → green for the call; then {text}")
            if green_call
            else (Verdict.WARN, f"red → {text}")
        )
    if Effect.GREEN in effects:
        return Verdict.PASS, "red → green"
    return Verdict.NOT_POSSIBLE, tried[0].text


class _Replay:
    name = "replay"

    def run(self, context: CheckContext) -> RungReport:
        """Replays the crash without and with the fix."""
        if not context.plans:
            reason = "there is no command or captured call to run again"
            return make_report(self.name, Verdict.NOT_POSSIBLE, reason)
        found, details = outcomes(context)
        counted, warning = settled_by_command(context, found)
        verdict, summary = verdict_of(counted)
        warning = warning or doubt_about_ending(context)
        if warning and verdict is Verdict.PASS:
            verdict, summary = Verdict.WARN, f"{summary}: {warning}"
        green = any(o.effect is Effect.GREEN and o.plan.kind == "command" for o in counted)
        judge = judging_test(context) if green and verdict is Verdict.PASS else ""
        if judge:
            details.append(f"{judge} ran to its end and asserts something about what was mended")
        return make_report(
            self.name, verdict, summary, details, isolation=context.workspace.isolation, judged=judge
        )


CHECK = _Replay()
