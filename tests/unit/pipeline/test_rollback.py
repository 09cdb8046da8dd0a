"""Taking back: every byte restored, later edits kept or refused, never overwritten in silence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from making import a_project

from selfheal_tui.model.candidate import sha256_hex
from selfheal_tui.model.record import BackupEntry
from selfheal_tui.pipeline.rollback import (
    RollbackAction,
    RollbackConflictError,
    execute_rollback,
    plan_rollback,
)
from selfheal_tui.source.project import Project
from selfheal_tui.store import Change, Store

LINES = [f"line_{n} = {n}\n" for n in range(20)]
BEFORE = "".join(LINES)
FIXED = "".join([*LINES[:9], "line_9 = 'nine'\n", *LINES[10:]])


class Bench:
    def __init__(
        self, root: Path, before: bytes = BEFORE.encode(), after: bytes | None = FIXED.encode()
    ) -> None:
        self.root = root
        self.project: Project = a_project(root, {"other.py": ""})
        self.file = root / "app.py"
        self.file.write_bytes(before)
        self.store = Store.open(root)
        if after is not None:
            self.store.blobs.put(after)
        self.entries: list[BackupEntry] = list(
            self.store.transactions.apply(
                [Change("app.py", sha256_hex(before), after)], incident_id="a1b2"
            ).entries
        )

    def plan(self):
        return plan_rollback(self.store, self.project, self.entries)

    def execute(self, **options: bool) -> str:
        return execute_rollback(self.store, self.plan(), incident_id="a1b2", actor="operator:kim", **options)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.store.close()


def test_an_untouched_fix_is_taken_back_to_the_byte(bench: Bench) -> None:
    assert bench.plan()[0].action is RollbackAction.RESTORE
    assert bench.execute()
    assert bench.file.read_text() == BEFORE


def test_planning_writes_nothing(bench: Bench) -> None:
    plans = bench.plan()
    assert "line_9" in plans[0].diff
    assert bench.file.read_text() == FIXED


def test_edits_elsewhere_in_the_file_are_kept(bench: Bench) -> None:
    bench.file.write_text(FIXED.replace("line_2 = 2", "line_2 = 'edited'"))
    assert bench.plan()[0].action is RollbackAction.MERGE
    bench.execute()
    assert bench.file.read_text() == BEFORE.replace("line_2 = 2", "line_2 = 'edited'")


def test_edits_in_the_same_place_stop_it_and_nothing_is_written(bench: Bench) -> None:
    edited = FIXED.replace("'nine'", "'edited'")
    bench.file.write_text(edited)
    with pytest.raises(RollbackConflictError, match="--overwrite"):
        bench.execute()
    assert bench.file.read_text() == edited


def test_overwriting_is_said_aloud_and_backs_the_edits_up(bench: Bench) -> None:
    edited = FIXED.replace("'nine'", "'edited'")
    bench.file.write_text(edited)
    transaction = bench.execute(overwrite=True)
    assert bench.file.read_text() == BEFORE
    saved = bench.store.backups.of_transaction(transaction)
    assert bench.store.backups.read(saved[0]) == edited.encode()


def test_a_rollback_can_be_taken_back(bench: Bench) -> None:
    transaction = bench.execute()
    undo = plan_rollback(bench.store, bench.project, bench.store.backups.of_transaction(transaction))
    execute_rollback(bench.store, undo, incident_id="a1b2", actor="operator:kim")
    assert bench.file.read_text() == FIXED


def test_a_second_rollback_finds_nothing_to_do(bench: Bench) -> None:
    bench.execute()
    assert bench.plan()[0].action is RollbackAction.NOTHING
    assert bench.execute() == ""


def test_line_ends_and_encoding_survive(tmp_path: Path) -> None:
    before = BEFORE.replace("\n", "\r\n").encode("utf-8-sig")
    after = FIXED.replace("\n", "\r\n").encode("utf-8-sig")
    bench = Bench(tmp_path, before, after)
    bench.file.write_bytes(after.replace(b"line_2 = 2", b"line_2 = 22"))
    bench.execute()
    assert bench.file.read_bytes() == before.replace(b"line_2 = 2", b"line_2 = 22")
    bench.store.close()


def test_a_deleted_file_comes_back(tmp_path: Path) -> None:
    bench = Bench(tmp_path, after=None)
    assert not bench.file.exists()
    bench.execute()
    assert bench.file.read_text() == BEFORE
    bench.store.close()


def test_what_a_person_deleted_since_is_a_conflict(bench: Bench) -> None:
    bench.file.unlink()
    with pytest.raises(RollbackConflictError):
        bench.execute()
    assert not bench.file.exists()


def test_a_rollback_is_on_record(bench: Bench) -> None:
    bench.execute()
    record = bench.store.audit.records(kinds={"change.rolled_back"})[-1]
    assert record.actor == "operator:kim"
    assert record.data["files"] == {"app.py": "restore"}
