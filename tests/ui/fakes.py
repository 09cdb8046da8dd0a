"""A desk without a system behind it, and snapshots to draw: for tests of what is seen and pressed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from selfheal_tui.operations.desk import Answered, BoardChanged, DeskEvent, DetailReady, EditedFile
from selfheal_tui.operations.snapshot import (
    Board,
    CandidateView,
    EngineView,
    ErrorView,
    FileChange,
    FrameView,
    IncidentDetail,
    IncidentRow,
    ProgramView,
    RequestView,
    RungView,
    Standing,
    TimelineRow,
    Tone,
)
from selfheal_tui.supervisor.output import OutputRing, OutputSnapshot

NOW = 1_790_000_000.0
"""The clock of every test: 2026-09-21 14:13:20 UTC."""

NEEDS_YOU = Standing("needs you", "!", "!", Tone.ASK)
PROVING = Standing("proving", "~", "~", Tone.BUSY)
HEALED = Standing("healed", "✓", "+", Tone.GOOD)
EXPLAINED = Standing("explained", "?", "?", Tone.WARN)
EXTERNAL = Standing("external", "-", "-", Tone.QUIET)
REJECTED = Standing("rejected", "✗", "x", Tone.BAD)
PASS = Standing("pass", "✓", "+", Tone.GOOD)
WARN = Standing("warn", "!", "!", Tone.WARN)
FAIL = Standing("fail", "✗", "x", Tone.BAD)
RUNNING = Standing("running", "●", "*", Tone.BUSY)
WAITING = Standing("waiting", "·", ".", Tone.QUIET)

BEFORE = "def run(text, s):\n    if s.has_secrets(text):\n        return None\n    return text\n"
AFTER = BEFORE.replace("has_secrets", "contains_secrets")


def a_row(incident_id: str = "a1b2", **changes: Any) -> IncidentRow:
    row = IncidentRow(
        incident_id=incident_id,
        standing=NEEDS_YOU,
        risk="RED",
        error="AttributeError",
        message="'OutputSanitizer' object has no attribute 'has_secrets'",
        place="app/agent.py:88",
        kind="reliability critical",
        count=3,
        environment="production",
        first_seen=NOW - 300,
        last_seen=NOW - 42,
        since=NOW - 42,
        note="production always asks",
        needs_person=True,
        request_id=f"req-{incident_id}",
    )
    return replace(row, **changes)


def rungs(*, last: Standing = PASS) -> tuple[RungView, ...]:
    names = ("syntax", "scope", "safety", "honesty", "imports", "coverage", "replay", "tests")
    summaries = {"replay": "red → green", "tests": "52/52"}
    return tuple(
        RungView(name, last if name == "tests" else PASS, summaries.get(name, ""), (f"{name}: seen",), 0.1)
        for name in names
    )


def a_candidate(number: int = 1, **changes: Any) -> CandidateView:
    candidate = CandidateView(
        number=number,
        candidate_id=f"cand{number}",
        by="rules/misspelt-attribute",
        reason="the class has a method of that meaning",
        confidence=0.93,
        changes=(FileChange("app/agent.py", BEFORE, AFTER),),
        added=1,
        removed=1,
        rungs=rungs(),
        acceptable=True,
    )
    return replace(candidate, **changes)


def a_request(incident_id: str = "a1b2", **changes: Any) -> RequestView:
    request = RequestView(
        request_id=f"req-{incident_id}",
        incident_id=incident_id,
        candidate_id="cand1",
        risk="RED",
        action="self_modify_codebase",
        headline="app/agent.py · +1 −1 · by rules/misspelt-attribute (0.93)",
        why=("production always asks",),
        rungs=rungs(),
        needs_code=False,
        code="ab3k",
        created_at=NOW - 42,
        expires_at=NOW + 900,
        state="open",
    )
    return replace(request, **changes)


def a_detail(incident_id: str = "a1b2", *, row: IncidentRow | None = None, **changes: Any) -> IncidentDetail:
    detail = IncidentDetail(
        row=row or a_row(incident_id),
        cause="the method was renamed to `contains_secrets`; two callers were left behind",
        explanation="An attribute is looked up that the class does not have.",
        reason="a missing attribute of an in-app class",
        failing="s.has_secrets(text)",
        trail=(),
        chain=(
            ErrorView(
                "raised",
                "AttributeError",
                "'OutputSanitizer' object has no attribute 'has_secrets'",
                (
                    FrameView("app/main.py:12", "main", "run(text, sanitizer)", True),
                    FrameView(
                        "app/agent.py:88",
                        "run",
                        "if s.has_secrets(text):",
                        True,
                        (("text", "'…'"), ("s", "<S>")),
                    ),
                ),
            ),
        ),
        candidates=(a_candidate(),),
        chosen=0,
        request=a_request(incident_id),
        timeline=(
            TimelineRow(NOW - 300, "incident.detected", "engine", ""),
            TimelineRow(NOW - 42, "approval.requested", "engine", "why=production always asks"),
        ),
    )
    return replace(detail, **changes)


def a_program(**changes: Any) -> ProgramView:
    program = ProgramView(
        name="agent",
        command="python -m agent",
        standing=Standing("running", "●", "*", Tone.GOOD),
        pid=4711,
        run=1,
        crashes=0,
        message="",
        since=NOW - 500,
    )
    return replace(program, **changes)


def a_board(**changes: Any) -> Board:
    rows = (
        a_row(),
        a_row("c3d4", standing=PROVING, risk="", error="KeyError", message="'user'", place="app/store.py:9",
              note="proving · tests", needs_person=False, request_id="", count=1),
        a_row("77f0", standing=HEALED, risk="", error="TypeError", message="unsupported operand", open=False,
              needs_person=False, request_id="", place="app/sums.py:3", note="applied by policy:local-full"),
        a_row("90aa", standing=EXPLAINED, risk="", error="TimeoutError", message="timed out", open=False,
              needs_person=False, request_id="", place="app/net.py:70", note="the server did not answer"),
        a_row("12bc", standing=EXTERNAL, risk="", error="ConnectionError", message="refused", open=False,
              needs_person=False, request_id="", place="app/net.py:71", note="outside of the project"),
    )  # fmt: skip
    board = Board(
        revision=1,
        project="demo-agent",
        root="/srv/demo-agent",
        environment="production",
        read_only=False,
        engine=EngineView(Standing("running", "●", "*", Tone.GOOD), "serves 2 at once"),
        rows=rows,
        requests=(a_request(),),
        programs=(a_program(),),
    )
    return replace(board, **changes)


class FakeDesk:
    """Records what a face asks for and decides; tells what a test wants told.

    Attributes:
        calls: Each call as (method, arguments…).
        board: Told at the start.
        details: What `look_at` is answered with, by incident.
    """

    def __init__(self, board: Board | None = None, details: Sequence[IncidentDetail] = ()) -> None:
        self.board = a_board() if board is None else board
        self.details = {d.row.incident_id: d for d in (details or (a_detail(),))}
        self.calls: list[tuple[Any, ...]] = []
        self.ring = OutputRing(1000, clock=lambda: NOW)
        self.stopped = False
        self._tell: Callable[[DeskEvent], None] = lambda event: None

    def tell(self, event: DeskEvent) -> None:
        if isinstance(event, BoardChanged):
            self.board = event.board
        self._tell(event)

    def made(self, *names: str) -> list[tuple[Any, ...]]:
        """Returns the calls of some methods, or all decisions."""
        wanted = names or DECISIONS
        return [call for call in self.calls if call[0] in wanted]

    def start(self, tell: Callable[[DeskEvent], None]) -> None:
        self._tell = tell
        self.tell(BoardChanged(self.board))

    def stop(self) -> None:
        self.stopped = True

    def look_at(self, incident_id: str) -> None:
        self.calls.append(("look_at", incident_id))
        if incident_id in self.details:
            self.tell(DetailReady(self.details[incident_id]))

    def ask_history(self) -> None:
        self.calls.append(("ask_history",))

    def ask_backups(self) -> None:
        self.calls.append(("ask_backups",))

    def ask_preview(self, target: str) -> None:
        self.calls.append(("ask_preview", target))

    def ask_insights(self) -> None:
        self.calls.append(("ask_insights",))

    def ask_policy(self) -> None:
        self.calls.append(("ask_policy",))

    def output(self, program: str, *, after: int = 0) -> OutputSnapshot:
        return self.ring.snapshot(after=after)

    def approve(self, request_id: str, *, code: str = "", reason: str = "") -> None:
        self.calls.append(("approve", request_id, code, reason))
        self.tell(Answered(request_id, ok=True, text="applied"))

    def reject(self, request_id: str, *, reason: str = "") -> None:
        self.calls.append(("reject", request_id, reason))
        self.tell(Answered(request_id, ok=True, text="rejected"))

    def revise(self, request_id: str, files: Sequence[EditedFile], *, what: str) -> None:
        self.calls.append(("revise", request_id, tuple(files), what))

    def next_candidate(self, request_id: str) -> None:
        self.calls.append(("next_candidate", request_id))

    def retry(self, incident_id: str) -> None:
        self.calls.append(("retry", incident_id))

    def cancel(self, incident_id: str) -> None:
        self.calls.append(("cancel", incident_id))

    def cancel_errand(self, errand: str) -> None:
        self.calls.append(("cancel_errand", errand))

    def roll_back(self, target: str, *, overwrite: bool = False, reason: str = "") -> None:
        self.calls.append(("roll_back", target, overwrite, reason))

    def pause(self, *, reason: str = "") -> None:
        self.calls.append(("pause", reason))

    def resume(self) -> None:
        self.calls.append(("resume",))

    def restart_program(self, name: str) -> None:
        self.calls.append(("restart_program", name))

    def stop_program(self, name: str) -> None:
        self.calls.append(("stop_program", name))

    def export(self, kind: str, form: str, file: str, *, text: str = "") -> None:
        self.calls.append(("export", kind, form, file))


DECISIONS = (
    "approve", "reject", "revise", "next_candidate", "retry", "cancel", "roll_back", "pause", "resume",
    "restart_program", "stop_program",
)  # fmt: skip
"""Methods that change anything."""
