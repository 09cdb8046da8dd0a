"""The journal: atomic lines, torn tails, damage, compaction; and TinyDB's table on top of it."""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tinydb import where

from selfheal_tui.store import CorruptStoreError, StoreError, StoreWriteError
from selfheal_tui.store.journal import decode_line, encode_line
from selfheal_tui.store.lock import StoreLock
from selfheal_tui.store.repair import main as repair
from selfheal_tui.store.repair import set_aside
from selfheal_tui.store.table import HistoryDB

DOCUMENTS = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**63),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
        st.lists(st.integers(0, 9), max_size=3),
    ),
    max_size=4,
)


def open_database(file: Path, **options: Any) -> HistoryDB:
    return HistoryDB(file, StoreLock(file.with_name("lock")), **options)


def contents(database: HistoryDB) -> dict[int, dict[str, Any]]:
    return {row.doc_id: dict(row) for row in database.all()}


@given(DOCUMENTS)
def test_a_line_reads_back_as_it_was_written(document: dict[str, Any]) -> None:
    line = encode_line([("+", "t", 7, document)])
    assert line.count(b"\n") == 1
    assert decode_line(line[:-1]) == [("+", "t", 7, document)]


@given(st.binary(max_size=60))
def test_a_line_of_anything_else_is_not_a_record(raw: bytes) -> None:
    assert decode_line(raw) is None


class JournalMachine(RuleBasedStateMachine):
    """Two handles on one file against a plain dictionary, with compaction all the time."""

    def __init__(self) -> None:
        super().__init__()
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.folder = Path(tempfile.mkdtemp(dir=memory))
        self.file = self.folder / "j.jsonl"
        self.handles = [self.open(), self.open()]
        self.model: dict[int, dict[str, Any]] = {}
        self.highest = 0

    def open(self) -> HistoryDB:
        return open_database(self.file, compact_min=8, compact_ratio=1.2)

    @rule(which=st.integers(0, 1), documents=st.lists(DOCUMENTS, min_size=1, max_size=3))
    def insert(self, which: int, documents: list[dict[str, Any]]) -> None:
        numbers = self.handles[which].insert_multiple(documents)
        assert numbers == list(range(self.highest + 1, self.highest + 1 + len(documents))), "an id was reused"
        self.highest += len(documents)
        self.model.update(zip(numbers, documents, strict=True))

    @rule(which=st.integers(0, 1), position=st.integers(0, 20), fields=DOCUMENTS)
    def update(self, which: int, position: int, fields: dict[str, Any]) -> None:
        if self.model:
            number = sorted(self.model)[position % len(self.model)]
            self.handles[which].update(fields, doc_ids=[number])
            self.model[number] = {**self.model[number], **fields}

    @rule(which=st.integers(0, 1), position=st.integers(0, 20))
    def remove(self, which: int, position: int) -> None:
        if self.model:
            number = sorted(self.model)[position % len(self.model)]
            self.handles[which].remove(doc_ids=[number])
            del self.model[number]

    @rule(which=st.integers(0, 1))
    def truncate(self, which: int) -> None:
        self.handles[which].truncate()
        self.model.clear()

    @rule(which=st.integers(0, 1))
    def reopen(self, which: int) -> None:
        self.handles[which].close()
        self.handles[which] = self.open()

    @rule(garbage=st.binary(min_size=1, max_size=30).filter(lambda data: b"\n" not in data))
    def tear(self, garbage: bytes) -> None:
        with self.file.open("ab") as opened:
            opened.write(garbage)

    @invariant()
    def both_handles_see_the_model(self) -> None:
        for handle in self.handles:
            assert contents(handle) == self.model

    def teardown(self) -> None:
        for handle in self.handles:
            handle.close()
        shutil.rmtree(self.folder)


TestJournal = JournalMachine.TestCase
TestJournal.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)


def test_a_torn_tail_is_cut_at_any_byte_and_nothing_before_it_is_lost(tmp_path: Path) -> None:
    file = tmp_path / "j.jsonl"
    with open_database(file) as database:
        database.insert_multiple([{"n": 1}, {"n": 2}])
        database.insert({"n": 3, "text": "ä" * 20})
    raw = file.read_bytes()
    last = raw[:-1].rfind(b"\n") + 1
    for cut in range(last, len(raw)):
        file.write_bytes(raw[:cut])
        with open_database(file) as database:
            assert [row["n"] for row in database.all()] == [1, 2]
            assert database.insert({"n": 4}) == 3
        with open_database(file) as database:
            assert [row["n"] for row in database.all()] == [1, 2, 4]


def test_a_batch_is_one_line_and_thus_all_or_nothing(tmp_path: Path) -> None:
    file = tmp_path / "j.jsonl"
    with open_database(file) as database:
        database.insert_multiple({"n": n} for n in range(50))
        assert file.read_bytes().count(b"\n") == 1
        with pytest.raises(ValueError, match="not a Mapping"):
            database.insert_multiple([{"n": 1}, "no mapping"])  # type: ignore[list-item]
        assert len(database) == 50


@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_damage_is_an_error_that_names_file_and_remedy_and_changes_nothing(
    tmp_path: Path, place: str
) -> None:
    file = tmp_path / "j.jsonl"
    with open_database(file) as database:
        for n in range(3):
            database.insert({"n": n})
    lines = file.read_bytes().split(b"\n")
    at = {"first": 0, "middle": 1, "last": 2}[place]
    lines[at] = lines[at].replace(b'"n"', b'"m"')
    file.write_bytes(b"\n".join(lines))
    damaged = file.read_bytes()
    with pytest.raises(CorruptStoreError, match=r"j\.jsonl.*damaged.*selfheal_tui\.store\.repair"):
        open_database(file)
    assert file.read_bytes() == damaged

    assert set_aside(file, StoreLock(tmp_path / "lock")) == 1
    assert file.with_name("j.jsonl.corrupt").read_bytes() == lines[at] + b"\n"
    with open_database(file) as database:
        assert [row["n"] for row in database.all()] == [n for n in range(3) if n != at]


def test_damage_that_appears_while_open_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "j.jsonl"
    with open_database(file) as database:
        database.insert({"n": 1})
        with file.open("ab") as opened:
            opened.write(b"00000000 []\n")
        with pytest.raises(CorruptStoreError):
            database.insert({"n": 2})


def test_the_audit_log_is_never_set_aside(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    file.write_bytes(b"garbage\n")
    with pytest.raises(StoreError, match="evidence"):
        set_aside(file, StoreLock(tmp_path / "lock"))
    assert file.read_bytes() == b"garbage\n"


def test_an_insert_writes_only_its_own_line(tmp_path: Path) -> None:
    file = tmp_path / "j.jsonl"
    with open_database(file) as database:
        database.insert_multiple({"n": n} for n in range(500))
        before, inode = file.stat().st_size, file.stat().st_ino
        database.insert({"n": 500})
        assert file.stat().st_size - before == len(encode_line([("+", "_default", 501, {"n": 500})]))
        assert file.stat().st_ino == inode


def test_a_full_disk_refuses_the_record_and_keeps_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "j.jsonl"
    with open_database(file) as database:
        database.insert({"n": 1})
        before = file.read_bytes()
        real = os.write

        def half_then_full(descriptor: int, data: Any) -> int:
            if len(data) > 10:
                return real(descriptor, data[:10])
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(os, "write", half_then_full)
            with pytest.raises(StoreWriteError, match=r"No space left.*free space"):
                database.insert({"n": 2})
        assert file.read_bytes() == before
        assert [row["n"] for row in database.all()] == [1]
        assert database.insert({"n": 3}) == 2


def test_no_room_for_compaction_is_no_reason_to_refuse_a_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_database(tmp_path / "j.jsonl", compact_min=5, compact_ratio=1.0) as database:
        database.insert({"n": 0})

        def full(*args: Any) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "replace", full)
        for n in range(20):
            database.update({"n": n}, doc_ids=[1])
        assert contents(database) == {1: {"n": 19}}


def test_compaction_keeps_the_file_short_and_readers_follow(tmp_path: Path) -> None:
    file = tmp_path / "j.jsonl"
    with open_database(file, compact_min=20, compact_ratio=2.0) as writer, open_database(file) as reader:
        writer.insert_multiple([{"n": 0}, {"n": 1}])
        for n in range(200):
            writer.update({"n": n}, doc_ids=[1])
        assert file.read_bytes().count(b"\n") <= 25
        assert contents(reader) == {1: {"n": 199}, 2: {"n": 1}}


def test_what_is_handed_out_is_a_copy(tmp_path: Path) -> None:
    with open_database(tmp_path / "j.jsonl") as database:
        given = {"list": [1]}
        database.insert(given)
        given["list"].append(2)
        database.all()[0]["list"].append(3)
        database.search(where("list").exists())[0]["list"].append(4)
        assert contents(database) == {1: {"list": [1]}}


def test_tinydb_queries_and_upserts_work(tmp_path: Path) -> None:
    with open_database(tmp_path / "j.jsonl") as database:
        table = database.table("people")
        table.insert_multiple([{"name": "ada", "n": 1}, {"name": "bob", "n": 2}])
        assert table.search(where("n") > 1) == [{"name": "bob", "n": 2}]
        assert table.upsert({"name": "ada", "n": 5}, where("name") == "ada") == [1]
        assert table.upsert({"name": "eve", "n": 6}, where("name") == "eve") == [3]
        table.update(lambda row: row.update(n=row["n"] + 1), where("name") == "bob")
        assert table.get(doc_id=2) == {"name": "bob", "n": 3}
        assert table.count(where("n") >= 3) == 3
        assert table.remove(where("name") == "ada") == [1]
        assert database.tables() == {"people"}
        database.drop_table("people")
    with open_database(tmp_path / "j.jsonl") as database:
        assert len(database.table("people")) == 0


def test_the_files_are_private(tmp_path: Path) -> None:
    with open_database(tmp_path / "j.jsonl") as database:
        database.insert({"n": 1})
    assert (tmp_path / "j.jsonl").stat().st_mode & 0o077 == 0
    assert json.loads((tmp_path / "j.jsonl").read_bytes()[9:]) == [["+", "_default", 1, {"n": 1}]]


def test_the_repair_command_says_what_it_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / ".selfheal"
    folder.mkdir()
    file = folder / "history.jsonl"
    with open_database(file) as database:
        database.insert({"n": 1})
    file.write_bytes(b"garbage\n" + file.read_bytes())
    assert repair([str(file)]) == 0
    assert "1 damaged line(s) set aside" in capsys.readouterr().out
    with open_database(file) as database:
        assert contents(database) == {1: {"n": 1}}
    assert repair([str(tmp_path / ".selfheal/audit.jsonl")]) == 1
    assert repair([str(tmp_path / ".selfheal/nowhere.jsonl")]) == 1
