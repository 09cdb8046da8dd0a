"""Makes the policy in force: the very table that is enforced, budgets and what is used of them, and every setting."""

from __future__ import annotations

import time
from collections import Counter

from selfheal_tui.config import describe_settings
from selfheal_tui.model.diagnosis import Diagnosis
from selfheal_tui.model.evidence import RUNGS, Proof, RungReport
from selfheal_tui.model.kinds import Environment, IssueType, Nature, Severity, Verdict
from selfheal_tui.operations import texts
from selfheal_tui.operations.safe import line
from selfheal_tui.operations.snapshot import PolicyView, SettingView
from selfheal_tui.pipeline.build import Opened
from selfheal_tui.pipeline.limits import HOUR
from selfheal_tui.pipeline.policy import ASK_RULES, LIGHTS, ChangeFacts
from selfheal_tui.pipeline.spending import DAY, SPENDING
from selfheal_tui.probe.redaction import mask_value

_ENVIRONMENTS = {
    Environment.LOCAL: "local: proved, unflagged fixes go ahead unasked; everything else asks a person",
    Environment.DEV: "dev: proved, unflagged fixes of critical reliability crashes go ahead unasked; everything else asks",
    Environment.STAGING: "staging: proved, unflagged fixes of critical reliability crashes go ahead unasked; everything else asks",
    Environment.PRODUCTION: "production: every fix asks a person, and the approval must be typed",
}


def policy_of(opened: Opened, *, sandbox: str = "", now: float | None = None) -> PolicyView:
    """Makes the policy in force.

    Args:
        opened: The project.
        sandbox: How candidates are walled off here, from `sandbox_text`; empty while that is not known.
        now: Unix time in seconds.

    Raises:
        StoreError: The store cannot be read.
    """
    engine, loaded = opened.engine, opened.loaded
    environment = loaded.settings.environment
    paused = engine.store.pause.status()
    best = _best_facts(environment)
    return PolicyView(
        environment=environment.value,
        environment_source=line(loaded.origins["environment"].source, 100),
        version=engine.governance.policy_version,
        lights=tuple((action, light.value) for action, light in LIGHTS.items()),
        rules=tuple((rule.name, rule.reason, rule.when(best)) for rule in ASK_RULES),
        outcome=_outcome(opened),
        budgets=_budgets(opened, time.time() if now is None else now),
        settings=_settings(opened),
        paused=line(
            f"by {paused.by}{f': {paused.reason}' if paused.reason else ''}, since {texts.moment(paused.at)}"
        )
        if paused is not None
        else "",
        sandbox=sandbox,
    )


def sandbox_text() -> str:
    """Finds out how candidates are walled off here, by trying it once per process; takes up to seconds."""
    from selfheal_tui.sandbox.isolation import detect_isolation

    facts = detect_isolation()
    level, weakness = facts.level.value, facts.weakness
    if weakness.lower().startswith(level.lower()):
        return line(weakness, 500)
    return line(f"{level}: {weakness}" if weakness else level, 500)


def _best_facts(environment: Environment) -> ChangeFacts:
    """The change that has least against it: a rule that asks about it asks about every change."""
    proof = Proof("", "", tuple(RungReport(rung, Verdict.PASS, "") for rung in RUNGS))
    diagnosis = Diagnosis("", IssueType.RELIABILITY, Severity.CRITICAL, Nature.CODE, "", "")
    return ChangeFacts(environment, diagnosis, proof, proposer="rules")


def _outcome(opened: Opened) -> tuple[str, ...]:
    settings = opened.loaded.settings
    minutes = settings.approval.expires_seconds / 60
    return (
        _ENVIRONMENTS[settings.environment],
        "whatever the proof warns of must be approved by typing the code of its diff",
        "a fix that a governance rule is in the way of is never applied unasked",
        f"a question that nobody answers within {minutes:g} minutes is denied",
        "an action that is not in the table is refused",
    )


def _budgets(opened: Opened, now: float) -> tuple[tuple[str, str], ...]:
    settings, store = opened.loaded.settings, opened.engine.store
    limits, model = settings.limits, settings.model
    recent = store.trail.of_kinds({"change.applied"}, since=now - HOUR)
    spent = sum(float(r.data.get("usd") or 0.0) for r in store.trail.of_kinds(SPENDING, since=now - DAY))
    files = Counter(str(path) for r in recent for path in r.data.get("files", ()))
    busiest = files.most_common(1)
    busy = f", most of them to {busiest[0][0]} ({busiest[0][1]})" if busiest else ""
    money = f"${spent:.4f} of ${model.usd_per_day:g}"
    return (
        ("changes within an hour", f"{len(recent)} of {limits.heals_per_hour}"),
        ("changes to one file within an hour", line(f"at most {limits.heals_per_file_hour}{busy}")),
        ("changes for one crash", f"at most {limits.heals_per_fingerprint}, then a person has to look"),
        ("candidates for one incident", f"at most {limits.attempts_per_incident}"),
        ("size of a fix", f"at most {limits.changed_lines} lines in {limits.changed_files} files"),
        ("model money within a day", money if model.name else f"{money}; no model is configured"),
        ("model money for one incident", f"at most ${model.usd_per_incident:g}"),
        ("model tokens for one incident", f"at most {model.tokens_per_incident:,}"),
        ("pause after a failed attempt", f"{limits.cool_down_seconds:g} s, doubled each time"),
    )


def _settings(opened: Opened) -> tuple[SettingView, ...]:
    origins = opened.loaded.origins
    return tuple(
        SettingView(
            key=row.key,
            value=line(mask_value(row.key, origins[row.key].value)),
            source=line(origins[row.key].source, 100),
            help=row.help,
        )
        for row in describe_settings()
    )
