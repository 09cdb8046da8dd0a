"""Changes to the live tree: all or none, only where allowed, and never over somebody's edit."""

from __future__ import annotations

import errno
import hashlib
import importlib.util
import os
import py_compile
import re
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from selfheal_tui.store import (
    Change,
    CorruptStoreError,
    RefusedTargetError,
    StaleTargetError,
    Store,
    StoreError,
    StoreUnavailableError,
    UnknownBackupError,
    WriteFailedError,
)

OLD = {"a.py": b"x = 1\n", "pkg/b.py": b"y = 1\r\n", "gone.py": b"z = 1\n"}


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def tree(root: Path) -> dict[str, tuple[str, bytes, int]]:
    """Every file, link and folder outside our own folders."""
    found = {}
    for file in sorted(root.rglob("*")):
        name = file.relative_to(root)
        if name.parts[0] not in {".selfheal", ".self_healing_backups"}:
            kind = "link" if file.is_symlink() else "file" if file.is_file() else "other"
            content = (
                str(file.readlink()).encode()
                if kind == "link"
                else file.read_bytes()
                if kind == "file"
                else b""
            )
            found[str(name)] = (kind, content, file.lstat().st_mode)
    return found


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    for path, data in OLD.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


@pytest.fixture
def store(root: Path):
    with Store.open(root) as opened:
        yield opened


FOUR = [
    Change("a.py", sha(OLD["a.py"]), b"x = 2\n"),
    Change("pkg/b.py", sha(OLD["pkg/b.py"]), b"\xef\xbb\xbfy = 2\r\n"),
    Change("gone.py", sha(OLD["gone.py"]), None),
    Change("new/deep/c.py", None, b"c = 1\n"),
]


def test_files_are_changed_made_and_deleted_with_a_backup_of_each(store: Store, root: Path) -> None:
    done = store.transactions.apply(FOUR, incident_id="ab12")
    assert (root / "a.py").read_bytes() == b"x = 2\n"
    assert (root / "pkg/b.py").read_bytes() == b"\xef\xbb\xbfy = 2\r\n"
    assert not (root / "gone.py").exists()
    assert (root / "new/deep/c.py").read_bytes() == b"c = 1\n"
    assert store.backups.of_transaction(done.transaction_id) == list(done.entries) == store.backups.entries()
    for entry, change in zip(done.entries, FOUR, strict=True):
        assert (entry.path, entry.sha256, entry.incident_id) == (change.path, change.before_sha256, "ab12")
        assert entry.after_sha256 == (None if change.after is None else sha(change.after))
        assert store.backups.read(entry) == OLD.get(entry.path)
        assert store.backups.get(entry.backup_id) == entry
        assert re.fullmatch(re.escape(entry.path) + r"\.\d{8}_\d{6}\.bak", entry.backup_id)
        if entry.sha256 is not None:
            file = root / ".self_healing_backups" / entry.backup_id
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not store.transactions.pending()
    assert list(root.rglob("*.tmp")) == []


def test_a_second_backup_in_the_same_second_gets_a_number(root: Path) -> None:
    with Store.open(root, clock=lambda: 1_700_000_000.25) as store:
        ids = []
        for number in range(3):
            before = (root / "a.py").read_bytes()
            done = store.transactions.apply([Change("a.py", sha(before), b"%d\n" % number)], incident_id="x")
            ids.append(done.entries[0].backup_id)
        bases = {re.sub(r"(_\d)?\.bak$", "", backup_id) for backup_id in ids}
        assert len(bases) == 1
        assert [i.removeprefix(bases.copy().pop()) for i in ids] == [".bak", "_1.bak", "_2.bak"]


def test_mode_and_owner_are_kept(store: Store, root: Path) -> None:
    (root / "a.py").chmod(0o751)
    if os.geteuid() == 0:
        os.chown(root / "a.py", 12345, 23456)
    owner = (root / "a.py").stat()
    store.transactions.apply(FOUR[:1], incident_id="x")
    after = (root / "a.py").stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (owner.st_mode, owner.st_uid, owner.st_gid)


def test_a_mode_can_be_given_and_new_files_follow_the_umask(store: Store, root: Path) -> None:
    old = os.umask(0o027)
    try:
        store.transactions.apply(
            [Change("n.py", None, b""), Change("s.sh", None, b"", mode=0o755)], incident_id="x"
        )
    finally:
        os.umask(old)
    assert stat.S_IMODE((root / "n.py").stat().st_mode) == 0o640
    assert stat.S_IMODE((root / "s.sh").stat().st_mode) == 0o755


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (Change("a.py", sha(b"other"), b"new"), "edited since"),
        (Change("a.py", None, b"new"), "exists already"),
        (Change("nowhere.py", sha(b"x"), b"new"), "is gone"),
        (Change("nowhere.py", sha(b"x"), None), "is gone"),
    ],
)
def test_a_file_that_is_not_what_it_was_stops_the_whole_change(
    store: Store, root: Path, change: Change, words: str
) -> None:
    before = tree(root)
    with pytest.raises(StaleTargetError, match=words) as caught:
        store.transactions.apply([FOUR[1], FOUR[3], change], incident_id="x")
    assert caught.value.path == change.path
    assert tree(root) == before
    assert store.backups.entries() == []
    assert list(store.backups.directory.rglob("*.bak")) == []


def test_an_edit_at_the_last_moment_is_not_overwritten(
    store: Store, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.replace

    def edit_the_second_after_the_first(source: Any, target: Any) -> None:
        real(source, target)
        if Path(target) == root / "a.py":
            (root / "pkg/b.py").write_bytes(b"the operator's edit\n")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", edit_the_second_after_the_first)
        with pytest.raises(StaleTargetError, match="edited since"):
            store.transactions.apply(FOUR[:2], incident_id="x")
    assert (root / "a.py").read_bytes() == OLD["a.py"]
    assert (root / "pkg/b.py").read_bytes() == b"the operator's edit\n"
    assert store.backups.entries() == []


@pytest.mark.parametrize(
    "path",
    [
        "../outside.py", "/etc/hosts", "pkg/../a.py", "./a.py", "", ".", "a.py/", "pkg//b.py", "a\0b", "a\ud800",
        ".selfheal/history.jsonl", ".selfheal/PAUSED", ".self_healing_backups/x", ".git/config", "pkg/.git/hooks/x",
        "pkg",
    ],
)  # fmt: skip
def test_a_path_that_is_not_a_plain_file_of_the_project_is_refused(
    store: Store, root: Path, path: str
) -> None:
    (root / ".git").mkdir()
    before = tree(root.parent)
    with pytest.raises(RefusedTargetError):
        store.transactions.apply([FOUR[0], Change(path, None, b"evil")], incident_id="x")
    after = tree(root.parent)
    assert {k: v for k, v in after.items() if ".selfheal/" not in k} == {
        k: v for k, v in before.items() if ".selfheal/" not in k
    }


def test_one_file_under_two_names_is_refused(store: Store, root: Path) -> None:
    (root / "alias.py").symlink_to("a.py")
    before = tree(root)
    with pytest.raises(RefusedTargetError, match="twice"):
        store.transactions.apply([FOUR[0], Change("alias.py", sha(OLD["a.py"]), b"x")], incident_id="x")
    assert tree(root) == before


def test_a_link_inside_the_root_is_written_through_and_stays_a_link(store: Store, root: Path) -> None:
    (root / "alias.py").symlink_to("pkg/b.py")
    (root / "folder").symlink_to("pkg")
    store.transactions.apply([Change("alias.py", sha(OLD["pkg/b.py"]), b"one")], incident_id="x")
    assert (root / "alias.py").is_symlink()
    assert (root / "pkg/b.py").read_bytes() == b"one"
    done = store.transactions.apply([Change("folder/b.py", sha(b"one"), b"two")], incident_id="x")
    assert (root / "folder").is_symlink()
    assert (root / "pkg/b.py").read_bytes() == b"two"
    assert store.backups.read(done.entries[0]) == b"one"


@pytest.mark.parametrize("kind", ["file", "folder", "loop", "dangling"])
def test_a_link_out_of_the_root_is_refused(store: Store, root: Path, tmp_path: Path, kind: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.py").write_bytes(b"theirs")
    path, before_sha = "link.py", sha(b"theirs")
    if kind == "file":
        (root / "link.py").symlink_to(outside / "a.py")
    elif kind == "folder":
        (root / "link").symlink_to(outside)
        path = "link/a.py"
    elif kind == "loop":
        (root / "link.py").symlink_to("link.py")
    else:
        (root / "link.py").symlink_to(outside / "new.py")
        before_sha = ""
    before = tree(root)
    with pytest.raises((RefusedTargetError, WriteFailedError)):
        store.transactions.apply([FOUR[0], Change(path, before_sha or None, b"evil")], incident_id="x")
    assert tree(root) == before
    assert {f.name: f.read_bytes() for f in outside.iterdir()} == {"a.py": b"theirs"}


def test_a_fifo_or_a_folder_is_refused(store: Store, root: Path) -> None:
    os.mkfifo(root / "pipe")
    for path in ("pipe", "pkg"):
        with pytest.raises(RefusedTargetError):
            store.transactions.apply([Change(path, sha(b""), b"x")], incident_id="x")


def test_a_file_in_place_of_a_folder_is_refused(store: Store, root: Path) -> None:
    before = tree(root)
    with pytest.raises(StoreError):
        store.transactions.apply([FOUR[1], Change("a.py/b.py", None, b"x")], incident_id="x")
    assert tree(root) == before


@pytest.mark.parametrize(
    "what",
    [
        "a.py",
        pytest.param(
            ".", marks=pytest.mark.skipif(os.geteuid() == 0, reason="A SUPERUSER MAY WRITE THERE: not tried")
        ),
    ],
)
def test_what_is_read_only_stays_so_and_the_error_says_what_to_do(
    store: Store, root: Path, what: str
) -> None:
    mode = 0o444 if what == "a.py" else 0o555
    (root / what).chmod(mode)
    before = tree(root)
    try:
        with pytest.raises(WriteFailedError, match=r"read-only.*chmod u\+w"):
            store.transactions.apply([FOUR[1], FOUR[0]], incident_id="x")
        with pytest.raises(WriteFailedError):
            store.transactions.apply([Change("a.py", sha(OLD["a.py"]), None)], incident_id="x")
        assert tree(root) == before
        assert store.backups.entries() == []
    finally:
        (root / what).chmod(0o755)


NEEDS_SPACE = ("write", "mkdir")
ALL_CALLS = (*NEEDS_SPACE, "fsync", "fdatasync", "replace", "unlink", "fchmod", "utime")


def failing_at(nth: int, names: tuple[str, ...], patch: pytest.MonkeyPatch, *, for_ever: bool) -> list[int]:
    """Lets the nth call of these functions fail with a full disk; returns the counter."""
    count = [0]

    def wrapped(call: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            count[0] += 1
            if count[0] == nth or (for_ever and count[0] > nth):
                raise OSError(errno.ENOSPC, "No space left on device")
            return call(*args, **kwargs)

        return run

    for name in names:
        patch.setattr(os, name, wrapped(getattr(os, name)))
    return count


@pytest.mark.parametrize("for_ever", [False, True])
def test_a_disk_that_is_full_at_any_moment_changes_nothing(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, for_ever: bool
) -> None:
    before = tree(root)
    failures = 0
    for nth in range(1, 300):
        fresh = tmp_path / str(nth)
        shutil.copytree(root, fresh)
        with Store.open(fresh) as store:
            store.audit.append("test.begun", actor="engine")
            problem = None
            with monkeypatch.context() as patch:
                count = failing_at(nth, NEEDS_SPACE if for_ever else ALL_CALLS, patch, for_ever=for_ever)
                try:
                    store.transactions.apply(FOUR, incident_id="x")
                except (WriteFailedError, StoreUnavailableError) as error:
                    problem = error
            if problem is not None:
                failures += 1
                assert "No space left" in str(problem)
                assert problem.remedy
                assert tree(fresh) == before, f"call {nth}"
            assert store.transactions.recover() == [], "nothing is left to be undone later"
            expected = 0 if problem is not None else 4
            assert len(store.backups.entries()) == expected
            assert len([f for f in store.backups.directory.rglob("*.bak") if f.is_file()]) == min(expected, 3)
            assert store.audit.verify().ok
        if count[0] < nth:
            break
    assert failures >= (8 if for_ever else 20)


def test_when_even_undoing_fails_the_error_says_so_and_recover_undoes_it_later(
    store: Store, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree(root)
    real = os.replace

    def only_the_first_target(source: Any, target: Any) -> None:
        if (
            Path(target) == root / "a.py" and (root / "a.py").read_bytes() == OLD["a.py"]
        ) or ".selfheal" in Path(target).parts:
            real(source, target)
        else:
            raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", only_the_first_target)
        with pytest.raises(WriteFailedError, match="nor put back yet"):
            store.transactions.apply(FOUR, incident_id="ab12")
    assert (root / "a.py").read_bytes() == b"x = 2\n"
    assert store.transactions.pending()
    assert store.backups.entries() == []
    messages = store.transactions.recover()
    assert len(messages) == 1
    assert "undone" in messages[0]
    assert tree(root) == before
    assert [r.kind for r in store.audit.records("ab12")] == ["change.recovered"]


def half_done(store: Store, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves a transaction as a process leaves it that dies after the first rename."""
    real = os.replace

    class DiedError(BaseException):
        pass

    def die_after_the_first(source: Any, target: Any) -> None:
        real(source, target)
        if Path(target) == root / "a.py":
            raise DiedError

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", die_after_the_first)
        patch.setattr(store.transactions, "_take_back", lambda *_: None)
        with pytest.raises(DiedError):
            store.transactions.apply(FOUR, incident_id="ab12")


def test_the_next_change_undoes_an_unfinished_one_first(
    store: Store, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    half_done(store, root, monkeypatch)
    store.transactions.apply([Change("pkg/b.py", sha(OLD["pkg/b.py"]), b"later")], incident_id="cd34")
    assert (root / "a.py").read_bytes() == OLD["a.py"]
    assert (root / "pkg/b.py").read_bytes() == b"later"


def test_recovery_leaves_somebodys_later_edit_alone_and_keeps_the_backup(
    store: Store, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    half_done(store, root, monkeypatch)
    (root / "a.py").write_bytes(b"an edit after the crash\n")
    (message,) = store.transactions.recover()
    assert "left alone: a.py" in message
    assert (root / "a.py").read_bytes() == b"an edit after the crash\n"
    (entry,) = store.backups.entries()
    assert store.backups.read(entry) == OLD["a.py"]
    assert not store.transactions.pending()


def test_a_damaged_backup_stops_recovery_with_its_name(
    store: Store, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    half_done(store, root, monkeypatch)
    backup = next(f for f in store.backups.directory.glob("a.py.*.bak"))
    backup.write_bytes(b"evil")
    with pytest.raises(CorruptStoreError, match=re.escape(backup.name)):
        store.transactions.recover()
    assert (root / "a.py").read_bytes() == b"x = 2\n"
    assert store.transactions.pending()


def test_a_damaged_intent_stops_every_change(
    store: Store, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    half_done(store, root, monkeypatch)
    intent = next((store.directory / "transactions").glob("*.json"))
    intent.write_bytes(b"{}")
    before = tree(root)
    with pytest.raises(CorruptStoreError, match=re.escape(intent.name)):
        store.transactions.apply([Change("new.py", None, b"")], incident_id="x")
    assert tree(root) == before


def load_value(file: Path) -> Any:
    spec = importlib.util.spec_from_file_location("m_" + sha(os.urandom(4))[:8], file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.x


def test_stale_bytecode_never_wins(store: Store, root: Path) -> None:
    file = root / "a.py"
    for number in range(2, 6):
        compiled = py_compile.compile(str(file), doraise=True)
        assert compiled
        kept = Path(compiled).read_bytes()
        other = Path(compiled).with_name("ab.cpython-311.pyc")
        other.write_bytes(b"another module's")
        second = int(file.stat().st_mtime)
        store.transactions.apply(
            [Change("a.py", sha(file.read_bytes()), b"x = %d\n" % number)], incident_id="x"
        )
        assert not Path(compiled).exists()
        assert other.exists()
        assert int(file.stat().st_mtime) > second, "same size, so the second must differ"
        Path(compiled).write_bytes(kept)  # a slow process writes what it compiled before the change
        assert load_value(file) == number


def test_undoing_never_restores_an_old_time(
    store: Store, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    half_done(store, root, monkeypatch)
    written = (root / "a.py").stat().st_mtime_ns
    store.transactions.recover()
    assert (root / "a.py").read_bytes() == OLD["a.py"]
    assert (root / "a.py").stat().st_mtime_ns // 10**9 > written // 10**9


def test_an_altered_or_missing_backup_is_never_read_as_good(store: Store, root: Path) -> None:
    (entry,) = store.transactions.apply(FOUR[:1], incident_id="x").entries
    file = store.backups.directory / entry.backup_id
    file.write_bytes(b"evil")
    with pytest.raises(CorruptStoreError, match="altered"):
        store.backups.read(entry)
    file.unlink()
    with pytest.raises(CorruptStoreError, match="version control"):
        store.backups.read(entry)
    for unknown in ("nope.bak", "../../etc/passwd"):
        with pytest.raises(UnknownBackupError):
            store.backups.get(unknown)


def test_impossible_requests_are_refused(store: Store, root: Path) -> None:
    with pytest.raises(ValueError, match="at least one"):
        store.transactions.apply([], incident_id="x")
    with pytest.raises(RefusedTargetError, match="cannot be deleted"):
        store.transactions.apply([Change("nowhere.py", None, None)], incident_id="x")
