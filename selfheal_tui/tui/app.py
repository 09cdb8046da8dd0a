"""The console: takes snapshots from a desk, shows them, and hands decisions back. Draws and decides nothing itself.

Views, screens and widgets have files of their own; what keys there are says `actions.py`. The app only holds what
all of them need: the desk, the latest board, the looks, and the way from one view to another.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from rich.segment import Segments
from rich.text import Text
from textual import events
from textual.app import App
from textual.filter import LineFilter, Monochrome, NoColor
from textual.message import Message
from textual.screen import Screen

from selfheal_tui.operations.desk import Answered, BoardChanged, Desk, DeskEvent, Working
from selfheal_tui.operations.snapshot import Board, EngineView, Standing, Tone
from selfheal_tui.tui.acting import Acting, bindings_of
from selfheal_tui.tui.actions import Action
from selfheal_tui.tui.attention import Attention
from selfheal_tui.tui.ending import Ending
from selfheal_tui.tui.keys import Keys
from selfheal_tui.tui.looks import Guard, Looks
from selfheal_tui.tui.screens.home import HomeScreen
from selfheal_tui.tui.themes import THEMES

_SEVERITY = {Tone.BAD: "error", Tone.WARN: "warning", Tone.ASK: "warning"}
_NOTHING_YET = Board(
    0, "", "", "", read_only=False, engine=EngineView(Standing("starting", "◌", "o", Tone.BUSY)), loading=True
)


class Heard(Message):
    """The desk told something; on its way from a thread of the desk's to the app's."""

    def __init__(self, event: DeskEvent) -> None:
        super().__init__()
        self.event = event


class Console(Acting, App[int], inherit_bindings=False):
    """The operator's console.

    Args:
        desk: Where questions and decisions go.
        theme: `dark`, `light` or `terminal`.
        ascii_only: Draw no glyph outside ASCII.
        keys: Keys that differ from the registry's, by action id.
        bell: Ring when somebody is needed.
        desktop: Send a desktop notification (OSC 9) when somebody is needed and the terminal is not looked at.
        clock: Unix time in seconds.
        on_crash: Makes the text that is left on the terminal when the console itself fails; without locals.
        review: Incident to begin at, with its review open if it waits for somebody; `oldest` for the first question.
    """

    CONTEXTS = ("app",)
    BINDINGS = bindings_of(*CONTEXTS)
    CSS_PATH = "console.tcss"
    ENABLE_COMMAND_PALETTE = False
    NOTIFICATION_TIMEOUT = 6
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-medium"), (160, "-wide")]  # noqa: RUF012 - Textual declares no class variable

    def __init__(
        self,
        desk: Desk,
        *,
        theme: str = "dark",
        ascii_only: bool = False,
        keys: Mapping[str, str] | None = None,
        bell: bool = True,
        desktop: bool = True,
        clock: Callable[[], float] = time.time,
        on_crash: Callable[[BaseException], str] | None = None,
        review: str = "",
    ) -> None:
        self._guard = Guard()
        super().__init__()
        self.desk = desk
        self.board = _NOTHING_YET
        self.clock = clock
        self.keys = Keys(keys or {})
        self.errands: dict[str, Working] = {}
        self._first_review = review
        self._on_crash = on_crash
        self._attention = Attention(self, bell=bell, desktop=desktop)
        for known in THEMES:
            self.register_theme(known)
        self.theme = f"selfheal-{'terminal' if self.no_color else theme}"
        self.set_keymap(self.keys.keymap)
        # Textual chose before there was a theme; what it chose draws the terminal's own colours black on black.
        self._filters = [NoColor() if isinstance(each, Monochrome) else each for each in self._filters]
        self._guard.ascii = ascii_only
        self.set_class(ascii_only, "-ascii")

    # -- what all widgets need ----------------------------------------------------------------------

    @property
    def looks(self) -> Looks:
        """The looks in force."""
        return Looks(
            self.current_theme,
            ascii_only=self._guard.ascii,
            variables=self.theme_variables,
            colourless=self.no_color,
        )

    @property
    def read_only(self) -> bool:
        """Whether decisions are refused in this console."""
        return self.board.read_only

    @property
    def home(self) -> HomeScreen:
        """The screen with the views."""
        screen = self.screen_stack[0]
        assert isinstance(screen, HomeScreen)
        return screen

    def say_no(self, action: Action, reason: str) -> None:
        """Tells why an action cannot be done now."""
        self.tell(f"{action.label}: {reason}", Tone.WARN)

    def tell(self, text: str, tone: Tone = Tone.GOOD) -> None:
        """Shows a toast; its text is never markup."""
        self.notify(text, severity=_SEVERITY.get(tone, "information"), markup=False)  # type: ignore[arg-type]  # a literal type

    def go(self, view: str, incident_id: str = "") -> None:
        """Goes to a view, closing what is open on top.

        Args:
            view: Its context, such as `incidents`.
            incident_id: What to put the cursor on there.
        """
        while len(self.screen_stack) > 1:
            self.pop_screen()
        self.home.show_view(view, incident_id)

    # -- life ---------------------------------------------------------------------------------------

    def get_default_screen(self) -> Screen[None]:
        """Returns the home screen."""
        return HomeScreen()

    def get_line_filters(self) -> list[LineFilter]:
        """Returns Textual's filters and the last guard before the terminal."""
        return [*super().get_line_filters(), self._guard]

    def on_mount(self) -> None:
        """Begins to watch; takes over the signals that would leave the terminal in disorder."""
        if not self.is_headless and threading.current_thread() is threading.main_thread():
            Ending(self._leave, self.desk.stop, sys.__stderr__.fileno() if sys.__stderr__ else 2).watch()
        if self.is_headless:  # there is no picture that would wait
            self.desk.start(self._told)
        else:  # what it loads would keep the first picture waiting
            self.call_after_refresh(self.desk.start, self._told)

    def _told(self, event: DeskEvent) -> None:
        self.post_message(Heard(event))  # safe from any thread

    def on_unmount(self) -> None:
        """Gives the terminal's title back."""
        self._attention.close()

    def _leave(self, code: int) -> None:
        self.call_later(self.exit, return_code=code)

    def _fatal_error(self) -> None:
        # Textual would print the locals of every frame, and with them whatever secrets they hold.
        if self._on_crash is None or self._exception is None:
            super()._fatal_error()
            return
        text = Text(self._on_crash(self._exception))
        self._exit_renderables.clear()  # what fails while it ends tells nothing more
        self._exit_renderables.append(Segments(self.console.render(text, self.console.options)))
        self._close_messages_no_wait()

    # -- events -------------------------------------------------------------------------------------

    def on_heard(self, message: Heard) -> None:
        """Hands an event of the desk to every screen."""
        message.stop()
        match message.event:
            case BoardChanged(board=board):
                if board.revision < self.board.revision:
                    return
                self.board = board
                self._attention.look(board)
            case Answered(ok=ok, text=text):
                self.tell(text, Tone.GOOD if ok else Tone.BAD)
            case Working(errand=errand, ended=ended) as working:
                if ended:
                    self.errands.pop(errand, None)
                else:
                    self.errands[errand] = working
            case _:
                pass
        for screen in self.screen_stack:
            hear = getattr(screen, "hear", None)
            if hear is not None:
                hear(message.event)
        self.begin()

    def begin(self) -> None:
        """Opens what was asked for at the start, once there is something to open it in."""
        if self._first_review and not self.board.loading and self.home.laid_out:
            first, self._first_review = self._first_review, ""
            self.home.begin_at(first)

    def on_app_blur(self, _event: events.AppBlur) -> None:
        """Remembers that nobody looks; the review disarms by itself."""
        self._attention.blurred = True

    def on_app_focus(self, _event: events.AppFocus) -> None:
        """Remembers that somebody looks again."""
        self._attention.blurred = False

    # -- actions ------------------------------------------------------------------------------------

    def act_incidents(self) -> None:
        """Goes to the incidents."""
        self.go("incidents")

    def act_history(self) -> None:
        """Goes to the history."""
        self.go("history")

    def act_backups(self) -> None:
        """Goes to the backups."""
        self.go("backups")

    def act_insights(self) -> None:
        """Goes to the insights."""
        self.go("insights")

    def act_policy(self) -> None:
        """Goes to the policy."""
        self.go("policy")

    def act_help(self) -> None:
        """Shows every key that works here."""
        from selfheal_tui.tui.screens.help import HelpScreen

        self.push_screen(HelpScreen(self.home.acting_chain(self.screen)))

    def act_palette(self) -> None:
        """Opens the command palette."""
        from selfheal_tui.tui.palette import open_palette

        open_palette(self)

    def act_theme(self) -> None:
        """Goes to the next theme."""
        names = [theme.name for theme in THEMES]
        self.theme = names[(names.index(self.theme) + 1) % len(names)]
        self.tell(f"theme: {self.theme.removeprefix('selfheal-')}", Tone.QUIET)

    def act_ascii(self) -> None:
        """Switches the ASCII mode."""
        self._guard.ascii = not self._guard.ascii
        self.set_class(self._guard.ascii, "-ascii")
        for screen in self.screen_stack:
            for widget in screen.walk_children(with_self=True):
                widget.refresh()

    def act_errands(self) -> None:
        """Shows what long work runs."""
        from selfheal_tui.tui.screens.errands import ErrandsScreen

        self.push_screen(ErrandsScreen())

    def act_screenshot(self) -> None:
        """Saves what is shown."""
        path = Path(self.board.root or ".") / f"selfheal-{time.strftime('%Y%m%d-%H%M%S')}.svg"
        self.desk.export("screenshot", "svg", str(path), text=self.export_screenshot())

    def act_back(self) -> None:
        """Closes what is open on top, else has the view go back."""
        back: Callable[[], bool] | None = getattr(self.screen, "back", None)
        if len(self.screen_stack) == 1:
            self.home.back()
        elif back is None or not back():
            self.pop_screen()

    def act_quit(self) -> None:
        """Leaves; asks first where that stops a program."""
        running = [program.name for program in self.board.programs if program.pid]
        if not running:
            self.exit(return_code=0)
            return
        from selfheal_tui.tui.screens.leave import LeaveScreen

        if isinstance(self.screen, LeaveScreen):
            self.exit(return_code=0)
        else:
            self.push_screen(LeaveScreen(tuple(running)))
