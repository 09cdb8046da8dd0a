"""The review decides what was shown, on purpose, and nothing else: every key, every state, and every stray key."""

from __future__ import annotations

import string
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import NOW, RUNNING, FakeDesk, a_board, a_candidate, a_detail, a_request, a_row, rungs
from textual import events
from textual.pilot import Pilot
from textual.widgets import ContentSwitcher, Input, Static

from selfheal_tui.operations.desk import (
    Answered,
    BoardChanged,
    DetailReady,
    EditedFile,
    ProofMoved,
    Working,
)
from selfheal_tui.operations.snapshot import FileChange, IncidentDetail, RequestView, Tone
from selfheal_tui.tui.app import Console
from selfheal_tui.tui.arming import Stage
from selfheal_tui.tui.screens.code import CodeScreen
from selfheal_tui.tui.screens.home import HomeScreen
from selfheal_tui.tui.screens.reason import ReasonScreen
from selfheal_tui.tui.screens.review import ReviewScreen
from selfheal_tui.tui.screens.why import WhyScreen
from selfheal_tui.tui.widgets.approval import ApprovalPanel
from selfheal_tui.tui.widgets.diffview import DiffView
from selfheal_tui.tui.widgets.fact import Fact
from selfheal_tui.tui.widgets.textpane import TextPane

BEFORE = "".join(f"line {n}\n" for n in range(1, 41))
AFTER = BEFORE.replace("line 3\n", "line three\n").replace("line 30\n", "line thirty\n")
TWO_HUNKS = a_candidate(changes=(FileChange("app/agent.py", BEFORE, AFTER),))
PRINTABLE = [*string.ascii_letters, *string.digits, "enter", "space", "tab", "backspace"]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that decide need not wait; those of stray keys make the moment endless."""
    monkeypatch.setattr(ReviewScreen, "arm_seconds", 0.01)


async def until(pilot: Pilot[Any], met: Callable[[], bool]) -> None:
    for _ in range(2000):
        if met():
            return
        await pilot.pause(0.005)
    raise AssertionError("it did not happen")


class Seat:
    """A console with a review on it."""

    def __init__(self, pilot: Pilot[Any], desk: FakeDesk) -> None:
        self.pilot = pilot
        self.desk = desk
        self.app: Console = pilot.app  # type: ignore[assignment]  # the only app there is
        self.toasts: list[str] = []
        tell = self.app.tell

        def kept(text: str, tone: Tone = Tone.GOOD) -> None:
            self.toasts.append(text)
            tell(text, tone)

        self.app.tell = kept  # type: ignore[method-assign]

    @property
    def review(self) -> ReviewScreen:
        return next(screen for screen in self.app.screen_stack if isinstance(screen, ReviewScreen))

    @property
    def state(self) -> str:
        return self.review.query_one("#review-state", Fact).plain

    @property
    def head(self) -> str:
        return self.review.query_one("#review-head", Fact).plain

    @property
    def top(self) -> Any:
        """The screen in front."""
        return self.app.screen

    def shows(self, kind: type[object]) -> bool:
        return isinstance(self.top, kind)

    @property
    def open(self) -> bool:
        return any(isinstance(screen, ReviewScreen) for screen in self.app.screen_stack)

    async def armed(self) -> None:
        await until(self.pilot, lambda: self.review.stage is Stage.ARMED)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def tell(self, event: Any) -> None:
        self.desk.tell(event)
        await self.pilot.pause()


@asynccontextmanager
async def reviewing(
    detail: IncidentDetail | None = None,
    *,
    board: Any = None,
    size: tuple[int, int] = (100, 32),
    wait: bool = True,
    **options: Any,
) -> AsyncIterator[Seat]:
    detail = detail or a_detail()
    desk = FakeDesk(board or a_board(requests=(detail.request,) if detail.request else ()), (detail,))
    app = Console(desk, clock=lambda: NOW, bell=False, desktop=False, **options)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        seat = Seat(pilot, desk)
        app.push_screen(ReviewScreen("req-a1b2", "a1b2"))
        await until(pilot, lambda: seat.open and seat.review.is_mounted)
        if wait:
            await seat.armed()
        yield seat


def asked(**changes: Any) -> RequestView:
    return a_request(**changes)


# -- what is seen -----------------------------------------------------------------------------------


async def test_the_head_says_what_is_asked_why_where_and_until_when() -> None:
    async with reviewing() as seat:
        for words in ("#a1b2", "RED", "self modify codebase", "production", "expires", "AttributeError", "app/agent.py:88",
                      "renamed", "production always asks", "question 1 of 1"):  # fmt: skip
            assert words in seat.head
        assert "contains_secrets" in "".join(
            strip.text
            for strip in seat.review.query_one(DiffView).render_lines(
                seat.review.query_one(DiffView).size.region
            )
        )


async def test_p_shows_the_proof_and_d_the_diff_again() -> None:
    async with reviewing() as seat:
        await seat.press("p")
        assert seat.review.query_one(ContentSwitcher).current == "review-proof"
        assert "tests: seen" in seat.review.query_one(TextPane).plain
        await seat.press("d")
        assert seat.review.query_one(ContentSwitcher).current == "review-diff"
        assert seat.review.focused is seat.review.query_one(DiffView)


async def test_w_says_why_and_what_approving_does() -> None:
    async with reviewing() as seat:
        await seat.press("w")
        await seat.pilot.pause()
        assert seat.shows(WhyScreen)
        text = " ".join(str(widget.content) for widget in seat.top.query(Static))
        assert "production always asks" in text
        assert "writes exactly the patch that is shown to app/agent.py" in text
        await seat.press("escape")
        assert seat.top is seat.review


async def test_a_running_proof_is_shown_live_and_x_cancels_only_that() -> None:
    async with reviewing() as seat:
        await seat.press("X")
        assert "no version of yours" in seat.toasts[-1]
        running = (*rungs()[:-1], replace(rungs()[-1], standing=RUNNING, started_at=NOW - 12))
        await seat.tell(Working("errand-7", "proving your version", NOW, ended=False, about="req-a1b2"))
        await seat.tell(Working("errand-8", "something else", NOW, ended=False, about="other"))
        await seat.tell(ProofMoved("a1b2", "your edit", running, NOW - 12, ended=False))
        await seat.press("p")
        assert "being proved: your edit" in seat.review.query_one(TextPane).plain
        assert "for 0:12" in seat.review.query_one(TextPane).plain
        await seat.press("X")
        assert seat.desk.made("cancel_errand") == [("cancel_errand", "errand-7")]
        assert seat.desk.made() == []


# -- deciding ---------------------------------------------------------------------------------------


async def test_a_approves_once_and_goes_back() -> None:
    async with reviewing() as seat:
        await seat.press("a")
        await until(seat.pilot, lambda: not seat.open)
        assert seat.desk.made() == [("approve", "req-a1b2", "", "")]
        assert seat.shows(HomeScreen)


async def test_a_second_press_while_it_is_applied_does_nothing() -> None:
    async with reviewing() as seat:
        seat.desk.approve = lambda *args, **kw: seat.desk.calls.append(("approve", *args))  # type: ignore[method-assign]
        await seat.press("a", "a", "r", "n")
        assert len(seat.desk.made()) == 1
        assert "being applied" in seat.state
        await seat.tell(Answered("req-a1b2", ok=False, text="it was changed meanwhile"))
        assert seat.open
        await seat.armed()


async def test_the_next_question_is_offered_after_a_decision() -> None:
    board = a_board(requests=(asked(), asked(incident_id="c3d4")))
    async with reviewing(board=board) as seat:
        await seat.press("a")
        await until(seat.pilot, lambda: not seat.open)
        assert any("1 more wait for you" in toast for toast in seat.toasts)


async def test_big_n_goes_to_the_next_question() -> None:
    board = a_board(requests=(asked(), asked(incident_id="c3d4")))
    async with reviewing(board=board) as seat:
        await seat.press("N")
        await until(seat.pilot, lambda: seat.open and seat.review.incident_id == "c3d4")
        assert seat.desk.made() == []


async def test_r_asks_for_a_reason_and_enter_there_rejects() -> None:
    async with reviewing() as seat:
        await seat.press("r")
        await seat.pilot.pause()
        assert seat.shows(ReasonScreen)
        await seat.press(*"no", "enter")
        await until(seat.pilot, lambda: not seat.open)
        assert seat.desk.made() == [("reject", "req-a1b2", "no")]


async def test_escape_in_the_reason_rejects_nothing() -> None:
    async with reviewing() as seat:
        await seat.press("r", *"no", "escape")
        await seat.pilot.pause()
        assert seat.top is seat.review
        assert seat.desk.made() == []


async def test_n_asks_for_another_fix() -> None:
    async with reviewing() as seat:
        await seat.press("n")
        assert seat.desk.made() == [("next_candidate", "req-a1b2")]
        assert "X cancels" in seat.state


async def test_escape_goes_back_and_decides_nothing() -> None:
    async with reviewing() as seat:
        await seat.press("escape")
        await until(seat.pilot, lambda: not seat.open)
        assert seat.desk.made() == []


# -- the typed code ---------------------------------------------------------------------------------

WITH_CODE = a_detail(request=asked(needs_code=True))


async def test_where_a_code_is_needed_the_key_alone_approves_nothing() -> None:
    async with reviewing(WITH_CODE) as seat:
        assert "code ab3k" in seat.head
        await seat.press("a", "enter", "enter")
        assert seat.shows(CodeScreen)
        assert seat.desk.made() == []
        await seat.press("escape")
        assert seat.top is seat.review
        assert seat.desk.made() == []


async def test_the_exact_code_approves() -> None:
    async with reviewing(WITH_CODE) as seat:
        await seat.press("a", *"ab3k")
        await until(seat.pilot, lambda: not seat.open)
        assert seat.desk.made() == [("approve", "req-a1b2", "ab3k", "")]


@pytest.mark.parametrize("wrong", ["AB3K", "ab3x", "xxxx", "k3ba"])
async def test_no_other_code_approves(wrong: str) -> None:
    async with reviewing(WITH_CODE) as seat:
        await seat.press("a", *wrong, "enter")
        assert seat.shows(CodeScreen)
        assert seat.top.query_one(Input).value == ""
        await seat.press(*(wrong + wrong))
        await until(seat.pilot, lambda: seat.top is seat.review)
        assert seat.desk.made() == []


async def test_a_code_for_a_proposal_that_changed_meanwhile_approves_nothing() -> None:
    async with reviewing(WITH_CODE) as seat:
        await seat.press("a", *"ab3")
        other = a_candidate(2, changes=(FileChange("app/agent.py", "a\n", "b\n"),))
        new = asked(request_id="req-new", needs_code=True, candidate_id="cand2", code="zzzz")
        await seat.tell(DetailReady(a_detail(candidates=(a_candidate(), other), chosen=1, request=new)))
        await seat.press("k")
        await until(seat.pilot, lambda: seat.top is seat.review)
        assert seat.desk.made() == []
        assert any("changed meanwhile" in toast for toast in seat.toasts)


# -- hunks and editing ------------------------------------------------------------------------------


async def test_a_choice_of_hunks_cannot_be_approved_but_proved() -> None:
    async with reviewing(a_detail(candidates=(TWO_HUNKS,))) as seat:
        await seat.press("h")
        assert "1 of 2 hunks are in" in seat.state
        await seat.press("a")
        assert seat.desk.made() == []
        await seat.press("P")
        expected = EditedFile("app/agent.py", AFTER.replace("line three", "line 3"))
        assert seat.desk.made() == [("revise", "req-a1b2", (expected,), "1 of 2 hunks")]


async def test_all_or_no_hunks_make_no_new_patch() -> None:
    async with reviewing(a_detail(candidates=(TWO_HUNKS,))) as seat:
        await seat.press("P")
        assert "all hunks are in" in seat.toasts[-1]
        await seat.press("h", "right_square_bracket", "h", "P")
        assert "no hunk is in" in seat.toasts[-1]
        await seat.press("h", "left_square_bracket", "h")
        assert seat.review.stage is Stage.ARMED
        assert seat.desk.made() == []


async def test_a_patch_of_one_hunk_has_nothing_to_choose() -> None:
    async with reviewing() as seat:
        await seat.press("h")
        assert "one hunk" in seat.toasts[-1]


def editor(monkeypatch: pytest.MonkeyPatch, change: Callable[[str], str], code: int = 0) -> list[Path]:
    seen: list[Path] = []

    def run(_screen: ReviewScreen, command: list[str]) -> int:
        path = Path(command[-1])
        seen.append(path)
        path.write_text(change(path.read_text()))
        return code

    monkeypatch.setenv("VISUAL", "sh")
    monkeypatch.setattr(ReviewScreen, "run_editor", run)
    return seen


async def test_what_was_edited_is_proved_and_the_copy_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = editor(monkeypatch, lambda text: text + "# mine\n")
    async with reviewing() as seat:
        await seat.press("e")
        after = a_candidate().changes[0].after
        assert seat.desk.made() == [
            ("revise", "req-a1b2", (EditedFile("app/agent.py", after + "# mine\n"),), "edited by hand")
        ]
        assert not seen[0].exists()


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        (lambda text: text, 0, "nothing was edited"),
        (lambda _text: a_candidate().changes[0].before, 0, "takes the whole fix back"),
        (lambda text: text + "x", 3, "ended with 3"),
    ],
)
async def test_an_edit_that_is_none_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[str], str], code: int, says: str
) -> None:
    editor(monkeypatch, change, code)
    async with reviewing() as seat:
        await seat.press("e")
        assert says in seat.toasts[-1]
        assert seat.desk.made() == []


async def test_a_missing_editor_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", "no-such-editor-anywhere")
    async with reviewing() as seat:
        await seat.press("e")
        assert "no-such-editor-anywhere" in seat.toasts[-1]
        assert seat.desk.made() == []


# -- stray keys -------------------------------------------------------------------------------------


async def test_no_key_before_the_arming_decides_or_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ReviewScreen, "arm_seconds", 3600.0)
    async with reviewing(wait=False) as seat:
        for key in PRINTABLE:
            if key in "12345qTAW" or key in ("enter", "space"):
                continue
            await seat.press(key)
            if seat.top is not seat.review:  # such as the why dialog, which decides nothing
                await seat.press("escape")
        assert seat.desk.made() == []
        assert seat.open
        assert any("a moment after" in toast or "has not been shown" in toast for toast in seat.toasts)
        seat.review.arming = replace(seat.review.arming, seconds=0.0)
        seat.review._tick()
        await seat.pilot.pause()
        assert seat.review.stage is Stage.ARMED
        assert seat.desk.made() == []


async def test_neither_enter_nor_space_approves_when_armed() -> None:
    async with reviewing() as seat:
        await seat.press("enter", "space", "tab", "backspace", "down", "enter")
        assert seat.desk.made() == []
        assert seat.open


async def test_a_key_that_was_pressed_before_the_arming_and_comes_late_is_swallowed() -> None:
    async with reviewing() as seat:
        late = events.Key("a", "a")
        late.time = seat.review.arming.since
        seat.app.post_message(late)
        await seat.pilot.pause()
        await seat.pilot.pause()
        assert seat.desk.made() == []
        assert "pressed before" in seat.toasts[-1]


async def test_after_the_terminal_was_left_nothing_is_approved_before_it_is_armed_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with reviewing() as seat:
        seat.app.post_message(events.AppBlur())
        await until(seat.pilot, lambda: seat.review.stage is Stage.BLURRED)
        seat.review.arming = replace(seat.review.arming, seconds=3600.0)
        await seat.press("a", "r", "n")  # a key brings the focus back, and is swallowed
        assert seat.review.stage is Stage.WAITING
        assert seat.desk.made() == []
        seat.app.post_message(events.AppBlur())
        await seat.pilot.pause()
        seat.review.arming = replace(seat.review.arming, seconds=0.01)
        seat.app.post_message(events.AppFocus())
        await seat.armed()
        await seat.press("a")
        assert len(seat.desk.made("approve")) == 1


async def test_another_proposal_disarms(monkeypatch: pytest.MonkeyPatch) -> None:
    async with reviewing() as seat:
        seat.review.arming = replace(seat.review.arming, seconds=3600.0)
        other = a_candidate(2, changes=(FileChange("app/agent.py", "a\n", "b\n"),))
        new = asked(request_id="req-new", candidate_id="cand2")
        await seat.tell(DetailReady(a_detail(candidates=(a_candidate(), other), chosen=1, request=new)))
        await seat.press("a")
        assert seat.desk.made() == []
        await until(seat.pilot, lambda: seat.review.stage is Stage.WAITING)
        seat.review.arming = replace(seat.review.arming, seconds=0.01)
        seat.review._tick()
        await seat.pilot.pause(0.02)
        await seat.press("a")
        assert seat.desk.made("approve") == [("approve", "req-new", "", "")]


async def test_the_same_patch_asked_anew_disarms_too() -> None:
    async with reviewing() as seat:
        seat.review.arming = replace(seat.review.arming, seconds=3600.0)
        await seat.tell(DetailReady(a_detail(request=asked(request_id="req-new"))))
        assert seat.review.stage is Stage.WAITING
        await seat.press("a")
        assert seat.desk.made() == []


async def test_a_question_about_a_fix_that_is_not_there_shows_no_other_and_cannot_be_approved() -> None:
    detail = a_detail(request=asked(candidate_id="cand9"))
    async with reviewing(detail, wait=False) as seat:
        await seat.pilot.pause()
        await seat.press("a")
        assert seat.review.query_one(DiffView).patch_key == ""
        assert seat.review.stage is Stage.UNPAINTED
        assert seat.desk.made() == []


async def test_the_home_screen_shows_the_question_of_the_incident_under_the_cursor() -> None:
    desk = FakeDesk(a_board(requests=(asked(), asked(incident_id="c3d4"))))
    app = Console(desk, clock=lambda: NOW, bell=False, desktop=False)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        await pilot.press("j")
        await pilot.pause()
        assert "Approval 2 of 2" in str(app.screen.query_one(ApprovalPanel).border_title)
        await pilot.press("j")
        await pilot.pause()
        assert "Approval 1 of 2" in str(app.screen.query_one(ApprovalPanel).border_title)


async def test_a_dialog_on_top_disarms() -> None:
    async with reviewing() as seat:
        seat.review.arming = replace(seat.review.arming, seconds=3600.0)
        await seat.press("w", "escape", "a")
        assert seat.desk.made() == []
        assert seat.review.stage is Stage.WAITING


async def test_a_request_that_arrives_takes_no_focus_and_no_key() -> None:
    desk = FakeDesk(a_board(requests=()), (a_detail(),))
    app = Console(desk, clock=lambda: NOW, bell=False, desktop=False)
    async with app.run_test(size=(100, 32)) as pilot:
        await pilot.press("2")
        focused, screen = app.focused, app.screen
        desk.tell(BoardChanged(a_board(revision=2)))
        await pilot.pause()
        assert app.focused is focused
        assert app.screen is screen
        assert app.screen.query_one(ApprovalPanel).display
        await pilot.press(*"arehnd")
        assert desk.made() == []


async def test_a_read_only_console_decides_nothing() -> None:
    async with reviewing(board=a_board(read_only=True)) as seat:
        await seat.press("a", "r", "e", "h", "P", "n")
        assert seat.top is seat.review
        assert seat.desk.made() == []
        assert "read-only" in seat.toasts[-1]


# -- decided elsewhere ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (None, "not open any more"),
        (asked(state="rejected"), "rejected already"),
        (asked(state="approved"), "approved already"),
        (asked(expires_at=NOW - 1), "expired"),
    ],
)
async def test_a_question_that_was_answered_elsewhere_greys_the_keys(
    request_: RequestView | None, says: str
) -> None:
    async with reviewing() as seat:
        await seat.tell(DetailReady(a_detail(request=request_)))
        assert says in seat.state
        await seat.press("a", "r", "n")
        assert seat.desk.made() == []
        assert seat.top is seat.review


async def test_an_answer_to_another_question_leaves_this_one_open() -> None:
    async with reviewing() as seat:
        await seat.tell(Answered("req-other", ok=True, text="applied"))
        assert seat.open


# -- the panel --------------------------------------------------------------------------------------


async def test_the_panel_shows_the_question_and_hides_without_one() -> None:
    desk = FakeDesk(a_board(requests=(asked(), asked(incident_id="c3d4"))))
    app = Console(desk, clock=lambda: NOW, bell=False, desktop=False)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        panel = app.screen.query_one(ApprovalPanel)
        assert "Approval 1 of 2" in str(panel.border_title)
        assert "RED" in panel.query_one("#approval-headline", Fact).plain
        assert "a approve" in panel.query_one("#approval-keys", Fact).plain
        panel.point("c3d4")
        assert "Approval 2 of 2" in str(panel.border_title)
        desk.tell(BoardChanged(a_board(revision=2, requests=())))
        await pilot.pause()
        assert not panel.display


# -- nasty texts ------------------------------------------------------------------------------------

NASTY = [
    "[/oops]",
    "[@click=app.quit]x[/]",
    "\x1b]52;c;aGk=\x07\x1b[2J",
    "a\r\nb\tc\x00\x9b",
    "\u202eevil\u2066\u200b",
    "漢字🙂" * 40,
    "x" * 1_000_000,
]


@pytest.mark.parametrize("nasty", NASTY, ids=range(len(NASTY)))
async def test_no_text_crashes_the_review_or_reaches_the_terminal_raw(nasty: str) -> None:
    change = FileChange(nasty, f"{nasty}\nold\n", f"{nasty}\nnew {nasty}\n", note=nasty)
    ladder = tuple(replace(rung, summary=nasty, details=(nasty,)) for rung in rungs())
    candidate = a_candidate(changes=(change, change), by=nasty, reason=nasty, rungs=ladder, notes=(nasty,))
    request = asked(headline=nasty, why=(nasty,), action=nasty, rungs=ladder, needs_code=True)
    row = a_row(message=nasty, error=nasty, place=nasty, environment=nasty)
    async with reviewing(a_detail(row=row, candidates=(candidate,), request=request, cause=nasty)) as seat:
        for key in ("d", "p", "w"):
            await seat.press(key)
            await seat.pilot.pause()
            for strip in seat.top._compositor.render_strips():
                assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in strip.text)
                assert not set("\u202e\u2066\u200b") & set(strip.text)
        await seat.press("escape", "a")
        await seat.pilot.pause()
        assert seat.desk.made() == []
