"""The Traffic Light table: which action has which light, and what is allowed unasked where.

Pure data and pure functions, so that the CLI, the console and the documentation can show the very
table that is enforced. Nothing here may read or write anything; enforcing it is `govern`'s business.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from selfheal_tui.model.diagnosis import Diagnosis
from selfheal_tui.model.evidence import Proof
from selfheal_tui.model.kinds import Environment, IssueType, Nature, RiskLevel, Severity, Verdict
from selfheal_tui.model.serial import to_json
from selfheal_tui.model.settings import Settings

POLICY_REVISION = 1
"""Raised whenever a rule of this file changes meaning, so that old approvals lose their worth."""

CURED_ENOUGH = 2
"""So many tests that failed before and pass now vouch for a fix of which the replay alone shows little."""

SELF_MODIFY = "self_modify_codebase"
ROLLBACK = "rollback_change"
ADD_TEST = "add_regression_test"

LIGHTS: dict[str, RiskLevel] = {
    "read_codebase": RiskLevel.GREEN,
    "analyze_error": RiskLevel.GREEN,
    "run_sandbox": RiskLevel.GREEN,
    "record_history": RiskLevel.GREEN,
    "ask_model": RiskLevel.YELLOW,
    "restart_program": RiskLevel.YELLOW,
    ADD_TEST: RiskLevel.YELLOW,
    ROLLBACK: RiskLevel.RED,
    SELF_MODIFY: RiskLevel.RED,
}
"""Light of every governed action; an action that is not here is RED and refused."""


@dataclass(frozen=True, slots=True)
class ChangeFacts:
    """What governance looks at when a change is put to it.

    Attributes:
        environment: Where the program runs.
        diagnosis: What the crash is.
        proof: What was shown about the fix.
        proposer: `rules`, `memory`, `llm` or `operator`.
        adds_imports: Modules that the fix newly imports.
        rivals: How many other, different fixes were proved as well.
        set_aside: Whether an operator put another proposal for this crash aside.
        guess: Whether the fix was found by trying rather than derived.
        doubt: Why even a proof of it shows little.
        sweeping: Whether it changes more than what crashed, or code beside that.
        foreseen: Whether a scan found the fault, and nothing has crashed.
    """

    environment: Environment
    diagnosis: Diagnosis
    proof: Proof
    proposer: str
    adds_imports: tuple[str, ...] = ()
    rivals: int = 0
    set_aside: bool = False
    guess: bool = False
    doubt: str = ""
    sweeping: bool = False
    foreseen: bool = False


@dataclass(frozen=True, slots=True)
class AskRule:
    """One reason to ask a person.

    Attributes:
        name: Stable id.
        when: Whether it applies.
        reason: Sentence for the operator.
    """

    name: str
    when: Callable[[ChangeFacts], bool]
    reason: str


def _critical_reliability(facts: ChangeFacts) -> bool:
    diagnosis = facts.diagnosis
    return diagnosis.severity is Severity.CRITICAL and diagnosis.issue_type is IssueType.RELIABILITY


def is_unjudged(guess: bool, proof: Proof) -> bool:
    """Returns whether a fix was found by trying, and no test that failed before judges it."""
    return guess and not proof.judged


def is_thin(doubt: str, proof: Proof) -> bool:
    """Returns whether a fix is doubtful, and too few tests vouch for it."""
    return bool(doubt) and (proof.cured < CURED_ENOUGH or proof.left_failing > 0)


def is_untested(sweeping: bool, proof: Proof) -> bool:
    """Returns whether a fix that changes more than what crashed was seen in that one run only, by no other test."""
    return sweeping and proof.verdict("tests") is Verdict.NOT_POSSIBLE


ASK_RULES: tuple[AskRule, ...] = (
    AskRule("production", lambda f: f.environment is Environment.PRODUCTION, "production always asks"),
    AskRule(
        "governance",
        lambda f: f.diagnosis.issue_type is IssueType.GOVERNANCE or f.diagnosis.nature is Nature.POLICY,
        "a governance rule stopped the program; no fix for that is ever applied unasked",
    ),
    AskRule(
        "not-critical-reliability",
        lambda f: f.environment in (Environment.DEV, Environment.STAGING) and not _critical_reliability(f),
        "dev and staging apply only critical reliability fixes unasked",
    ),
    AskRule(
        "unproven",
        lambda f: not f.proof.proved,
        "the crash was not replayed red before and green after",
    ),
    AskRule(
        "foreseen",
        lambda f: f.foreseen,
        "the fault was found by reading: nothing has crashed yet, so nothing shows that it is cured",
    ),
    AskRule("flagged", lambda f: f.proof.flagged, "the proof has warnings"),
    AskRule(
        "rivals",
        lambda f: f.rivals > 0,
        "several different fixes were proved; a person chooses between them",
    ),
    AskRule(
        "unjudged-guess",
        lambda f: is_unjudged(f.guess, f.proof),
        "the fix was found by trying, and no test that failed before judges it",
    ),
    AskRule(
        "thin-evidence",
        lambda f: is_thin(f.doubt, f.proof),
        "the fix was found by trying, and too little was seen of it to tell it from others that would pass, too",
    ),
    AskRule(
        "untested-guess",
        lambda f: is_untested(f.sweeping, f.proof),
        "the fix was found by trying and changes more than what crashed, and no tests ran to show what else it does",
    ),
    AskRule(
        "model-imports",
        lambda f: f.proposer == "llm" and bool(f.adds_imports),
        "a model's fix adds imports",
    ),
    AskRule(
        "operator",
        lambda f: f.proposer == "operator",
        "an operator's own version is applied only once it was approved as proved",
    ),
    AskRule(
        "set-aside",
        lambda f: f.set_aside,
        "an operator set another proposal for this crash aside",
    ),
)
"""Reasons to ask, in the order in which they are told. None applies: allowed unasked."""


def reasons_to_ask(facts: ChangeFacts) -> tuple[AskRule, ...]:
    """Returns every rule that demands a person for this change."""
    return tuple(rule for rule in ASK_RULES if rule.when(facts))


def needs_code(facts: ChangeFacts) -> bool:
    """Returns whether the approval must be typed: in production, or where the proof has a warning."""
    return facts.environment is Environment.PRODUCTION or facts.proof.flagged


def policy_version(settings: Settings) -> str:
    """Returns a hash of the policy in force; approvals are bound to it.

    Args:
        settings: All settings; those that decide what is allowed go into the hash.
    """
    parts = [
        str(POLICY_REVISION),
        settings.environment.value,
        to_json(settings.limits).decode(),
        to_json(settings.project.protect).decode(),
        ",".join(f"{action}={light}" for action, light in sorted(LIGHTS.items())),
        ",".join(rule.name for rule in ASK_RULES),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
