"""The trail tells what the audit log tells, without keeping it, and notices what others write."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfheal_tui.store import CorruptStoreError, Store


def test_it_agrees_with_the_log_whoever_writes(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store, Store.open(tmp_path) as other:
        assert store.trail.of_incident("a1b2") == []
        for number in range(30):
            (store if number % 2 else other).audit.append(
                f"kind.{number % 3}", actor="engine", incident_id=f"a1b{number % 4}", data={"n": number}
            )
            for incident_id in ("a1b0", "a1b1", "none"):
                assert store.trail.of_incident(incident_id) == store.audit.records(incident_id)
        assert store.trail.of_kinds({"kind.0", "kind.2"}) == store.audit.records(kinds={"kind.0", "kind.2"})
        newer = store.trail.of_kinds({"kind.0"}, after=20)
        assert [record.sequence for record in newer] == [22, 25, 28]
        at = store.audit.records()[-4].at
        assert all(record.at >= at for record in store.trail.of_kinds({"kind.0", "kind.1"}, since=at))


def test_a_torn_tail_is_not_read_and_what_follows_it_is(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.audit.append("one", actor="engine", incident_id="a1b2")
        file = tmp_path / ".selfheal" / "audit.jsonl"
        with file.open("ab") as stream:
            stream.write(b"0000 [[")
        assert [record.kind for record in store.trail.of_incident("a1b2")] == ["one"]
        store.audit.append("two", actor="engine", incident_id="a1b2")
        assert [record.kind for record in store.trail.of_incident("a1b2")] == ["one", "two"]


def test_a_new_log_in_the_old_ones_place_is_read_anew(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.audit.append("one", actor="engine", incident_id="a1b2")
        before = store.trail.signature()
        assert len(store.trail.of_incident("a1b2")) == 1
        for name in ("audit.jsonl", "audit.head"):
            (tmp_path / ".selfheal" / name).rename(tmp_path / name)
        with Store.open(tmp_path) as anew:
            anew.audit.append("two", actor="engine", incident_id="a1b2")
        assert store.trail.signature() != before
        assert [record.kind for record in store.trail.of_incident("a1b2")] == ["two"]


def test_an_altered_record_is_an_error_that_names_the_remedy(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.audit.append("one", actor="engine", incident_id="a1b2", data={"text": "before"})
        assert store.trail.of_incident("a1b2")
        file = tmp_path / ".selfheal" / "audit.jsonl"
        file.write_bytes(file.read_bytes().replace(b"before", b"behind"))
        with pytest.raises(CorruptStoreError, match="--verify"):
            store.trail.of_incident("a1b2")
