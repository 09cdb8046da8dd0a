from __future__ import annotations

import json
import logging
import os
import shutil
import traceback
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.model.crash import CrashReport
from selfheal_tui.supervisor.logblocks import MAX_OPEN, Finished, Gatherer
from selfheal_tui.supervisor.loglines import MAX_LINE, LineSplitter, LogLine
from selfheal_tui.supervisor.logwatch import TORN_SECONDS, LogWatcher


def failing(kind: str = "ValueError", text: str = "boom", function: str = "load") -> str:
    return (
        "Traceback (most recent call last):\n"
        '  File "/srv/app/main.py", line 9, in <module>\n'
        "    main()\n"
        f'  File "/srv/app/{function}.py", line 3, in {function}\n'
        f'    raise {kind}("{text}")\n'
        f"{kind}: {text}\n"
    )


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Desk:
    """A folder with logs, and whoever watches them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.reports: list[CrashReport] = []
        self.log = folder / "app.log"
        self.watcher: LogWatcher | None = None

    def watch(self, *paths: Path, from_start: bool = True) -> LogWatcher:
        if self.watcher is not None:
            self.watcher.close()
        state = self.folder / "state"
        self.watcher = LogWatcher(
            paths or (self.log,), state, self.reports.extend, from_start=from_start, clock=self.clock
        )
        return self.watcher

    def write(self, text: str | bytes, path: Path | None = None) -> None:
        with (path or self.log).open("ab") as file:
            file.write(text if isinstance(text, bytes) else text.encode())

    def poll(self, *, later: float = 0.0) -> list[str]:
        """Looks once; returns the messages seen for the first time."""
        assert self.watcher is not None
        self.clock.now += later
        before = len(self.reports)
        while self.watcher.poll().more:
            pass
        return [r.raised.message for r in self.reports[before:] for _ in range(r.count)]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_traceback_is_reported_when_the_next_record_shows_that_it_has_ended(desk: Desk) -> None:
    desk.write("2026-01-01 10:00:00 ERROR app: it failed\n" + failing())
    desk.watch()
    assert desk.poll() == []

    desk.write("2026-01-01 10:00:01 INFO app: going on\n")

    assert desk.poll() == ["boom"]
    report = desk.reports[0]
    assert [frame.qualname for frame in report.raised.frames] == ["<module>", "load"]
    assert report.kind == "logged"
    assert report.context["log.record"].endswith("it failed")


def test_the_last_traceback_of_a_silent_log_is_reported_after_a_quiet_while(desk: Desk) -> None:
    desk.write(failing())
    desk.watch()

    assert desk.poll() == []
    assert desk.poll(later=0.9) == []
    assert desk.poll(later=0.2) == ["boom"]
    assert desk.poll(later=60) == []


def test_a_last_line_without_newline_is_enough(desk: Desk) -> None:
    desk.write(failing().rstrip("\n"))
    desk.watch()
    desk.poll()

    assert desk.poll(later=1.1) == ["boom"]


@pytest.mark.parametrize("size", [1, 7, 64])
def test_partial_writes_make_no_difference(desk: Desk, size: int) -> None:
    data = ("x é\n" + failing(text="boöm") + "INFO: after\n").encode()
    desk.log.touch()
    desk.watch()
    seen: list[str] = []
    for at in range(0, len(data), size):
        desk.write(data[at : at + size])
        seen += desk.poll()

    assert seen == ["boöm"]


def test_what_a_file_held_before_is_skipped_unless_asked_for(desk: Desk) -> None:
    desk.write(failing(text="old"))
    desk.watch(from_start=False)
    assert desk.poll(later=2) == []

    desk.write(failing(text="new"))
    desk.poll()

    assert desk.poll(later=2) == ["new"]


def test_a_file_that_appears_later_is_read_from_its_start(desk: Desk) -> None:
    desk.watch(from_start=False)
    assert desk.poll() == []
    desk.write(failing())
    desk.poll()

    assert desk.poll(later=2) == ["boom"]


def test_a_file_that_appears_while_nobody_watches_is_read_from_its_start_too(desk: Desk) -> None:
    desk.watch(from_start=False)
    desk.poll()
    desk.write(failing() + "INFO\n")
    desk.watch(from_start=False)

    assert desk.poll() == ["boom"]


def test_nothing_is_lost_or_read_twice_when_the_log_is_renamed(desk: Desk) -> None:
    desk.write(failing(text="one") + "INFO\n")
    desk.watch()
    assert desk.poll() == ["one"]
    desk.write(failing(text="two") + "INFO\n")
    desk.log.rename(desk.folder / "app.log.1")
    desk.write(failing(text="three") + "INFO\n")
    assert desk.poll() == ["two", "three"]

    desk.write(failing(text="late") + "INFO\n", desk.folder / "app.log.1")  # a writer that was not told

    assert desk.poll() == ["late"]


def test_several_rotations_between_two_looks_lose_nothing(desk: Desk) -> None:
    desk.write("INFO first\n")
    desk.watch()
    desk.poll()
    for number in range(5):
        desk.write(failing(text=f"n{number}") + "INFO\n")
        for age in range(9, 0, -1):
            old = desk.folder / f"app.log.{age}"
            if old.exists():
                old.rename(desk.folder / f"app.log.{age + 1}")
        desk.log.rename(desk.folder / "app.log.1")
    desk.write("INFO last\n")

    assert sorted(desk.poll()) == [f"n{number}" for number in range(5)]
    assert desk.poll(later=2) == []


def test_copy_and_truncate_loses_nothing_that_was_copied(desk: Desk) -> None:
    desk.write("2026-01-01 00:00:01 INFO a\n" + failing(text="one") + "INFO\n")
    desk.watch()
    assert desk.poll() == ["one"]
    desk.write("2026-01-01 00:00:02 INFO b\n" + failing(text="two") + "INFO\n")
    shutil.copy(desk.log, desk.folder / "app.log.1")
    assert desk.poll() == ["two"]  # the copy is there, the log not cut yet
    desk.write(failing(text="three") + "INFO\n")
    shutil.copy(desk.log, desk.folder / "app.log.1")
    os.truncate(desk.log, 0)
    desk.write("2026-01-01 00:00:03 INFO c\n" + failing(text="four") + "INFO\n")

    assert desk.poll() == ["three", "four"]
    assert desk.poll(later=2) == []


def test_a_log_that_was_cut_and_grew_larger_than_before_is_noticed(desk: Desk) -> None:
    desk.write("2026-01-01 00:00:01 INFO a\n")
    watcher = desk.watch()
    desk.poll()
    os.truncate(desk.log, 0)
    desk.write("2026-01-01 00:00:02 INFO b\n" + failing() + "INFO\n")
    notes = watcher.poll().notes

    assert [r.raised.message for r in desk.reports] == ["boom"]
    assert "was truncated" in notes[0]


def test_zero_bytes_of_a_cut_log_whose_writer_does_not_append_do_no_harm(desk: Desk) -> None:
    desk.write("INFO a\n")
    desk.watch()
    desk.poll()
    os.truncate(desk.log, 0)
    desk.write(bytes(100_000) + b"\n" + failing().encode() + b"INFO\n")

    assert desk.poll() == ["boom"]


@pytest.mark.parametrize("cut", [20, 60, 120, 200, 260])
def test_a_restart_in_the_middle_of_a_traceback_finds_it_again(desk: Desk, cut: int) -> None:
    data = ("INFO before\n" + failing() + "INFO after\n").encode()
    desk.write(data[:cut])
    desk.watch()
    seen = desk.poll()
    desk.watch()  # restarted
    seen += desk.poll()
    desk.write(data[cut:])
    seen += desk.poll()
    desk.watch()
    seen += desk.poll(later=5)

    assert seen == ["boom"]


def test_rotations_while_nobody_watched_are_caught_up_with(desk: Desk) -> None:
    desk.write("INFO a\n" + failing(text="one") + "INFO\n")
    desk.watch()
    assert desk.poll() == ["one"]
    assert desk.watcher is not None
    desk.watcher.close()
    desk.watcher = None
    desk.write(failing(text="two") + "INFO\n")
    desk.log.rename(desk.folder / "app.log.2")
    desk.write(failing(text="three") + "INFO\n", desk.folder / "app.log.1")
    desk.write(failing(text="four") + "INFO\n")
    desk.watch(from_start=False)

    assert desk.poll() == ["two", "three", "four"]


def test_a_copy_and_truncate_while_nobody_watched_is_caught_up_with(desk: Desk) -> None:
    desk.write("INFO a\n" + failing(text="one") + "INFO\n")
    desk.watch()
    assert desk.poll() == ["one"]
    assert desk.watcher is not None
    desk.watcher.close()
    desk.watcher = None
    desk.write(failing(text="two") + "INFO\n")
    shutil.copy(desk.log, desk.folder / "app.log.1")
    os.truncate(desk.log, 0)
    desk.write("DEBUG z\n" + failing(text="three") + "INFO\n")
    desk.watch(from_start=False)

    assert desk.poll() == ["two", "three"]


def test_what_is_remembered_holds_no_text_of_the_log(desk: Desk) -> None:
    desk.write(
        'INFO a\nTraceback (most recent call last):\n  File "a.py", line 1, in f\n    password = "hunter2"\n'
    )
    desk.watch()
    desk.poll()
    desk.watch()

    kept = b"".join(file.read_bytes() for file in (desk.folder / "state").iterdir())
    assert kept
    assert b"hunter2" not in kept


def test_a_sink_that_fails_leaves_the_position_where_it_was(desk: Desk) -> None:
    def refuse(reports: object) -> None:
        raise OSError("disk full")

    desk.write(failing() + "INFO\n")
    broken = LogWatcher([desk.log], desk.folder / "state", refuse, from_start=True, clock=desk.clock)
    with pytest.raises(OSError, match="disk full"):
        broken.poll()

    desk.watch()

    assert desk.poll() == ["boom"]


def test_a_report_that_is_delivered_again_has_the_same_id(desk: Desk) -> None:
    desk.write(failing() + "INFO\n")
    desk.watch()
    desk.poll()
    shutil.rmtree(desk.folder / "state")  # as if we had been killed before remembering
    desk.watcher = None
    desk.watch()
    desk.poll()

    assert len({report.report_id for report in desk.reports}) == 1


def test_repetitions_of_one_look_are_one_report_with_a_count(desk: Desk) -> None:
    desk.write(
        "INFO\n" + "".join(failing() + "INFO\n" for _ in range(500)) + failing("KeyError", "'k'") + "INFO\n"
    )
    desk.watch()
    desk.poll()

    assert [(r.raised.type, r.count) for r in desk.reports] == [("ValueError", 500), ("KeyError", 1)]


def test_several_files_are_kept_apart(desk: Desk) -> None:
    other = desk.folder / "other.log"
    half = failing(text="a").splitlines(keepends=True)
    desk.write("".join(half[:3]))
    desk.write(failing(text="b") + "INFO\n", other)
    desk.watch(desk.log, other)
    assert desk.poll() == ["b"]
    desk.write("".join(half[3:]) + "INFO\n")

    assert desk.poll() == ["a"]


def test_a_traceback_without_its_end_is_given_up_and_counted(desk: Desk) -> None:
    desk.write("".join(failing().splitlines(keepends=True)[:3]))
    watcher = desk.watch()
    desk.poll()

    assert desk.poll(later=TORN_SECONDS + 1) == []
    assert watcher.torn == 1


def test_wishes_are_not_crashes(desk: Desk) -> None:
    desk.write("".join(failing(kind) + "INFO\n" for kind in ("KeyboardInterrupt", "SystemExit")))
    desk.watch()

    assert desk.poll(later=2) == []


def test_pipes_and_folders_are_refused(desk: Desk) -> None:
    os.mkfifo(desk.log)
    with pytest.raises(OSError, match="regular file"):
        desk.watch()
    with pytest.raises(OSError, match=r"directory|regular"):
        desk.watch(desk.folder)


def test_secrets_in_records_and_messages_are_masked(desk: Desk) -> None:
    desk.write(
        'ERROR login with password="hunter2-horse"\n' + failing(text="password='hunter2-horse'") + "INFO\n"
    )
    desk.watch()
    desk.poll()

    assert "hunter2-horse" not in repr(desk.reports)


def gather(text: str) -> list[Finished]:
    gatherer = Gatherer()
    done = [found for line in LineSplitter(0).feed(text.encode()) for found in gatherer.feed(line, 0.0)]
    return done + gatherer.ripe(9.0, 1.0, 1.0)


def kinds(desk: Desk, text: str | bytes) -> list[str]:
    desk.write(text)
    desk.watch()
    desk.poll()
    desk.poll(later=60)
    return sorted(f"{r.raised.type}: {r.raised.message}" for r in desk.reports for _ in range(r.count))


def test_tracebacks_of_two_processes_with_prefixes_are_separated(desk: Desk) -> None:
    one = [
        f"2026-01-01 10:00:00,{n:03} [pid 7] {line}" for n, line in enumerate(failing(text="a").splitlines())
    ]
    two = [
        f"2026-01-01 10:00:00,{n:03} [pid 8] {line}" for n, line in enumerate(failing(text="b").splitlines())
    ]
    mixed = [line for pair in zip(one, two, strict=True) for line in pair]

    assert kinds(desk, "\n".join(mixed) + "\n") == ["ValueError: a", "ValueError: b"]
    assert all(len(r.raised.frames) == 2 and "log.doubtful" not in r.context for r in desk.reports)


def test_journal_and_compose_prefixes_are_taken_off(desk: Desk) -> None:
    journal = "".join(
        f"Nov 12 10:00:0{n} host app[123]: {line}\n" for n, line in enumerate(failing().splitlines())
    )
    compose = "".join(f"web_1  | {line}\n" for line in failing("KeyError", "'x'").splitlines())

    assert kinds(desk, journal + compose) == ["KeyError: 'x'", "ValueError: boom"]


def test_records_of_other_threads_inside_a_traceback_are_passed_over(desk: Desk) -> None:
    lines = failing().splitlines(keepends=True)
    lines.insert(2, "2026-01-01 10:00:00,000 INFO worker: busy\n")
    lines.insert(4, "[2026-01-01 10:00:00] INFO other: busy\n")

    assert kinds(desk, "".join(lines)) == ["ValueError: boom"]
    assert len(desk.reports[0].raised.frames) == 2


def test_two_bare_tracebacks_that_ran_into_each_other_are_marked(desk: Desk) -> None:
    lines = failing(text="a").splitlines(keepends=True)
    kinds(desk, "".join(lines[:3]) + failing(text="b"))

    assert [r.context.get("log.doubtful", "")[:4] for r in desk.reports] == ["two "]


def test_chains_groups_notes_and_syntax_errors_stay_whole(desk: Desk) -> None:
    def chained() -> str:
        try:
            try:
                {}["k"]
            except KeyError as error:
                raise ValueError("wrapped") from error
        except ValueError:
            return traceback.format_exc()
        return ""

    def grouped() -> str:
        try:
            raise ExceptionGroup("several", [ValueError("1"), TypeError("2")])
        except ExceptionGroup as error:
            error.add_note("a note")
            return traceback.format_exc()

    syntax = '  File "/srv/a.py", line 2\n    def f(:\n          ^\nSyntaxError: invalid syntax\n'
    desk.write(f"INFO\n{chained()}INFO\n{grouped()}INFO\n{syntax}INFO\n")
    desk.watch()
    desk.poll()

    by_type = {r.raised.type: [info.type for info in r.chain] for r in desk.reports}
    assert by_type["ValueError"] == ["ValueError", "KeyError"]
    assert by_type["ExceptionGroup"] == ["ExceptionGroup", "ValueError", "TypeError"]
    assert by_type["SyntaxError"] == ["SyntaxError"]


@pytest.mark.parametrize(
    "record",
    [
        {"level": "ERROR", "message": "it failed", "exc_info": failing()},
        {"event": "it failed", "exception": failing()},
        {"message": "it failed", "stack_trace": failing(), "exc_text": failing()},
        {"message": "it failed\n" + failing(), "exc_info": failing()},
        {"error": {"stack_trace": failing(), "type": "ValueError"}, "log.level": "error"},
    ],
)
def test_json_records_give_one_crash_whatever_their_keys(desk: Desk, record: dict[str, object]) -> None:
    assert kinds(desk, json.dumps(record) + "\n") == ["ValueError: boom"]
    assert len(desk.reports[0].raised.frames) == 2


def test_json_behind_a_prefix_and_escaped_text_are_read(desk: Desk) -> None:
    one = "2026-01-01 10:00:00 ERROR " + json.dumps({"exc_info": failing(text="a")})
    two = "ERROR app " + repr(failing(text="b"))

    assert kinds(desk, f"{one}\n{two}\n") == ["ValueError: a", "ValueError: b"]


def test_container_logs_are_unwrapped_stream_by_stream(desk: Desk) -> None:
    lines: list[str] = []
    for text in failing().splitlines():
        lines.append(json.dumps({"log": text + "\n", "stream": "stderr", "time": "2026-01-01T00:00:00Z"}))
        lines.append(json.dumps({"log": "busy\n", "stream": "stdout", "time": "2026-01-01T00:00:00Z"}))

    assert kinds(desk, "\n".join(lines) + "\n") == ["ValueError: boom"]


def test_invalid_bytes_colours_and_carriage_returns_do_no_harm(desk: Desk) -> None:
    text = (
        b"\xff\xfe\x80 garbage \xc3\n\x1b[31m" + failing().replace("\n", "\r\n").encode() + b"\x1b[0mINFO\n"
    )

    assert kinds(desk, text) == ["ValueError: boom"]


def test_huge_lines_are_bounded_and_what_follows_is_read(desk: Desk) -> None:
    assert kinds(desk, b"x" * (3 * MAX_LINE) + b"\n" + failing().encode()) == ["ValueError: boom"]


def test_the_logging_module_itself(desk: Desk) -> None:
    handler = logging.FileHandler(desk.log)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s [%(threadName)s] %(message)s"))
    logger = logging.getLogger("selfheal-test-logwatch")
    logger.propagate = False
    logger.addHandler(handler)
    for number in range(3):
        try:
            int("x")
        except ValueError:
            logger.exception("failed %d", number)
    logger.removeHandler(handler)
    handler.close()

    assert len(kinds(desk, b"")) == 3


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(st.text(max_size=40), st.sampled_from(failing().splitlines())), max_size=60))
def test_no_text_breaks_the_gatherer_and_all_of_it_is_bounded(lines: list[str]) -> None:
    gatherer = Gatherer()
    for number, text in enumerate(lines):
        gatherer.feed(LogLine(text, number, 1), 0.0)
        assert len(gatherer.open_spans()) <= len(lines)
    gatherer.ripe(100.0, 0.0, 0.0)
    assert gatherer.is_idle


def test_a_flood_of_unfinished_tracebacks_is_bounded() -> None:
    gatherer = Gatherer()
    for number in range(3 * MAX_OPEN):
        gatherer.feed(LogLine(f"[pid {number}] Traceback (most recent call last):", number, 1), 0.0)

    assert len(gatherer.open_spans()) == MAX_OPEN
    assert gatherer.torn == 2 * MAX_OPEN


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400), st.lists(st.integers(1, 50), max_size=20))
def test_lines_are_the_same_however_the_bytes_come(data: bytes, sizes: list[int]) -> None:
    whole, parts = LineSplitter(0), LineSplitter(0)
    expected = whole.feed(data) + whole.flush()
    lines: list[LogLine] = []
    at = 0
    for size in [*sizes, len(data)]:
        lines += parts.feed(data[at : at + size])
        at += size
    lines += parts.flush()

    assert lines == expected
    assert all(line.length > 0 for line in lines)
    assert sum(line.length for line in lines) == len(data)


def test_gathered_text_is_what_was_logged() -> None:
    assert [found.text.strip() for found in gather(failing() + "INFO\n")] == [failing().strip()]
