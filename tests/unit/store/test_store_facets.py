"""Incidents, attempts, learning, inbox, blobs, the kill switch, and the folders they lie in."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from selfheal_tui.model.candidate import Candidate, FileEdit
from selfheal_tui.model.crash import CrashReport, ExceptionInfo, Frame, LocalValue, ReplayCall
from selfheal_tui.model.evidence import Proof
from selfheal_tui.model.incident import Attempt, Fingerprint, Incident
from selfheal_tui.model.kinds import CaptureSource, Environment
from selfheal_tui.model.record import HealingAttempt, ProvenFix
from selfheal_tui.model.serial import to_json
from selfheal_tui.store import (
    AmbiguousIncidentError,
    BadReportError,
    CorruptStoreError,
    IncidentConflictError,
    Store,
    StoreUnavailableError,
    UnknownIncidentError,
)
from selfheal_tui.store.inbox import LARGEST_REPORT

SECRET = "sk-" + "a1b2c3d4" * 4


@pytest.fixture
def store(tmp_path: Path):
    with Store.open(tmp_path) as opened:
        yield opened


def report(message: str = "wrong", **more: object) -> CrashReport:
    frame = Frame("/app/a.py", "f", 3, locals=(LocalValue("password", "str", "'correct horse'"),))
    return CrashReport(
        report_id="0" * 32,
        captured_at=1.0,
        source=CaptureSource.PROBE,
        chain=(ExceptionInfo("ValueError", message, (frame,)),),
        **more,  # type: ignore[arg-type]
    )


def incident(name: str, fingerprint: str = "0123456789abcdef", last_seen: float = 2.0) -> Incident:
    return Incident(name, Fingerprint(fingerprint, 1), report(), Environment.DEV, 1.0, last_seen)


def test_an_incident_reads_back_and_its_latest_snapshot_wins(store: Store) -> None:
    first = replace(incident("ab12"), report=report("wrong"))
    store.incidents.put(first)
    store.incidents.put(replace(first, count=2, message="again"))
    assert store.incidents.get("ab12").count == 2
    assert store.incidents.get("AB1").message == "again"
    assert store.incidents.find("0123456789abcdef") == store.incidents.get("ab12")
    assert store.incidents.find("ffffffffffffffff") is None
    blobs = [f for f in (store.directory / "blobs").rglob("*") if f.is_file()]
    assert len(blobs) == 1, "the snapshot before is not kept for ever"


def test_incidents_are_listed_newest_first(store: Store) -> None:
    for name, seen in (("aaaa", 5.0), ("bbbb", 9.0), ("cccc", 7.0)):
        store.incidents.put(incident(name, fingerprint=name * 4, last_seen=seen))
    assert [i.incident_id for i in store.incidents.all()] == ["bbbb", "cccc", "aaaa"]


def test_an_unknown_or_ambiguous_prefix_is_an_error_with_a_remedy(store: Store) -> None:
    store.incidents.put(incident("ab12", fingerprint="a" * 16))
    store.incidents.put(incident("ab12c", fingerprint="b" * 16))
    assert store.incidents.get("ab12").incident_id == "ab12", "an exact id is never ambiguous"
    with pytest.raises(AmbiguousIncidentError, match="ab12, ab12c"):
        store.incidents.get("ab")
    for unknown in ("ff", "", "../x"):
        with pytest.raises(UnknownIncidentError, match="selfheal incidents"):
            store.incidents.get(unknown)


def test_new_ids_are_the_shortest_free_prefix(store: Store) -> None:
    first = store.incidents.new_id("0123456789abcdef")
    assert len(first) == 4
    store.incidents.put(incident(first))
    second = store.incidents.new_id("0123456789abcdef")
    assert len(second) == 5
    assert second.startswith(first)


def test_an_id_is_never_given_to_another_crash(store: Store) -> None:
    store.incidents.put(incident("ab12", fingerprint="a" * 16))
    with pytest.raises(IncidentConflictError):
        store.incidents.put(incident("ab12", fingerprint="b" * 16))
    assert store.incidents.get("ab12").fingerprint.value == "a" * 16


def test_stored_incidents_hold_no_secret_but_candidates_stay_exact(store: Store) -> None:
    text = f'KEY = "{SECRET}"\n'
    candidate = Candidate("rules", "r", f"uses {SECRET}", 0.9, (FileEdit("a.py", None, text),))
    attempt = Attempt(candidate, Proof(candidate.candidate_id, candidate.patch_sha256), ast_key="f" * 64)
    store.incidents.put(
        replace(
            incident("ab12"),
            report=report(f"bad key {SECRET}", context={"api_key": "hunter2hunter2"}),
            attempts=(attempt,),
        )
    )
    back = store.incidents.get("ab12")
    assert back.attempts[0].candidate.edits[0].text == text
    assert back.attempts[0].candidate.patch_sha256 == candidate.patch_sha256
    assert back.attempts[0].ast_key == "f" * 64
    assert SECRET not in back.attempts[0].candidate.reason
    assert SECRET not in back.report.raised.message
    assert "correct horse" not in back.report.raised.frames[0].locals[0].repr
    assert "hunter2" not in back.report.context["api_key"]


def test_an_altered_incident_body_is_an_error_that_names_the_file(store: Store) -> None:
    store.incidents.put(incident("ab12"))
    blob = next(f for f in (store.directory / "blobs").rglob("*") if f.is_file())
    blob.write_bytes(blob.read_bytes() + b" ")
    with pytest.raises(CorruptStoreError, match=blob.name):
        store.incidents.get("ab12")


def test_attempts_are_kept_in_order_and_masked(store: Store) -> None:
    for number in range(3):
        store.attempts.append(
            HealingAttempt(
                "2026-01-01T00:00:00+00:00",
                f"{number:08x}",
                "bug",
                "low",
                "a.py",
                {"valid": True},
                True,
                SECRET,
            )
        )
    assert [a.issue_hash for a in store.attempts.all()] == ["00000000", "00000001", "00000002"]
    assert SECRET not in (store.directory / "history.jsonl").read_text()


def test_counts_blacklist_and_proven_fixes_are_kept(store: Store, tmp_path: Path) -> None:
    store.learning.count("rule:x", True)
    store.learning.count("rule:x", False)
    store.learning.count("rule:x", True)
    store.learning.blacklist("a" * 16, "k1", "came back")
    store.learning.blacklist("a" * 16, "k1", "came back again")
    store.learning.blacklist("a" * 16, "k2", "broke a test")
    fix = ProvenFix("a" * 16, "ValueError", "def f(): 1/0\n", "def f(): 1\n", "f", "a.py", "x")
    store.learning.remember(fix)
    store.learning.remember(replace(fix, used=1))
    with Store.open(tmp_path) as other:
        learned = other.learning.get("rule:x")
        assert (learned.successes, learned.failures) == (2, 1)
        assert [row.key for row in other.learning.all()] == ["rule:x"]
        assert other.learning.blacklisted("a" * 16) == {"k1", "k2"}
        assert other.learning.blacklisted("b" * 16) == frozenset()
        assert other.learning.proven("a" * 16) == [replace(fix, used=1)]
        assert other.learning.proven() == [replace(fix, used=1)]
        assert other.learning.proven("b" * 16) == []


def test_threads_of_one_process_lose_no_count(store: Store) -> None:
    def work() -> None:
        for _ in range(50):
            store.learning.count("rule:x", True)
            store.learning.get("rule:x")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.learning.get("rule:x").successes == 200


def test_a_fix_that_holds_a_secret_is_not_remembered(store: Store) -> None:
    store.learning.remember(ProvenFix("a" * 16, "E", "x = 1\n", f'x = "{SECRET}"\n', "f", "a.py", "x"))
    assert store.learning.proven() == []
    assert SECRET not in (store.directory / "history.jsonl").read_text()


def test_pausing_holds_across_processes_and_damage(store: Store, tmp_path: Path) -> None:
    assert store.pause.status() is None
    store.pause.pause("ada", "deployment")
    with Store.open(tmp_path) as other:
        paused = other.pause.status()
        assert paused is not None
        assert (paused.by, paused.reason) == ("ada", "deployment")
        assert other.pause.resume("bob")
        assert not other.pause.resume("bob")
    assert store.pause.status() is None
    (store.directory / "PAUSED").write_bytes(b"")
    assert store.pause.status() is not None, "a file that cannot be understood still means paused"


def test_reports_are_loaded_in_order_and_removed_when_done(store: Store) -> None:
    for number, name in enumerate(["z.json", "a.json"]):
        file = store.inbox.directory / name
        file.write_bytes(to_json(report(f"crash {number}")))
        os.utime(file, (number, number))
    (store.inbox.directory / "half.json.tmp").write_bytes(b"{")
    (store.inbox.directory / ".half.json").write_bytes(b"{")
    files = store.inbox.pending()
    assert [f.name for f in files] == ["z.json", "a.json"]
    assert store.inbox.load(files[0]).raised.message == "crash 0"
    store.inbox.done(files[0])
    store.inbox.done(files[0])
    assert [f.name for f in store.inbox.pending()] == ["a.json"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"[1]",
        b'{"report_id": 1}',
        b"\xff\xfe",
        b"[" * 100_000,
        to_json(report()).replace(b'"wire_version":1', b'"wire_version":99'),
        to_json(replace(report(), chain=())),
        b" " * (LARGEST_REPORT + 1),
    ],
    ids=["empty", "text", "array", "shape", "bytes", "deep", "newer", "chainless", "huge"],
)
def test_what_is_not_a_report_is_set_aside_with_the_reason(store: Store, content: bytes) -> None:
    file = store.inbox.directory / "x.json"
    for _ in range(2):
        file.write_bytes(content)
        with pytest.raises(BadReportError, match="moved to"):
            store.inbox.load(file)
    assert store.inbox.pending() == []
    names = sorted(f.name for f in store.inbox.bad.iterdir())
    assert names == ["x.json", "x.json.reason.txt", "x.json_1", "x.json_1.reason.txt"]


def test_links_and_pipes_in_the_inbox_are_not_followed(store: Store, tmp_path: Path) -> None:
    secret = tmp_path / "secret.json"
    secret.write_bytes(to_json(report()))
    (store.inbox.directory / "link.json").symlink_to(secret)
    os.mkfifo(store.inbox.directory / "pipe.json")
    for file in store.inbox.pending():
        with pytest.raises(BadReportError):
            store.inbox.load(file)
    assert secret.exists()
    with pytest.raises(BadReportError, match="not in the inbox"):
        store.inbox.load(secret)


def test_a_payload_is_a_plain_file_of_its_own_report(store: Store, tmp_path: Path) -> None:
    names = ["good.pickle", "../x.pickle", "/etc/passwd", ".hidden", "link.pickle", "", "a/b"]
    calls = tuple(ReplayCall("m", "f.py", "f", payload=name) for name in names)
    crash = report(replay=calls)
    (store.inbox.directory / "good.pickle").write_bytes(b"p")
    (store.inbox.directory / "other.pickle").write_bytes(b"p")
    (store.inbox.directory / ".hidden").write_bytes(b"p")
    (store.directory / "x.pickle").write_bytes(b"p")
    (store.inbox.directory / "link.pickle").symlink_to("/etc/passwd")
    found = {name: store.inbox.payload(crash, name) for name in [*names, "other.pickle"]}
    assert [name for name, file in found.items() if file is not None] == ["good.pickle"]
    store.inbox.forget(crash)
    assert not (store.inbox.directory / "good.pickle").exists()
    assert (store.inbox.directory / "other.pickle").exists()


def test_blobs_read_back_by_hash(store: Store) -> None:
    sha = store.blobs.put(b"\x00\xff")
    assert store.blobs.put(b"\x00\xff") == sha
    assert store.blobs.get(sha) == b"\x00\xff"
    with pytest.raises(CorruptStoreError):
        store.blobs.get("0" * 64)
    with pytest.raises(ValueError, match="not a SHA-256"):
        store.blobs.get("../../etc/passwd")


def test_everything_is_private_and_kept_out_of_git(store: Store) -> None:
    store.incidents.put(incident("ab12"))
    store.audit.append("x.y", actor="engine")
    for folder in (store.directory, store.backups.directory):
        assert (folder / ".gitignore").read_text() == "*\n"
        for file in (folder, *folder.rglob("*")):
            assert file.stat().st_mode & 0o077 == 0, file


def test_a_state_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    root, elsewhere = tmp_path / "root", tmp_path / "elsewhere"
    root.mkdir()
    elsewhere.mkdir()
    (root / ".selfheal").symlink_to(elsewhere)
    with pytest.raises(StoreUnavailableError, match="follows no links"):
        Store.open(root)
    assert list(elsewhere.iterdir()) == []


def test_a_root_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailableError, match="--root"):
        Store.open(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_a_corrupt_history_is_an_error_that_names_file_and_remedy(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.learning.count("rule:x", True)
        store.learning.count("rule:x", True)
    file = tmp_path / ".selfheal/history.jsonl"
    raw = file.read_bytes()
    file.write_bytes(raw[:20] + b"#" + raw[21:])
    with pytest.raises(CorruptStoreError, match=r"history\.jsonl.*python -m selfheal_tui\.store\.repair"):
        Store.open(tmp_path)
    assert json.loads(raw.splitlines()[0][9:])
