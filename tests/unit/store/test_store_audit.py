"""The audit log shows that it was altered, shortened, reordered or cut; a crash is not taken for that."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from selfheal_tui.model.record import GENESIS
from selfheal_tui.store import CorruptStoreError, Store
from selfheal_tui.store.audit import document_hash

RECORDS = 6
Lines = list[dict[str, Any]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    with Store.open(tmp_path) as store:
        for number in range(RECORDS):
            store.audit.append(
                "test.step", actor="engine", incident_id=f"ab0{number % 2}", data={"number": number}
            )
        assert store.audit.verify().ok
    return tmp_path


def read(root: Path) -> Lines:
    lines = (root / ".selfheal/audit.jsonl").read_bytes().splitlines()
    return [json.loads(line[9:])[0][3] for line in lines]


def write(root: Path, documents: Lines) -> None:
    """Writes records with right checksums, as a clever forger would."""
    out = b""
    for document in documents:
        body = json.dumps([["+", "audit", document["sequence"], document]]).encode()
        out += b"%08x " % zlib.crc32(body) + body + b"\n"
    (root / ".selfheal/audit.jsonl").write_bytes(out)


def alter_data(documents: Lines) -> None:
    documents[2]["data"] = {"number": 99}


def alter_actor_of_the_last(documents: Lines) -> None:
    documents[-1]["actor"] = "operator:eve"


def add_a_field(documents: Lines) -> None:
    documents[2]["note"] = "harmless"


def remove_from_the_middle(documents: Lines) -> None:
    del documents[2]


def remove_and_renumber(documents: Lines) -> None:
    del documents[2]
    for number, document in enumerate(documents, start=1):
        document["sequence"] = number


def remove_the_last(documents: Lines) -> None:
    del documents[-1]


def remove_all(documents: Lines) -> None:
    documents.clear()


def swap_two(documents: Lines) -> None:
    documents[1], documents[2] = documents[2], documents[1]


def say_one_twice(documents: Lines) -> None:
    documents.insert(2, documents[2])


def forge_the_rest_of_the_chain(documents: Lines) -> None:
    documents[2]["data"] = {"number": 99}
    previous = GENESIS
    for document in documents:
        document["previous"] = previous
        previous = document["hash"] = document_hash(document)


TAMPERINGS: list[Callable[[Lines], None]] = [
    alter_data, alter_actor_of_the_last, add_a_field, remove_from_the_middle, remove_and_renumber,
    remove_the_last, remove_all, swap_two, say_one_twice, forge_the_rest_of_the_chain,
]  # fmt: skip


@pytest.mark.parametrize("tamper", TAMPERINGS)
def test_tampering_is_detected(root: Path, tamper: Callable[[Lines], None]) -> None:
    documents = read(root)
    tamper(documents)
    write(root, documents)
    with Store.open(root) as store:
        verification = store.audit.verify()
    assert not verification.ok
    assert verification.problem


@pytest.mark.parametrize("tamper", [remove_the_last, remove_all, forge_the_rest_of_the_chain])
def test_nothing_may_be_added_that_would_hide_tampering(root: Path, tamper: Callable[[Lines], None]) -> None:
    documents = read(root)
    tamper(documents)
    write(root, documents)
    before = (root / ".selfheal/audit.jsonl").read_bytes()
    with Store.open(root) as store, pytest.raises(CorruptStoreError, match="history --verify"):
        store.audit.append("test.more", actor="engine")
    assert (root / ".selfheal/audit.jsonl").read_bytes() == before


def test_a_changed_byte_is_detected_wherever_it_is(root: Path) -> None:
    file = root / ".selfheal/audit.jsonl"
    raw = file.read_bytes()
    with Store.open(root) as store:
        for at in range(0, len(raw), 7):
            file.write_bytes(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])
            assert not store.audit.verify().ok, f"byte {at}"
        file.write_bytes(raw)
        assert store.audit.verify().ok


def test_tampering_beneath_an_open_store_is_detected(root: Path) -> None:
    with Store.open(root) as store:
        store.audit.records()
        documents = read(root)
        alter_data(documents)
        write(root, documents)
        assert not store.audit.verify().ok


def test_the_removed_file_and_the_removed_head_are_detected(root: Path) -> None:
    head = (root / ".selfheal/audit.head").read_bytes()
    (root / ".selfheal/audit.head").unlink()
    with Store.open(root) as store:
        assert not store.audit.verify().ok
        with pytest.raises(CorruptStoreError):
            store.audit.append("test.more", actor="engine")
    (root / ".selfheal/audit.head").write_bytes(head)
    (root / ".selfheal/audit.jsonl").unlink()
    with Store.open(root) as store:
        verification = store.audit.verify()
    assert not verification.ok
    assert "removed" in verification.problem


def test_an_unreadable_head_is_a_problem_and_not_a_crash(root: Path) -> None:
    (root / ".selfheal/audit.head").write_bytes(b"{")
    with Store.open(root) as store:
        assert "head" in store.audit.verify().problem


def test_a_head_that_a_crash_left_one_behind_is_no_tampering(root: Path) -> None:
    head = root / ".selfheal/audit.head"
    before = head.read_bytes()
    with Store.open(root) as store:
        store.audit.append("test.more", actor="engine")
        head.write_bytes(before)
        assert store.audit.verify().ok
        store.audit.append("test.more", actor="engine")
        assert store.audit.verify().ok
        head.write_bytes(before)
        assert not store.audit.verify().ok, "two behind is no crash"


def test_the_very_first_record_may_lack_its_head(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        assert store.audit.verify().ok
        store.audit.append("test.first", actor="engine")
        (tmp_path / ".selfheal/audit.head").unlink()
        assert store.audit.verify().ok


def test_a_torn_tail_was_never_acknowledged_and_is_no_tampering(root: Path) -> None:
    with (root / ".selfheal/audit.jsonl").open("ab") as opened:
        opened.write(b'0123abcd [["+","audit"')
    with Store.open(root) as store:
        assert store.audit.verify().ok
        assert store.audit.append("test.more", actor="engine").sequence == RECORDS + 1
        assert store.audit.verify().ok


def test_records_are_found_by_incident_and_kind(root: Path) -> None:
    with Store.open(root) as store:
        store.audit.append("other.kind", actor="operator:ada", incident_id="ab01")
        assert [r.data["number"] for r in store.audit.records("ab01", ["test.step"])] == [1, 3, 5]
        assert [r.kind for r in store.audit.records(kinds=["other.kind"])] == ["other.kind"]
        store.audit.records()[0].data["number"] = 7
        assert store.audit.records()[0].data == {"number": 0}


def test_records_hold_no_secret_and_survive_odd_values(tmp_path: Path) -> None:
    odd = {
        "password": "correct horse",
        "nested": {"api_key": "abcdef123456", "text": "Authorization: Bearer abcdefghijklmnop1234"},
        "huge": 2**200,
        "nan": float("nan"),
        "surrogate": "a\ud800b",
        "argv": ["prog", "--password", "open sesame", "--verbose", "yes"],
        "path": Path("a.py"),
        "patch_sha256": "a" * 64,
        "candidate_id": "0123456789ab",
    }
    with Store.open(tmp_path) as store:
        store.audit.append("test.odd", actor="engine", data=odd)
        assert store.audit.verify().ok
        data = store.audit.records()[0].data
    raw = (tmp_path / ".selfheal/audit.jsonl").read_text("utf-8")
    assert "correct horse" not in raw
    assert "abcdef123456" not in raw
    assert "abcdefghijklmnop1234" not in raw
    assert "open sesame" not in raw
    assert data["argv"][3:] == ["--verbose", "yes"]
    assert data["path"] == "a.py"
    assert data["patch_sha256"] == "a" * 64
    assert data["candidate_id"] == "0123456789ab"
    assert data["huge"] == str(2**200)


def test_the_log_is_never_compacted(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.audit.append("test.first", actor="engine")
        journal = store.audit._table().journal
        assert not journal._compact
