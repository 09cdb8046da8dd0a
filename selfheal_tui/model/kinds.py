"""The closed vocabularies of the house, as enumerations.

They exist so that every floor, file on disk and face spells a state the same way. No logic beyond
ordering; nothing here may read or write anything.
"""

from __future__ import annotations

from enum import StrEnum


class IssueType(StrEnum):
    """What an incident is about; the seed's six categories."""

    SCALABILITY = "scalability"
    RELIABILITY = "reliability"
    AUDITABILITY = "auditability"
    GOVERNANCE = "governance"
    PERFORMANCE = "performance"
    BUG = "bug"


class Severity(StrEnum):
    """How much an incident hurts."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """Order for sorting: 0 is the most severe."""
        return list(Severity).index(self)


class Environment(StrEnum):
    """Where the supervised program runs; decides what is allowed unasked."""

    LOCAL = "local"
    DEV = "dev"
    STAGING = "staging"
    PRODUCTION = "production"


class ThemeName(StrEnum):
    """Looks of the console."""

    DARK = "dark"
    LIGHT = "light"
    TERMINAL = "terminal"


class Restart(StrEnum):
    """When a program that ended is started again."""

    NEVER = "never"
    ON_CRASH = "on-crash"
    ALWAYS = "always"


class RiskLevel(StrEnum):
    """The Traffic Light: GREEN acts, YELLOW acts and tells, RED asks."""

    GREEN = "GREEN"
    YELLOW = "YELLOW"
    RED = "RED"


class Nature(StrEnum):
    """Whose fault a crash is, which decides whether code may be changed at all."""

    CODE = "code"
    TRANSIENT = "transient"
    EXTERNAL = "external"
    POLICY = "policy"


class Outcome(StrEnum):
    """How an incident closed. There is no bare "success"."""

    HEALED = "healed"
    HEALED_UNPROVEN = "healed, unproven"
    EXPLAINED = "explained"
    TRANSIENT = "transient"
    EXTERNAL = "external"
    REJECTED = "rejected"
    ROLLED_BACK = "rolled back"
    FAILED = "failed"


class Verdict(StrEnum):
    """How one rung of the proof ladder ended. NOT_POSSIBLE is never a pass."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    WARN = "warn"
    FAIL = "fail"
    NOT_POSSIBLE = "not possible"


class Isolation(StrEnum):
    """How well the sandbox was walled off, strongest first; recorded with every proof."""

    BUBBLEWRAP = "bubblewrap"
    LANDLOCK = "landlock"
    UNSANDBOXED = "UNSANDBOXED"


class CaptureSource(StrEnum):
    """Where the knowledge of a crash came from; text carries less evidence than a live object.

    What a scan foresees did not happen yet: it cannot be replayed, so a person decides about its fix.
    """

    PROBE = "probe"
    IN_PROCESS = "in-process"
    TEXT = "text"
    SCAN = "scan"


class ChainLink(StrEnum):
    """How an exception of a chain hangs on the one before it."""

    RAISED = "raised"
    CAUSE = "cause"
    CONTEXT = "context"
    GROUP = "group"
