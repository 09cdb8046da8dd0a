"""A reader that follows a table learns of exactly what changed since it last asked, or that it must look at all."""

from __future__ import annotations

from pathlib import Path

from selfheal_tui.store.lock import StoreLock
from selfheal_tui.store.table import HistoryDB, JournalTable


def a_table(folder: Path) -> JournalTable:
    lock = StoreLock(folder / "store.lock")
    return HistoryDB(folder / "history.jsonl", lock, keys={"rows": "name"}).journal_table("rows")


def test_only_what_changed_since_is_told_whoever_changed_it(tmp_path: Path) -> None:
    mine, others = a_table(tmp_path), a_table(tmp_path)
    others.put("a", {"name": "a", "n": 1})
    others.put("b", {"name": "b", "n": 1})
    assert mine.changed() is None  # the first time all are to be read
    assert mine.changed() == []
    others.put("b", {"name": "b", "n": 2})
    mine.put("c", {"name": "c", "n": 1})
    mine.put("c", {"name": "c", "n": 2})
    assert mine.changed() == [{"name": "b", "n": 2}, {"name": "c", "n": 2}]
    assert mine.changed() == []


def test_after_a_deletion_all_are_to_be_looked_at(tmp_path: Path) -> None:
    table = a_table(tmp_path)
    table.put("a", {"name": "a"})
    table.put("b", {"name": "b"})
    table.changed()
    table.remove(doc_ids=[table.number("a")])
    table.put("c", {"name": "c"})
    assert table.changed() is None
    assert table.changed() == []


def test_a_file_that_was_put_in_its_place_is_to_be_looked_at_as_a_whole(tmp_path: Path) -> None:
    table = a_table(tmp_path)
    table.put("a", {"name": "a"})
    table.changed()
    other = tmp_path / "other"
    other.mkdir()
    a_table(other).put("z", {"name": "z"})
    (other / "history.jsonl").replace(tmp_path / "history.jsonl")
    assert table.changed() is None
    assert [row["name"] for row in table.rows()] == ["z"]
