"""UX rule 4: whatever a program or a model says, the console neither falls over it nor hands it to the terminal raw.

Once through the makers of snapshots, where texts are made visible, and once past them, straight into every view: the
second line of defence must hold by itself. What the terminal gets is looked at as bytes, from a driver that writes.
"""

from __future__ import annotations

import asyncio
import re
import unicodedata
from dataclasses import fields, is_dataclass, replace
from typing import TypeVar

from fakes import NOW
from harness import FullDesk, console, strips, two_questions
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console as Rich
from textual.pilot import Pilot

from selfheal_tui.model.crash import ExceptionInfo, Frame
from selfheal_tui.operations.desk import Answered, Working
from selfheal_tui.operations.details import error_of
from selfheal_tui.operations.safe import block, line, paragraph
from selfheal_tui.operations.snapshot import Standing
from selfheal_tui.source.display import visible
from selfheal_tui.tui.app import Console

T = TypeVar("T")

NASTY = (
    "[/oops]",
    "[@click=app.quit]x[/]",
    "[red on blue]a[/red]",
    "\\[",
    "[",
    "\x1b[2J\x1b[H",
    "\x1b]52;c;aGk=\x07",
    "\x1b]0;owned\x1b\\",
    "\x9b2J",
    "\x00\x07\x08\x7f",
    "\r\n\r",
    "a\tb",
    "\u202eevil\u202c",
    "\u2066\u2069",
    "\u200b\u200d\ufeff",
    "全角文字",
    "👩‍👩‍👧",
    "e\u0301" * 5,
    "\u2028\u2029\x85\x0b\x0c",
    "\ud800",
    "x" * 1_000_000 + "\x1b",
    "",
)
texts = st.one_of(
    st.sampled_from(NASTY),
    st.lists(st.sampled_from(NASTY[:-2]) | st.text(max_size=12), max_size=5).map("".join),
    st.text(st.characters(codec=None), max_size=40),
)
few = settings(
    max_examples=5,
    deadline=None,
    database=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.function_scoped_fixture,
        HealthCheck.data_too_large,
    ],
)


def hostile(value: T, text: str) -> T:
    """Returns a snapshot in which every string, at any depth, is a hostile text; ids stay, since they tell things apart."""
    kept = {"incident_id", "request_id", "candidate_id", "key", "backup_id", "code", "environment", "state"}
    if isinstance(value, str):
        return text  # type: ignore[return-value]  # is T
    if isinstance(value, tuple):
        return tuple(hostile(one, text) for one in value)  # type: ignore[return-value]  # is T
    if isinstance(value, dict):
        return {f"{text[:50]}{n}": hostile(one, text) for n, one in enumerate(value.values())}  # type: ignore[return-value]  # is T
    if isinstance(value, Standing):
        return replace(value, word=text)  # type: ignore[return-value]  # is T
    if is_dataclass(value) and not isinstance(value, type):
        changes = {
            field.name: hostile(getattr(value, field.name), text)
            for field in fields(value)
            if field.name not in kept and field.name not in ("per_day", "labels")
        }
        return replace(value, **changes)
    return value


def hostile_desk(text: str) -> FullDesk:
    """Returns a desk whose every snapshot says that text."""
    desk = two_questions()
    desk.board = hostile(desk.board, text)
    desk.details = {key: hostile(detail, text) for key, detail in desk.details.items()}
    desk.history, desk.files = hostile(desk.history, text), hostile(desk.files, text)
    desk.policy, desk.insights = hostile(desk.policy, text), hostile(desk.insights, text)
    desk.ring.feed("stdout", text.encode("utf-8", "replace") + b"\n")
    return desk


def is_harmless(text: str) -> bool:
    return visible(text) == text and "\n" not in text and "\t" not in text


def check(app: Console) -> None:
    for strip in strips(app):
        for segment in strip:
            assert segment.control or is_harmless(segment.text), ascii(segment.text)


async def walk(app: Console, pilot: Pilot[int]) -> None:
    """Goes everywhere, looking at what is drawn."""
    check(app)
    for key in (
        "2",
        "3",
        "j",
        "4",
        "5",
        "1",
        "enter",
        "tab",
        "tab",
        "tab",
        "tab",
        "escape",
        "question_mark",
        "escape",
    ):
        await pilot.press(key)
        check(app)
    app.tell(app.board.project)
    app.desk.tell(Answered("x", ok=False, text=app.board.project))  # type: ignore[attr-defined]  # is the fake
    app.desk.tell(Working("w", app.board.project, NOW, ended=False))  # type: ignore[attr-defined]  # is the fake
    for key in ("W", "escape", "v", "p", "w", "escape", "d", "v", "escape"):
        await pilot.press(key)
        await pilot.pause()
        check(app)


@few
@given(texts)
def test_no_text_in_any_snapshot_ends_the_console_or_is_drawn_raw(text: str) -> None:
    async def session() -> None:
        async with console(hostile_desk(text), (80, 24)) as (app, pilot):
            await walk(app, pilot)

    asyncio.run(session())


@settings(few, max_examples=60)
@given(texts)
def test_the_makers_of_snapshots_make_every_text_visible_and_keep_it_short(text: str) -> None:
    frame = Frame(file=text, line=1, qualname=text, source=text, path=text, in_app=True)
    error = error_of(ExceptionInfo(type=text, message=text, frames=(frame,)))
    shown = (error.type, error.frames[0].place, error.frames[0].source, line(text))
    assert all(is_harmless(one) and len(one) <= 400 for one in shown)
    assert all(is_harmless(one.replace("\t", "")) for one in block(text))
    assert all(is_harmless(one) for one in paragraph(text).replace("\t", "").split("\n"))
    assert all(is_harmless(one) for one in error.message.replace("\t", "").split("\n"))


# -- as bytes ----------------------------------------------------------------------------------------

SEQUENCES = re.compile(
    rb"\x1b\[[0-9;:?<>=]*[ -/]*[a-zA-Z]"  # colours, cursor, modes
    rb"|\x1b\](?:2|22|9|777|11|10|4);[^\x07\x1b]*(?:\x07|\x1b\\)"
    rb"|\x1b[78=>]"
    rb"|\x1bP[^\x1b]*\x1b\\"
)
"""What the console itself writes."""


async def test_what_the_terminal_gets_has_only_the_consoles_own_sequences() -> None:
    ugly = "".join(text for text in NASTY[:-2]) + "\x1b[31mred\x1b]52;c;eA==\x07"
    for text in (ugly, "\x1b]52;c;aGk=\x07" + "y" * 1_000):
        desk = hostile_desk(text)
        async with console(desk, (120, 36)) as (app, pilot):
            for key in ("enter", "tab", "tab", "tab", "tab", "escape", "2", "3", "4", "5", "1", "v"):
                await pilot.press(key)
                await pilot.pause()
                written = await rendered(app)
                rest = SEQUENCES.sub(b"", written)
                assert b"\x1b" not in rest, rest[max(0, rest.index(b"\x1b") - 40) :][:120]
                assert b"]52;" not in re.sub(rb"[^\x00-\x7f]+\]52;", b"", written)
                for sign in rest.decode():
                    assert sign in "\r\n" or unicodedata.category(sign) not in ("Cc", "Cf", "Cs"), ascii(sign)


async def rendered(app: Console) -> bytes:
    """Returns the bytes of a whole paint, as `App._display` writes them to a terminal."""
    update = app.screen._compositor.render_update(full=True)
    rich = Rich(force_terminal=True, color_system="truecolor", width=app.size.width, height=app.size.height)
    return update.render_segments(rich).encode("utf-8")
