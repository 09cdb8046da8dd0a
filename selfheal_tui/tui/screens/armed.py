"""What screens share in which keys decide: they are armed only after what they decide was looked at. See `tui.arming`."""

from __future__ import annotations

import time
from typing import ClassVar

from textual import events
from textual.screen import Screen

from selfheal_tui.tui.acting import Acting
from selfheal_tui.tui.actions import BY_ID
from selfheal_tui.tui.arming import ARM_SECONDS, Arming, Stage


class ArmedScreen(Acting, Screen[None]):
    """A screen with decision keys. Subclasses say what is to be decided (`offer`) and when it was painted (`shown`)."""

    arm_seconds: ClassVar[float] = ARM_SECONDS

    def __init__(self) -> None:
        super().__init__()
        self.arming = Arming(seconds=self.arm_seconds)
        self._pressed_at: float | None = None

    @property
    def stage(self) -> Stage:
        """Where the arming stands."""
        return self.arming.stage

    def offer(self, patch: str) -> None:
        """Something else is to be decided."""
        self._turn(self.arming.offered(patch))

    def shown(self, patch: str) -> None:
        """It has been painted."""
        self._turn(self.arming.shown(patch, time.monotonic()))

    def look_again(self) -> None:
        """The moment begins anew."""
        self._turn(self.arming.again(time.monotonic()))

    def arming_changed(self) -> None:
        """Called when the arming moved on: the place to draw whether keys count."""

    def why_not_armed(self) -> str:
        """Says why no key decides now; footers ask this too, and whenever they are drawn."""
        return self.arming.why

    def action_act(self, action_id: str) -> None:
        """Does an action, or says why not; a key from before the arming, or of unknown age, is swallowed, never kept."""
        action = BY_ID[action_id]
        pressed_at, self._pressed_at = self._pressed_at, None
        late = pressed_at is None or not self.arming.allows(pressed_at)
        if action.decides and late and not self.refusal(action):
            self._host.say_no(action, "that key was pressed before the diff was shown; press it again")
            return
        super().action_act(action_id)

    def _turn(self, arming: Arming) -> None:
        if arming is self.arming:
            return
        self.arming = arming
        self._wait()
        if self.is_mounted:
            self.arming_changed()

    def _wait(self) -> None:
        if self.stage is Stage.WAITING:
            left = self.arming.since + self.arming.seconds - time.monotonic()
            self.set_timer(max(0.0, left) + 0.01, self._tick)

    def _tick(self) -> None:
        ticked = self.arming.tick(time.monotonic())
        if ticked is self.arming:
            self._wait()  # a timer may be early, or the moment began anew
        else:
            self._turn(ticked)

    def on_mount(self) -> None:
        """Follows whether the terminal is looked at; Textual tells that to the app only."""
        self.watch(self.app, "app_focus", self._looked_at, init=False)

    def _looked_at(self, focused: bool) -> None:
        self._turn(self.arming.back("blur", time.monotonic()) if focused else self.arming.left("blur"))

    def on_screen_suspend(self) -> None:
        """Something lies on top."""
        self._turn(self.arming.left("covered"))

    def on_screen_resume(self) -> None:
        """It is in front again."""
        self._turn(self.arming.back("covered", time.monotonic()))

    def on_key(self, event: events.Key) -> None:
        """Remembers when a key was pressed, which may be long before it gets here.

        A letter that does nothing here is prose for something else: the next one must not decide.
        """
        self._pressed_at = event.time
        if event.is_printable and event.key not in self.active_bindings:
            self.look_again()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """The same for a key in the footer that is clicked."""
        self._pressed_at = event.time
