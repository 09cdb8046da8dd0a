"""Promise 5: two processes can use the store at once; and what happens on a disk that is really full."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from selfheal_tui.model.approval import ApprovalDecision, ApprovalRequest, Binding, DecisionKind, RequestState
from selfheal_tui.model.kinds import RiskLevel
from selfheal_tui.store import Store

BINDING = Binding("a" * 64, (), "policy-1")


def start(script: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out


def test_three_processes_writing_at_once_lose_and_repeat_nothing(tmp_path: Path) -> None:
    script = """
        import sys
        from pathlib import Path
        from selfheal_tui.model.record import HealingAttempt
        from selfheal_tui.store import Store
        with Store.open(Path(sys.argv[1])) as store:
            print("ready", flush=True)
            sys.stdin.readline()
            for number in range(300):
                store.attempts.append(HealingAttempt("t", sys.argv[2], "bug", "low", "a.py", {}, True, "", tokens=number))
                store.learning.count("rule:x", number % 3 != 0)
                if number % 10 == 0:
                    store.audit.append("test.step", actor=sys.argv[2], data={"number": number})
    """
    writers = [start(script, str(tmp_path), name) for name in ("one", "two", "three")]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("\n")
        writer.stdin.flush()
    for writer in writers:
        finish(writer)
    with Store.open(tmp_path) as store:
        attempts = store.attempts.all()
        assert len(attempts) == 900
        for name in ("one", "two", "three"):
            assert [a.tokens for a in attempts if a.issue_hash == name] == list(range(300))
        learned = store.learning.get("rule:x")
        assert (learned.successes, learned.failures) == (600, 300)
        verification = store.audit.verify()
        assert (verification.ok, verification.records) == (True, 90)


def test_processes_changing_the_same_file_never_overwrite_each_other(tmp_path: Path) -> None:
    (tmp_path / "count.txt").write_bytes(b"0")
    script = """
        import hashlib, sys
        from pathlib import Path
        from selfheal_tui.store import Change, StaleTargetError, Store
        root = Path(sys.argv[1])
        done = 0
        with Store.open(root) as store:
            while done < 20:
                before = (root / "count.txt").read_bytes()
                after = b"%d" % (int(before) + 1)
                try:
                    store.transactions.apply(
                        [Change("count.txt", hashlib.sha256(before).hexdigest(), after)], incident_id="x"
                    )
                except StaleTargetError:
                    continue
                done += 1
    """
    for process in [start(script, str(tmp_path)) for _ in range(2)]:
        finish(process)
    assert (tmp_path / "count.txt").read_bytes() == b"40"
    with Store.open(tmp_path) as store:
        saved = [int(store.backups.read(entry) or b"-1") for entry in store.backups.entries()]
    assert saved == list(range(40))


def request(name: str) -> ApprovalRequest:
    return ApprovalRequest(
        name, "ab12", "c" * 12, "self_modify_codebase", RiskLevel.RED, BINDING, (), False, 0.0, 9e9
    )


def test_a_decision_from_another_process_ends_the_wait(tmp_path: Path) -> None:
    script = """
        import sys
        from pathlib import Path
        from selfheal_tui.store import Store
        with Store.open(Path(sys.argv[1])) as store:
            def asked():
                if not told:
                    told.append(print("waiting", flush=True))
                return False
            told = []
            decision = store.approvals.wait("r1", 100, cancelled=asked)
            store.approvals.consume("r1", decision.binding)
            print(decision.by)
    """
    with Store.open(tmp_path) as store:
        store.approvals.request(request("r1"))
        waiter = start(script, str(tmp_path))
        assert waiter.stdout is not None
        assert waiter.stdout.readline() == "waiting\n"
        store.approvals.decide(ApprovalDecision("r1", DecisionKind.APPROVED, "ada", 1.0, "", BINDING))
        assert finish(waiter) == "ada\n"
        assert store.approvals.state("r1") is RequestState.CONSUMED


def test_of_many_processes_exactly_one_can_use_an_approval(tmp_path: Path) -> None:
    script = """
        import sys
        from pathlib import Path
        from selfheal_tui.model.approval import Binding
        from selfheal_tui.store import ApprovalConflictError, Store
        with Store.open(Path(sys.argv[1])) as store:
            print("ready", flush=True)
            sys.stdin.readline()
            try:
                store.approvals.consume("r1", Binding("a" * 64, (), "policy-1"))
                print("used")
            except ApprovalConflictError:
                print("refused")
    """
    with Store.open(tmp_path) as store:
        store.approvals.request(request("r1"))
        store.approvals.decide(ApprovalDecision("r1", DecisionKind.APPROVED, "ada", 1.0, "", BINDING))
    users = [start(script, str(tmp_path)) for _ in range(4)]
    for user in users:
        assert user.stdout is not None
        user.stdout.readline()
    for user in users:
        assert user.stdin is not None
        user.stdin.write("\n")
        user.stdin.flush()
    assert sorted(finish(user) for user in users) == ["refused\n"] * 3 + ["used\n"]


def test_a_disk_that_is_really_full_loses_nothing_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    script = """
        import hashlib, json, sys
        from pathlib import Path
        from selfheal_tui.model.record import HealingAttempt
        from selfheal_tui.store import Change, Store, StoreWriteError, WriteFailedError
        root = Path(sys.argv[1])
        old = b"x = 1\\n" * 5000
        (root / "a.py").write_bytes(old)
        change = [Change("a.py", hashlib.sha256(old).hexdigest(), b"y = 2\\n" * 5000)]
        store = Store.open(root)
        store.audit.append("test.begun", actor="engine")
        filler = root / "filler"
        filler.write_bytes(b"x" * 200_000)
        acknowledged, refusals = 0, 0
        for number in range(100_000):
            try:
                store.attempts.append(
                    HealingAttempt("t", str(number), "bug", "low", "a.py", {}, True, "x" * 3000)
                )
                acknowledged += 1
            except StoreWriteError as error:
                refusals += 1
                refusal = str(error)
                if refusals == 3:
                    break
        try:
            store.transactions.apply(change, incident_id="x")
            applied = "yes"
        except WriteFailedError as error:
            applied = str(error)
        unchanged = (root / "a.py").read_bytes() == old
        leftovers = [str(f) for f in root.rglob("*.tmp")] + [str(f) for f in root.rglob("*.bak")]
        store.close()
        filler.unlink()
        with Store.open(root) as store:
            kept = len(store.attempts.all())
            verified = store.audit.verify().ok
            pending = store.transactions.pending()
            store.transactions.apply(change, incident_id="x")
        print(json.dumps({
            "acknowledged": acknowledged, "kept": kept, "refusal": refusal, "applied": applied,
            "unchanged": unchanged, "leftovers": leftovers, "verified": verified, "pending": pending,
        }))
    """
    disk = tmp_path / "disk"
    disk.mkdir()
    file = tmp_path / "script.py"
    file.write_text(textwrap.dedent(script))
    mount = f'mount -t tmpfs -o size=600k tmpfs "{disk}" || exit 77; exec "$@"'
    # A private mount namespace, so that nothing stays mounted whatever happens.
    command = ["unshare", "--mount", "sh", "-c", mount, "sh", sys.executable, str(file), str(disk)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    except FileNotFoundError:
        pytest.skip("no unshare here, so no small disk can be mounted")
    if (
        done.returncode in (1, 77)
        and ("mount" in done.stderr or "unshare" in done.stderr)
        and not done.stdout
    ):
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["acknowledged"] == seen["kept"] > 10
    assert "No space left" in seen["refusal"]
    assert "No space left" in seen["applied"]
    assert seen["unchanged"]
    assert seen["leftovers"] == []
    assert seen["verified"]
    assert not seen["pending"]
