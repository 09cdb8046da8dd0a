"""Hostile code behind every level of walls: what each level stops, and what it honestly does not."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import socket
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from selfheal_tui.model.kinds import Isolation
from selfheal_tui.model.ports import ReplayPlan, ReplayResult, ReplayStatus, SandboxError
from selfheal_tui.model.settings import ProjectSettings, SandboxSettings
from selfheal_tui.sandbox.isolation import try_isolation, weakness_of
from selfheal_tui.sandbox.workspace import ProjectSandbox
from selfheal_tui.source.project import Project

LEVELS = tuple(Isolation)
WALLED = (Isolation.BUBBLEWRAP, Isolation.LANDLOCK)

HOSTILE = """
import ctypes, json, os, signal, socket, subprocess, sys, tempfile, threading
given = json.loads(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)

def read(path):
    with open(path, "rb") as file:
        return file.read()

def write(path):
    with open(path, "w") as file:
        file.write("pwned")
    return True

def connect(family, kind, address):
    with socket.socket(family, kind) as link:
        link.settimeout(1)
        link.connect(address)
        link.send(b"x")
    return True

def syscall(name, *numbers):
    if os.uname().machine != "x86_64":
        raise PermissionError("not known on this machine")
    table = {"ptrace": 101, "process_vm_readv": 310, "io_uring_setup": 425, "unshare": 272, "mount": 165, "keyctl": 250, "x32_socket": 0x40000000 + 41}
    if libc.syscall(table[name], *numbers) < 0:
        raise OSError(ctypes.get_errno(), name)
    return True

def kill():
    os.kill(given["victim"], signal.SIGKILL)
    return True

attempts = {
    "read a secret in the home directory": lambda: read(given["home"] + "/.secret"),
    "list the home directory": lambda: os.listdir(given["home"]),
    "read a secret beside the project": lambda: read(given["outside"] + "/secret.txt"),
    "overwrite a live file by absolute path": lambda: write(given["root"] + "/victim.txt"),
    "write beside the project": lambda: write(given["outside"] + "/pwned"),
    "delete a file beside the project": lambda: os.unlink(given["outside"] + "/delete-me") is None,
    "make a hard link to a file outside": lambda: os.link(given["outside"] + "/secret.txt", "link.txt") is None,
    "connect by TCP to loopback": lambda: connect(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", given["tcp"])),
    "send by UDP to loopback": lambda: connect(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", given["udp"])),
    "connect to a unix socket by path": lambda: connect(socket.AF_UNIX, socket.SOCK_STREAM, given["unix"]),
    "connect to an abstract unix socket": lambda: connect(socket.AF_UNIX, socket.SOCK_STREAM, "\\0" + given["abstract"]),
    "open a socket of another kind": lambda: socket.socket(40, socket.SOCK_STREAM).close() is None,
    "kill a process outside": kill,
    "read the environment of the supervisor": lambda: read("/proc/%d/environ" % given["supervisor"]),
    "see an API key in the environment": lambda: os.environ["OPENAI_API_KEY"],
    "read the machine's password hashes": lambda: read("/etc/shadow"),
    "enter new namespaces": lambda: syscall("unshare", 0x10000000 | 0x00020000),
    "read memory of another process": lambda: syscall("process_vm_readv", given["supervisor"], None, 0, None, 0, 0),
    "set up io_uring": lambda: syscall("io_uring_setup", 1, ctypes.create_string_buffer(120)),
    "use the x32 numbers of system calls": lambda: syscall("x32_socket", 2, 1, 0),
    "write beside the probe": lambda: given["walled"] and write(given["probe"] + "/pwned"),
    "allocate more than allowed": lambda: bool(bytearray(4 << 30)),
    "write in the copy": lambda: write("made.txt"),
    "write a temporary file": lambda: bool(tempfile.NamedTemporaryFile(mode="w").write("x")),
    "write in its own home": lambda: write(os.path.expanduser("~/made.txt")),
    "run a child process": lambda: subprocess.run([sys.executable, "-c", "import json"], check=True).returncode == 0,
    "start a thread": lambda: threading.Thread(target=int).start() is None,
}
found = {}
for name, attempt in attempts.items():
    try:
        result = attempt()
        found[name] = "allowed" if result else "refused: nothing"
    except BaseException as error:
        found[name] = "refused: %s %s" % (type(error).__name__, error)
print("FOUND " + json.dumps(found))
"""

# What each level lets happen. Everything that is not named here must be refused.
HARMLESS = {
    "write in the copy",
    "write a temporary file",
    "write in its own home",
    "run a child process",
    "start a thread",
}
ALLOWED = {
    # The live path holds the copy there: the write succeeds and reaches nothing. UDP has no connection: the
    # datagram stays in the empty network namespace, if there is a route at all.
    Isolation.BUBBLEWRAP: HARMLESS | {"overwrite a live file by absolute path", "send by UDP to loopback"},
    Isolation.LANDLOCK: HARMLESS,
}
ATTEMPTS = [
    line.split('"')[1] for line in HOSTILE.splitlines() if line.startswith('    "') and "lambda" in line
] + ["kill a process outside"]


@dataclass
class Battlefield:
    """What hostile code attacked, and what came of it."""

    root: Path
    outside: Path
    result: ReplayResult
    found: dict[str, str]
    live_changed: bool
    victim_alive: bool
    received: list[str] = field(default_factory=list)


def tree_hash(root: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        digest.update(
            f"{path.relative_to(root)} {status.st_mode} {status.st_mtime_ns} {status.st_ino}\n".encode()
        )
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()


def need(level: Isolation) -> None:
    problem = try_isolation(level)
    if problem:
        pytest.skip(f"LOUD: {level.value} is not tested on this machine: {problem}")


def sandbox(root: Path, level: Isolation, **limits: object) -> ProjectSandbox:
    settings = SandboxSettings(**limits)  # type: ignore[arg-type]
    return ProjectSandbox(Project(root), settings, ProjectSettings(), sys.executable, isolation=level)


def survivors(marker: str) -> list[int]:
    """Waits until no process shows the marker, as a kill takes a moment to be seen; returns who stays."""
    deadline = time.monotonic() + 10
    while True:
        alive = []
        for process in psutil.process_iter(["cmdline", "status"]):
            if (
                marker in " ".join(process.info["cmdline"] or [])
                and process.info["status"] != psutil.STATUS_ZOMBIE
            ):
                alive.append(process.pid)
        if not alive or time.monotonic() > deadline:
            return alive
        time.sleep(0.05)


@pytest.fixture(scope="module", params=LEVELS, ids=lambda level: level.value)
def battlefield(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    level: Isolation = request.param
    need(level)
    base = tmp_path_factory.mktemp("field")
    home, outside, root = base / "home", base / "outside", base / "project"
    for folder in (home, outside, root):
        folder.mkdir()
    (home / ".secret").write_text("home secret")
    (outside / "secret.txt").write_text("other secret")
    (outside / "delete-me").write_text("x")
    (root / "victim.txt").write_text("intact")
    (root / "hostile.py").write_text(HOSTILE)
    received: list[str] = []
    servers = [
        listen(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0), "tcp", received),
        listen(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0), "udp", received),
        listen(socket.AF_UNIX, socket.SOCK_STREAM, str(outside / "s"), "unix", received),
        listen(socket.AF_UNIX, socket.SOCK_STREAM, "\0selfheal-" + uuid.uuid4().hex, "abstract", received),
    ]
    victim = subprocess.Popen(["sleep", "300"])
    given = {
        "home": str(home),
        "outside": str(outside),
        "root": str(root),
        "tcp": servers[0].getsockname()[1],
        "udp": servers[1].getsockname()[1],
        "unix": str(outside / "s"),
        "abstract": servers[3].getsockname()[1:].decode(),
        "victim": victim.pid,
        "supervisor": os.getpid(),
        "probe": str(Path(__file__).parents[2] / "selfheal_tui" / "probe"),
        "walled": level is not Isolation.UNSANDBOXED,
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        patch.setenv("OPENAI_API_KEY", "sk-not-for-you")
        before = tree_hash(root)
        with sandbox(root, level).workspace() as workspace:
            # Split, so that not even the mapping of live paths in arguments helps to keep the attack away.
            text = json.dumps(given).replace(str(root), str(root).replace("/", "\\/"))
            plan = ReplayPlan("command", argv=("python", "hostile.py", text), cwd=str(root))
            result = workspace.replay(plan, seconds=60)
        changed = tree_hash(root) != before
    alive = victim.poll() is None
    victim.kill()
    victim.wait()
    for server in servers:
        server.close()
    line = next((line for line in result.output.splitlines() if line.startswith("FOUND ")), "")
    assert line, result
    return level, Battlefield(root, outside, result, json.loads(line[6:]), changed, alive, received)


def listen(family: int, kind: int, address: object, name: str, received: list[str]) -> socket.socket:
    server = socket.socket(family, kind)
    server.bind(address)
    if kind == socket.SOCK_STREAM:
        server.listen(5)

    def serve() -> None:
        try:
            while True:
                if kind == socket.SOCK_STREAM:
                    server.accept()[0].close()
                else:
                    server.recv(10)
                received.append(name)
        except OSError:
            return

    threading.Thread(target=serve, daemon=True).start()
    return server


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_an_attempt_ends_as_its_level_promises(battlefield, attempt):
    level, field_ = battlefield
    outcome = field_.found[attempt]
    if attempt in HARMLESS:
        assert outcome == "allowed"
    elif attempt in {"see an API key in the environment", "allocate more than allowed"}:
        assert outcome.startswith("refused")
    elif level is Isolation.UNSANDBOXED:
        # Nothing is promised here, and the level says so; that is what this test holds it to.
        assert "files of this user can be read and written" in weakness_of(level)
        assert "the network, other processes and sockets can be reached" in weakness_of(level)
    elif attempt not in ALLOWED[level]:
        assert outcome.startswith("refused"), outcome


def test_hostile_code_ran_to_its_end(battlefield):
    _, field_ = battlefield
    assert field_.result.status is ReplayStatus.FINISHED
    assert set(field_.found) == set(ATTEMPTS)
    assert len(ATTEMPTS) >= 20


def test_the_live_tree_and_everything_beside_it_are_untouched(battlefield):
    level, field_ = battlefield
    if level is Isolation.UNSANDBOXED:
        pytest.skip("LOUD: UNSANDBOXED promises this only for relative paths; see the test below")
    assert not field_.live_changed
    assert (field_.root / "victim.txt").read_text() == "intact"
    assert (field_.outside / "delete-me").exists()
    assert not (field_.outside / "pwned").exists()


def test_nothing_arrives_at_a_server_or_a_process_outside(battlefield):
    level, field_ = battlefield
    if level is Isolation.UNSANDBOXED:
        pytest.skip("LOUD: UNSANDBOXED does not wall off the network or other processes")
    assert field_.received == []
    assert field_.victim_alive


@pytest.fixture(params=LEVELS, ids=lambda level: level.value)
def level(request: pytest.FixtureRequest) -> Isolation:
    need(request.param)
    return request.param


@pytest.fixture(params=WALLED, ids=lambda level: level.value)
def walled(request: pytest.FixtureRequest) -> Isolation:
    need(request.param)
    return request.param


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    made.mkdir()
    (made / "victim.txt").write_text("intact")
    return made


def test_hostile_code_with_relative_paths_changes_no_live_byte_on_any_level(root: Path, level: Isolation):
    (root / "wreck.py").write_text(
        "import os, pathlib, shutil\n"
        "here = pathlib.Path(__file__).resolve().parent\n"
        "(here / 'victim.txt').write_text('pwned')\n"
        "open('new.txt', 'w').write('x')\n"
        "os.chmod('victim.txt', 0)\n"
        "os.makedirs('deep/er'); os.chmod('deep', 0)\n"
        "for name in os.listdir('.'):\n"
        "    if name.endswith('.py'): os.unlink(name)\n"
    )
    (root / "test_wreck.py").write_text("def test_it():\n    open('victim.txt', 'w').write('y')\n")
    before = tree_hash(root)
    with sandbox(root, level).workspace() as workspace:
        for _ in range(2):
            plan = ReplayPlan("command", argv=("python", "wreck.py"), cwd=str(root))
            assert workspace.replay(plan, seconds=30).exit_code == 0
            assert (workspace.root / "victim.txt").read_text() == "intact"
            assert sorted(path.name for path in workspace.root.iterdir()) == [
                "test_wreck.py",
                "victim.txt",
                "wreck.py",
            ]
        assert workspace.run_tests(seconds=60).passed == {"test_wreck.py::test_it"}
    assert tree_hash(root) == before


class Booby:
    """Writes to the live tree when it is unpickled."""

    def __init__(self, target: str) -> None:
        self.target = target

    def __reduce__(self):
        return (eval, (f"__import__('pathlib').Path({self.target!r}).write_text('pwned')",))


def test_a_payload_that_attacks_while_it_is_unpickled_reaches_no_live_file(
    root: Path, walled: Isolation, tmp_path: Path
):
    (root / "lib.py").write_text("def go(x):\n    return x\n")
    payload = tmp_path / "payload.pickle"
    payload.write_bytes(pickle.dumps({"args": (Booby(str(root / "victim.txt")),), "kwargs": {}}))
    before = tree_hash(root)
    plan = ReplayPlan("call", module="lib", file=str(root / "lib.py"), qualname="go", payload=str(payload))
    with sandbox(root, walled).workspace() as workspace:
        workspace.replay(plan, seconds=30)
    assert tree_hash(root) == before


def test_importing_hostile_code_reaches_no_live_file(root: Path, walled: Isolation):
    (root / "evil.py").write_text(f"open({str(root / 'victim.txt')!r}, 'w').write('pwned')\n")
    before = tree_hash(root)
    with sandbox(root, walled).workspace() as workspace:
        workspace.resolve_imports(["import evil"], path="x.py")
    assert tree_hash(root) == before


SURVIVOR = """
import os, signal, subprocess, sys, time
marker = sys.argv[1]
if os.fork() == 0:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if os.fork() == 0:
        os.setsid()
        for number in range(3, 64):
            try: os.close(number)
            except OSError: pass
        os.execv(sys.executable, [sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(300)", marker])
    os._exit(0)
time.sleep(float(sys.argv[2]))
"""


def test_grandchildren_that_left_the_session_die_when_the_program_ends(root: Path, level: Isolation):
    (root / "survivor.py").write_text(SURVIVOR)
    marker = f"marker-{uuid.uuid4().hex}"
    with sandbox(root, level).workspace() as workspace:
        plan = ReplayPlan("command", argv=("python", "survivor.py", marker, "0.3"), cwd=str(root))
        result = workspace.replay(plan, seconds=30)
        assert result.status is ReplayStatus.FINISHED
        assert survivors(marker) == []


def test_the_time_limit_kills_all_descendants_and_is_reported(root: Path, level: Isolation):
    (root / "survivor.py").write_text(
        "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SURVIVOR
    )
    marker = f"marker-{uuid.uuid4().hex}"
    with sandbox(root, level).workspace() as workspace:
        plan = ReplayPlan("command", argv=("python", "survivor.py", marker, "300"), cwd=str(root))
        result = workspace.replay(plan, seconds=1.5)
        assert result.status is ReplayStatus.TIMEOUT
        assert result.exit_code is None
        assert survivors(marker) == []


def test_a_fork_bomb_is_stopped_and_is_no_success(root: Path, level: Isolation):
    (root / "bomb.py").write_text(
        "import subprocess, sys, time\n"
        "children = [subprocess.Popen(['sleep', '300.' + sys.argv[1]]) for _ in range(100)]\n"
        "time.sleep(60)\n"
    )
    marker = str(uuid.uuid4().int)[:16]
    with sandbox(root, level, processes=20).workspace() as workspace:
        plan = ReplayPlan("command", argv=("python", "bomb.py", marker), cwd=str(root))
        result = workspace.replay(plan, seconds=50)
        assert result.status in {ReplayStatus.NOT_POSSIBLE, ReplayStatus.CRASHED}
        assert survivors(marker) == []


def test_a_file_larger_than_the_limit_cannot_be_written(root: Path, level: Isolation):
    (root / "fill.py").write_text("open('big', 'wb').truncate(300 << 20)\n")
    with sandbox(root, level).workspace() as workspace:
        result = workspace.replay(
            ReplayPlan("command", argv=("python", "fill.py"), cwd=str(root)), seconds=30
        )
        assert result.status is ReplayStatus.CRASHED


def test_isolation_can_be_required(root: Path):
    demanding = sandbox(root, Isolation.UNSANDBOXED, require_isolation=True)
    with pytest.raises(SandboxError, match="require_isolation"), demanding.workspace():
        pass
