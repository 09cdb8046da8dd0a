"""When a decision key may decide: not before the patch was on the screen, and looked at for a moment. Pure.

UX rule 3: a stray key can never approve. A patch that changed, a terminal that was looked away from, something that lay
on top: after each of them it takes the whole moment again. Nothing here reads a clock; times are given.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

ARM_SECONDS = 0.4
"""How long a painted patch is looked at before a key counts (UX rule 3)."""


class Stage(StrEnum):
    """Where the arming stands; only in the last one does a key decide."""

    UNPAINTED = "unpainted"
    BLURRED = "blurred"
    WAITING = "waiting"
    ARMED = "armed"


@dataclass(frozen=True, slots=True)
class Arming:
    """The state; every event makes a new one.

    Attributes:
        patch: Identifies what is to be decided; empty for nothing yet.
        painted: Whether it has been on the screen.
        away: Why nobody looks, such as `blur` or `covered`.
        since: When the moment began, in seconds of the caller's clock.
        armed: Whether the moment has passed.
        seconds: How long the moment is.
    """

    patch: str = ""
    painted: bool = False
    away: frozenset[str] = frozenset()
    since: float = 0.0
    armed: bool = False
    seconds: float = ARM_SECONDS

    @property
    def stage(self) -> Stage:
        """Where it stands."""
        if not self.patch or not self.painted:
            return Stage.UNPAINTED
        if self.away:
            return Stage.BLURRED
        return Stage.ARMED if self.armed else Stage.WAITING

    @property
    def why(self) -> str:
        """Why no key decides now; empty when one does."""
        return {
            Stage.UNPAINTED: "the patch has not been shown yet; read the diff first",
            Stage.BLURRED: "nobody was looking; look at the diff again",
            Stage.WAITING: "not yet: the keys count a moment after the diff was shown",
            Stage.ARMED: "",
        }[self.stage]

    def allows(self, pressed_at: float) -> bool:
        """Whether a key that was pressed then decides; one from before it was armed never does, however late it comes."""
        return self.stage is Stage.ARMED and pressed_at >= self.since + self.seconds

    def offered(self, patch: str) -> Arming:
        """Another patch is to be decided; the same one changes nothing."""
        return self if patch == self.patch else replace(self, patch=patch, painted=False, armed=False)

    def shown(self, patch: str, now: float) -> Arming:
        """A patch was painted; one that is not to be decided changes nothing."""
        if patch != self.patch or not patch or self.painted:
            return self
        return replace(self, painted=True, since=now, armed=False)

    def tick(self, now: float) -> Arming:
        """Time went by."""
        ripe = self.stage is Stage.WAITING and now >= self.since + self.seconds
        return replace(self, armed=True) if ripe else self

    def left(self, why: str) -> Arming:
        """Nobody looks any more."""
        return replace(self, away=self.away | {why}, armed=False)

    def back(self, why: str, now: float) -> Arming:
        """What kept somebody from looking is over; the moment begins anew."""
        if why not in self.away:
            return self
        return replace(self, away=self.away - {why}, since=now, armed=False)

    def again(self, now: float) -> Arming:
        """The moment begins anew, as after a decision that was refused."""
        return replace(self, since=now, armed=False)
