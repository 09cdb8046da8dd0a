"""View 5: the policy in force, where each value came from, the budgets, and the kill switch. Changes no setting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from selfheal_tui.operations.desk import Answered, DeskEvent, PolicyReady
from selfheal_tui.operations.snapshot import Board, Tone
from selfheal_tui.operations.snapshot import PolicyView as Policy
from selfheal_tui.tui.acting import bindings_of
from selfheal_tui.tui.looks import Looks
from selfheal_tui.tui.screens.pause import PauseScreen
from selfheal_tui.tui.views.base import View
from selfheal_tui.tui.widgets.textpane import TextPane

_LIGHT = {"RED": Tone.BAD, "YELLOW": Tone.WARN, "GREEN": Tone.GOOD}
_LIGHT_MEANS = {
    "RED": "asks a person, unless the environment allows it below",
    "YELLOW": "goes ahead, on record",
    "GREEN": "goes ahead",
}


class PolicyView(View):
    """The policy."""

    CONTEXTS: ClassVar[tuple[str, ...]] = ("policy",)
    BINDINGS = bindings_of(*CONTEXTS)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._policy: Policy | None = None

    def compose(self) -> ComposeResult:
        """Lays the view out."""
        with Vertical(id="policy-pane", classes="pane"):
            yield TextPane(id="policy-text")

    def opened(self) -> None:
        """Asks for the policy."""
        self.desk.ask_policy()
        pane = self.query_one(TextPane)
        if self._policy is None:
            pane.show([Text("reading…", self.console.looks.quiet)])
        pane.focus()

    def show_board(self, board: Board) -> None:
        """Names the switch as it stands."""
        paused = board.engine.standing.word == "paused"
        self.query_one("#policy-pane").border_title = Content(
            f"Policy · {board.environment} · {'PAUSED: nothing is changed' if paused else 'healing is on'}"
        )

    def hear(self, event: DeskEvent) -> None:
        """Draws the policy; asks anew after decisions, since they use budgets up."""
        if isinstance(event, PolicyReady):
            self._policy = event.policy
            self.query_one(TextPane).show(list(_lines(event.policy, self.console.looks)), key="policy")
        elif isinstance(event, Answered) and self.display:
            self.desk.ask_policy()

    def act_pause(self) -> None:
        """Stops all changes, or allows them again; both are asked back."""
        paused = (
            bool(self._policy and self._policy.paused) or self.console.board.engine.standing.word == "paused"
        )

        def chosen(reason: str | None) -> None:
            if reason is None:
                return
            if paused:
                self.desk.resume()
            else:
                self.desk.pause(reason=reason)

        self.app.push_screen(PauseScreen(paused=paused), chosen)


def _lines(policy: Policy, looks: Looks) -> Iterator[Text]:
    if policy.paused:
        yield Text(f"PAUSED {policy.paused}", looks.style(Tone.ASK, bold=True))
        yield Text(
            "crashes are still recorded and explained; nothing is changed. K allows changes again",
            looks.quiet,
        )
        yield Text()
    yield (
        Text("Environment  ", looks.quiet)
        .append(policy.environment, "bold")
        .append(f"   from {policy.environment_source}", looks.quiet)
    )
    for sentence in policy.outcome:
        yield Text(f"  {sentence}")
    yield Text()
    yield _head("Traffic Light", looks)
    for action, light in policy.lights:
        line = Text(f"  {light:<7}", looks.style(_LIGHT.get(light, Tone.BAD), bold=True))
        yield line.append(f"{action:<24}").append(_LIGHT_MEANS.get(light, ""), looks.quiet)
    yield Text()
    yield _head("A RED change is asked for when", looks)
    for name, sentence, always in policy.rules:
        sign = "always here" if always else "when met"
        yield (
            Text(f"  {sign:<12}", looks.style(Tone.ASK if always else Tone.QUIET))
            .append(f"{name:<26}", looks.named("accent"))
            .append(sentence)
        )
    yield Text()
    yield _head("Budgets", looks)
    for name, text in policy.budgets:
        yield Text(f"  {name:<32}").append(text, looks.quiet)
    if policy.sandbox:
        yield Text()
        yield _head("Isolation of candidates", looks)
        yield Text(f"  {policy.sandbox}")
    yield Text()
    yield _head("Settings, and where each value came from", looks)
    width = max((len(setting.key) for setting in policy.settings), default=0)
    for setting in policy.settings:
        changed = setting.source != "default"
        line = Text(f"  {setting.key:<{width}}  ").append(f"{setting.value:<16} ", "bold" if changed else "")
        yield line.append(f"{setting.source:<20} ", looks.named("accent") if changed else looks.quiet).append(
            setting.help, looks.quiet
        )
    yield Text()
    yield Text(f"policy version {policy.version}: approvals are bound to it", looks.quiet)


def _head(text: str, looks: Looks) -> Text:
    return Text(text, looks.named("primary", bold=True))
