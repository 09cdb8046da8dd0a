"""Promise 4: `kill -9` at any moment loses no record and leaves no half-written file.

Children are forked and really killed, either at the n-th system call that touches the disk (every n, so
that no moment is left to chance) or after a random delay: more than 600 kills in all.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from selfheal_tui.model.crash import CrashReport, ExceptionInfo
from selfheal_tui.model.incident import Fingerprint, Incident
from selfheal_tui.model.kinds import CaptureSource, Environment
from selfheal_tui.model.record import HealingAttempt
from selfheal_tui.store import Change, Store
from selfheal_tui.store.lock import StoreLock
from selfheal_tui.store.table import HistoryDB

CALLS = (
    "open", "write", "pwrite", "fsync", "fdatasync", "replace", "unlink", "mkdir", "rmdir", "ftruncate", "utime", "fchmod",
    "fchown", "chmod",
)  # fmt: skip
OLD = {"a.py": b"old a\n", "pkg/b.py": b"old b\n" * 2000, "gone.py": b"old gone\n"}
NEW = {"a.py": b"new a\n", "pkg/b.py": b"new b\n" * 2000, "made/deep/c.py": b"new c\n"}


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def changes(before: dict[str, bytes], after: dict[str, bytes]) -> list[Change]:
    return [
        Change(path, sha(before[path]) if path in before else None, after.get(path))
        for path in sorted({*before, *after})
    ]


def die_at(nth: int, moment: str) -> None:
    """Lets this process be killed at its nth call: before it, after it, or with half of a write done."""
    left = [nth]

    def wrapped(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            left[0] -= 1
            if left[0] != 0:
                return call(*args, **kwargs)
            try:
                if moment == "half" and name in {"write", "pwrite"}:
                    data = args[1]
                    call(args[0], data[: len(data) // 2], *args[2:])
                elif moment != "before":
                    call(*args, **kwargs)
            finally:
                os.kill(os.getpid(), signal.SIGKILL)
            raise AssertionError("unreachable")

        return run

    for name in CALLS:
        setattr(os, name, wrapped(name, getattr(os, name)))


def killed_in_child(work: Callable[[], None]) -> bool:
    """Runs `work` in a child; returns whether it was killed (else it finished)."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:
            traceback.print_exc()
            os._exit(3)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert not os.WIFEXITED(status) or os.WEXITSTATUS(status) == 0, "the child failed by itself"
    return os.WIFSIGNALED(status)


def tree(root: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(root)): file.read_bytes()
        for file in sorted(root.rglob("*"))
        if file.is_file() and not {".selfheal", ".self_healing_backups"} & set(file.relative_to(root).parts)
    }


def lay_out(root: Path, files: dict[str, bytes]) -> None:
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """In memory where that can be had: `kill -9` spares the page cache, so waiting for a disk shows nothing."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as name:
        yield Path(name)


@pytest.fixture
def template(tmp_path: Path) -> Path:
    root = tmp_path / "template"
    root.mkdir()
    lay_out(root, OLD)
    with Store.open(root) as store:
        store.audit.append("test.begun", actor="engine")
    return root


def assert_no_half_file(root: Path) -> None:
    for path, data in tree(root).items():
        if path.endswith(".selfheal.tmp"):
            continue
        assert data in (OLD.get(path), NEW.get(path)), f"{path} is half-written"


def assert_all_or_nothing(root: Path) -> bool:
    """Recovers and checks; returns whether the change was made."""
    with Store.open(root) as store:
        store.transactions.recover()
        assert not store.transactions.pending()
        state = tree(root)
        assert state in (OLD, NEW)
        entries = store.backups.entries()
        assert len(entries) == (4 if state == NEW else 0)
        for entry in entries:
            assert store.backups.read(entry) == OLD.get(entry.path)
        assert store.audit.verify().ok
        kept = [f for f in store.backups.directory.rglob("*.bak") if f.is_file()]
        assert len(kept) == (3 if state == NEW else 0), "a backup that belongs to nothing"
        return state == NEW


def applied(root: Path) -> Callable[[], None]:
    def work() -> None:
        Store.open(root).transactions.apply(changes(OLD, NEW), incident_id="ab12")

    return work


@pytest.mark.parametrize("moment", ["before", "half", "after"])
def test_a_kill_at_every_system_call_of_apply_leaves_all_files_old_or_all_new(
    template: Path, tmp_path: Path, moment: str
) -> None:
    kills = made = 0
    for nth in range(1, 1000):
        root = tmp_path / f"{moment}{nth}"
        shutil.copytree(template, root)

        def work(root: Path = root, nth: int = nth) -> None:
            store = Store.open(root)
            die_at(nth, moment)
            store.transactions.apply(changes(OLD, NEW), incident_id="ab12")

        killed = killed_in_child(work)
        kills += killed
        assert_no_half_file(root)
        made += assert_all_or_nothing(root)
        if not killed:
            assert tree(root) == NEW
            break
        shutil.rmtree(root)
    assert kills >= 40
    assert made >= 1


def test_a_kill_at_every_system_call_of_recover_is_recovered_from(template: Path, tmp_path: Path) -> None:
    def half_done() -> None:
        store = Store.open(template)
        replaced = [0]
        replace = os.replace

        def second_replace_kills(source: str, target: str) -> None:
            replaced[0] += not str(target).startswith(str(store.directory))
            replace(source, target)
            if replaced[0] == 2:
                os.kill(os.getpid(), signal.SIGKILL)

        os.replace = second_replace_kills  # type: ignore[assignment]  # in the child only
        store.transactions.apply(changes(OLD, NEW), incident_id="ab12")

    assert killed_in_child(half_done)
    assert tree(template) not in (OLD, NEW)
    kills = 0
    for nth in range(1, 1000):
        root = tmp_path / f"r{nth}"
        shutil.copytree(template, root)

        def work(root: Path = root, nth: int = nth) -> None:
            store = Store.open(root)
            die_at(nth, "half")
            store.transactions.recover()

        killed = killed_in_child(work)
        kills += killed
        assert not assert_all_or_nothing(root), "an unfinished change is undone, never completed"
        shutil.rmtree(root)
        if not killed:
            break
    assert kills >= 15


def test_random_kills_of_apply_leave_all_files_old_or_all_new(template: Path, tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    kills = 0
    for nth in range(60):
        root = tmp_path / f"random{nth}"
        shutil.copytree(template, root)
        child = os.fork()
        if child == 0:
            try:
                applied(root)()
            finally:
                os._exit(0)
        time.sleep(chance.uniform(0, 0.02))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        kills += os.WIFSIGNALED(status)
        assert_no_half_file(root)
        assert_all_or_nothing(root)
        shutil.rmtree(root)
    assert kills > 0, f"no child was killed in time (seed {seed})"


def attempt(number: int) -> HealingAttempt:
    return HealingAttempt(
        timestamp="2026-01-01T00:00:00+00:00",
        issue_hash=f"{number:08x}",
        issue_type="bug",
        severity="low",
        file="a.py",
        validation={"valid": True},
        success=True,
        fix_preview="x" * 300,
        seconds=float(number),
    )


def incident(count: int) -> Incident:
    report = CrashReport(
        report_id="0" * 32,
        captured_at=1.0,
        source=CaptureSource.TEXT,
        chain=(ExceptionInfo("ValueError", "wrong " * 200),),
    )
    return Incident(
        "ab12", Fingerprint("0123456789abcdef", 1), report, Environment.DEV, 1.0, 2.0, count=count
    )


def write_for_ever(root: Path, acknowledge: int) -> None:
    with Store.open(root) as store:
        for number in range(1, 1_000_000):
            store.attempts.append(attempt(number))
            store.audit.append("test.step", actor="engine", data={"number": number})
            store.learning.count("rule:x", True)
            store.incidents.put(incident(number))
            os.write(acknowledge, number.to_bytes(4, "big"))


def assert_nothing_lost(root: Path, acknowledged: int) -> None:
    with Store.open(root) as store:
        seen = [int(a.seconds) for a in store.attempts.all()]
        assert seen == list(range(1, len(seen) + 1))
        assert acknowledged <= len(seen) <= acknowledged + 1
        verification = store.audit.verify()
        assert verification.ok, verification.problem
        assert acknowledged <= len(store.audit.records()) <= acknowledged + 1
        assert acknowledged <= store.learning.get("rule:x").successes <= acknowledged + 1
        if acknowledged:
            assert acknowledged <= store.incidents.get("ab12").count <= acknowledged + 1
        store.audit.append("test.after", actor="engine")
        assert store.audit.verify().ok


def test_random_kills_of_writers_lose_no_acknowledged_record(tmp_path: Path) -> None:
    chance = random.Random()
    for nth in range(60):
        root = tmp_path / f"w{nth}"
        root.mkdir()
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                write_for_ever(root, writing)
            finally:
                os._exit(3)
        os.close(writing)
        time.sleep(chance.uniform(0.001, 0.08))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status)
        with os.fdopen(reading, "rb") as pipe:
            acknowledged = len(pipe.read()) // 4
        assert_nothing_lost(root, acknowledged)
        shutil.rmtree(root)


@pytest.mark.parametrize("moment", ["before", "half", "after"])
def test_a_kill_at_every_system_call_of_the_writers_loses_no_acknowledged_record(
    tmp_path: Path, moment: str
) -> None:
    for nth in range(1, 61):
        root = tmp_path / f"{moment}{nth}"
        root.mkdir()
        Store.open(root).close()
        reading, writing = os.pipe()

        def work(root: Path = root, nth: int = nth, writing: int = writing) -> None:
            acknowledge = os.dup(writing)
            real_write = os.write
            store = Store.open(root)
            die_at(nth, moment)
            for number in range(1, 4):
                store.attempts.append(attempt(number))
                store.audit.append("test.step", actor="engine", data={"number": number})
                store.learning.count("rule:x", True)
                store.incidents.put(incident(number))
                real_write(acknowledge, number.to_bytes(4, "big"))

        killed_in_child(work)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            acknowledged = len(pipe.read()) // 4
        assert_nothing_lost(root, acknowledged)
        shutil.rmtree(root)


def test_kills_while_the_journal_is_compacted_lose_nothing(tmp_path: Path) -> None:
    kills = 0
    for nth in range(1, 100):
        file = tmp_path / f"j{nth}.jsonl"
        lock = StoreLock(tmp_path / "lock")
        database = HistoryDB(file, lock, compact_min=30, compact_ratio=1.5)
        database.insert_multiple({"n": n} for n in range(15))
        for n in range(14):
            database.update({"n": 100 + n}, doc_ids=[1])
        database.close()

        def work(file: Path = file, nth: int = nth) -> None:
            lock = StoreLock(file.with_name("lock"))
            database = HistoryDB(file, lock, compact_min=30, compact_ratio=1.5)
            die_at(nth, "half")
            for n in range(6):
                database.update({"n": 200 + n}, doc_ids=[1])

        killed = killed_in_child(work)
        kills += killed
        database = HistoryDB(file, lock)
        rows = {row.doc_id: row["n"] for row in database.all()}
        assert sorted(rows) == list(range(1, 16))
        assert [rows[i] for i in range(2, 16)] == list(range(1, 15))
        assert rows[1] in (113, *range(200, 206))
        database.insert({"n": 0})
        database.close()
        if not killed:
            break
    assert kills >= 15


def test_a_kill_while_the_store_is_made_leaves_one_that_opens(tmp_path: Path) -> None:
    kills = 0
    for nth in range(1, 300):
        root = tmp_path / str(nth)
        root.mkdir()

        def work(root: Path = root, nth: int = nth) -> None:
            die_at(nth, "half")
            Store.open(root).audit.append("test.first", actor="engine")

        killed = killed_in_child(work)
        kills += killed
        with Store.open(root) as store:
            assert store.audit.verify().ok
            store.audit.append("test.after", actor="engine")
            assert store.audit.verify().ok
            for folder in (store.directory, store.backups.directory):
                assert (folder / ".gitignore").read_bytes() == b"*\n"
        if not killed:
            break
    assert kills >= 20
