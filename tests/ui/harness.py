"""What tests of the whole console share: opening it on a fake desk, reading the screen, waiting without sleeping."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from fakes import (
    FAIL,
    HEALED,
    NOW,
    REJECTED,
    FakeDesk,
    a_board,
    a_candidate,
    a_detail,
    a_request,
    a_row,
    rungs,
)
from textual.pilot import Pilot
from textual.screen import Screen
from textual.strip import Strip

from selfheal_tui.operations.desk import (
    BackupsReady,
    HistoryReady,
    InsightsReady,
    PolicyReady,
    PreviewReady,
)
from selfheal_tui.operations.snapshot import (
    AttemptRow,
    BackupFile,
    BackupVersion,
    FileChange,
    History,
    IncidentDetail,
    Insights,
    PolicyView,
    RollbackPreview,
    Series,
    SettingView,
    Standing,
    Tone,
)
from selfheal_tui.tui.app import Console

SIZES = ((80, 24), (120, 36), (200, 60))
VIEWS = ("incidents", "history", "backups", "insights", "policy")

CAN = Standing("can be restored", "○", "o", Tone.GOOD)
IS_THERE = Standing("is what is there now", "●", "*", Tone.QUIET)


def an_attempt(number: int = 1, **changes: Any) -> AttemptRow:
    attempt = AttemptRow(
        key=f"attempt-{number}",
        at=NOW - 3600 * number,
        incident_id="77f0",
        standing=HEALED,
        success=True,
        error="TypeError: unsupported operand",
        file="app/sums.py",
        kind="reliability critical",
        by="rules/evident-value",
        decided_by="policy:local-full",
        seconds=4.2,
        tokens=0,
        usd=0.0,
        preview="--- a/app/sums.py\n+++ b/app/sums.py\n@@ -3 +3 @@\n-    return a + b\n+    return a + int(b)\n",
        validation=("syntax: pass", "tests: pass 52/52"),
    )
    return replace(attempt, **changes)


def a_history() -> History:
    return History(
        (
            an_attempt(1),
            an_attempt(
                2,
                incident_id="a1b2",
                standing=REJECTED,
                success=False,
                error="AttributeError: has_secrets",
                file="app/agent.py",
                by="model/sonnet",
                decided_by="operator:kim",
                seconds=61.0,
                tokens=3120,
                usd=0.0123,
            ),
            an_attempt(3, incident_id="90aa", standing=Standing("explained", "?", "?", Tone.WARN), success=False,
                       error="TimeoutError: timed out", file="app/net.py", by="", decided_by="", seconds=0.8),
        ),
        audit_ok=True,
        audit_text="118 records, whole",
    )  # fmt: skip


def a_version(number: int, path: str = "app/agent.py", **changes: Any) -> BackupVersion:
    version = BackupVersion(
        backup_id=f"{path}.{number}.bak",
        path=path,
        created_at=NOW - 60 * number,
        what=f"before the fix of #a1b{number}",
        sha="0123456789ab",
        incident_id=f"a1b{number}",
        transaction_id=f"t{number}",
        size=2048,
        standing=CAN,
    )
    return replace(version, **changes)


def backups() -> tuple[BackupFile, ...]:
    return (
        BackupFile("app/agent.py", (a_version(1), a_version(2, standing=IS_THERE))),
        BackupFile("app/store.py", (a_version(3, "app/store.py"),)),
    )


def insights() -> Insights:
    days = tuple(f"2026-09-{day:02d}" for day in range(8, 22))
    return Insights(
        per_day=Series("Incidents a day", days, (0, 2, 3, 1, 0, 0, 5, 8, 2, 1, 1, 0, 4, 3), "incidents"),
        outcomes=Series("Outcomes", ("healed", "explained", "rejected"), (18, 9, 3), "incidents"),
        time_to_heal=Series(
            "Mean time to heal", days, (9, 8, 7, 7, 7, 6, 6, 5, 5, 4.5, 4.4, 4.4, 4.2, 4), "s"
        ),
        by_rule=Series("Success", ("rules/evident-value", "model/sonnet"), (0.94, 0.5), "%"),
        by_rule_counts=Series("Attempts", ("rules/evident-value", "model/sonnet"), (17, 4), "attempts"),
        money=Series("Money a day", days, (0,) * 13 + (0.02,), "USD"),
        learned=("rules/evident-value held 16 of 17 times",),
        totals={"incidents": "30", "healed": "60 %", "spent": "$0.02"},
    )


def policy() -> PolicyView:
    return PolicyView(
        environment="production",
        environment_source="selfheal.toml",
        version="9f2c",
        lights=(("self_modify_codebase", "RED"), ("retry", "GREEN")),
        rules=(
            ("production-asks", "the environment is production", True),
            ("proof-warns", "a rung of the proof has a warning", False),
        ),
        outcome=("production: every change of the program's own code is asked for",),
        budgets=(("changes an hour", "2 of 10 used"), ("USD a day", "0.02 of 5.00 used")),
        settings=(
            SettingView("environment", "production", "selfheal.toml", "where this runs"),
            SettingView("sandbox.memory_mb", "1024", "default", "memory of a candidate"),
        ),
        sandbox="namespaces, Landlock, seccomp",
    )


def a_preview(target: str) -> RollbackPreview:
    change = FileChange("app/agent.py", "a = 1\nb = 'fixed'\n", "a = 1\nb = 'broken'\n", "restore")
    return RollbackPreview(target, "restore app/agent.py", (change,))


class FullDesk(FakeDesk):
    """A desk whose every question is answered at once, with something in every view."""

    def __init__(
        self, board: Any = None, details: Sequence[IncidentDetail] = (), *, empty: bool = False
    ) -> None:
        super().__init__(board, details)
        self.history = History(()) if empty else a_history()
        self.files: tuple[BackupFile, ...] = () if empty else backups()
        none = Series("", (), (), "")
        self.insights = Insights(none, none, none, none, none, none, ()) if empty else insights()
        self.policy = policy()

    def ask_history(self) -> None:
        super().ask_history()
        self.tell(HistoryReady(self.history))

    def ask_backups(self) -> None:
        super().ask_backups()
        self.tell(BackupsReady(self.files))

    def ask_preview(self, target: str) -> None:
        super().ask_preview(target)
        self.tell(PreviewReady(target, a_preview(target)))

    def ask_insights(self) -> None:
        super().ask_insights()
        self.tell(InsightsReady(self.insights))

    def ask_policy(self) -> None:
        super().ask_policy()
        self.tell(PolicyReady(self.policy))


def two_questions() -> FullDesk:
    """Returns a desk with two open questions; the second one's proof failed once and needs the code."""
    other = a_row("e5f6", place="app/web.py:7", error="KeyError", message="'token'")
    asked = a_request("e5f6", needs_code=True, code="zq7m")
    board = a_board()
    board = replace(board, rows=(board.rows[0], other, *board.rows[1:]), requests=(a_request(), asked))
    healed = a_detail("77f0", row=board.rows[3], request=None, transaction_id="t1")
    tried = a_candidate(
        2, acceptable=False, note="not taken: the tests failed", rungs=rungs(last=FAIL), by="model/sonnet"
    )
    return FullDesk(
        board,
        (
            replace(a_detail(), candidates=(a_candidate(), tried)),
            a_detail("e5f6", row=other, request=asked),
            healed,
        ),
    )


@asynccontextmanager
async def console(
    desk: FakeDesk | None = None, size: tuple[int, int] = (120, 36), **changes: Any
) -> AsyncIterator[tuple[Console, Pilot[int]]]:
    """Opens the console on a desk, with the clock of every test."""
    options: dict[str, Any] = {"bell": False, "desktop": False, "clock": lambda: NOW, **changes}
    app = Console(desk if desk is not None else two_questions(), **options)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: not app.board.loading)
        await pilot.pause()
        await pilot.pause()  # and is drawn
        yield app, pilot


def strips(app: Console) -> list[Strip]:
    """Returns what is on the screen, a strip a line, as it leaves for the terminal."""
    screen: Screen[Any] = app.screen
    width = screen.size.width
    return [strip.crop(0, width) for strip in screen._compositor.render_strips()]


def screen_text(app: Console) -> str:
    """Returns what is on the screen as plain text, without blanks at the ends of lines."""
    return "\n".join(strip.text.rstrip() for strip in strips(app)) + "\n"


def toasts(app: Console) -> list[str]:
    """Returns the texts of all toasts that were shown and have not gone yet."""
    return [note.message for note in app._notifications]


async def until(pilot: Pilot[Any], condition: Callable[[], Any], what: str = "it did not happen") -> None:
    """Waits for something without sleeping longer than it takes."""
    for _ in range(400):
        if condition():
            return
        await pilot.pause(0.01)
    raise AssertionError(f"{what}; on the screen:\n{screen_text(pilot.app)}")  # type: ignore[arg-type]  # is the console


def names(stack: Iterable[Screen[Any]]) -> list[str]:
    """Returns the classes of the screens that are open, from below."""
    return [type(screen).__name__ for screen in stack]
