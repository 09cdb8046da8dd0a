"""`selfheal watch` on real log files, written by real `logging` handlers of several threads and processes."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest
from shell import GREETER, PYTHON, Shell, tree

from selfheal_tui.model.crash import CrashReport
from selfheal_tui.supervisor.logwatch import LogWatcher

WORKER = """
import logging, logging.handlers, sys, threading
handler = logging.handlers.RotatingFileHandler(sys.argv[1], maxBytes=int(sys.argv[2]), backupCount=3000)
handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s [%(process)d %(threadName)s] %(message)s"))
log = logging.getLogger("app"); log.addHandler(handler); log.setLevel(logging.INFO)
def work(count):
    for number in range(count):
        log.info("working %d", number)
        try: {}["k"]
        except KeyError: log.exception("failed at %d", number)
threads = [threading.Thread(target=work, args=(int(sys.argv[3]),)) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
LOOP = """
import logging
from greeter import Greeter
logging.basicConfig(filename="app.log", format="%(asctime)s %(levelname)s %(name)s: %(message)s")
try: Greeter("Ada").greeting()
except Exception: logging.getLogger("app").exception("greeting failed")
logging.getLogger("app").error("next")
"""


def start(folder: Path, largest: int, count: int) -> subprocess.Popen[bytes]:
    (folder / "worker.py").write_text(WORKER)
    return subprocess.Popen([PYTHON, "worker.py", "app.log", str(largest), str(count)], cwd=folder)


def on_disk(folder: Path) -> int:
    return sum(file.read_text().count("KeyError: 'k'") for file in folder.glob("app.log*"))


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("largest", [0, 3_000, 20_000])
def test_rotating_logs_of_several_threads_are_counted_exactly(
    tmp_path: Path, largest: int, restarts: bool
) -> None:
    got: list[CrashReport] = []
    watcher = LogWatcher([tmp_path / "app.log"], tmp_path / "state", got.extend)
    program = start(tmp_path, largest, 100)
    while program.poll() is None:
        watcher.poll()
        if restarts:
            watcher.close()
            watcher = LogWatcher([tmp_path / "app.log"], tmp_path / "state", got.extend)
    watcher.finish()

    assert sum(report.count for report in got) == on_disk(tmp_path) == 400
    assert watcher.torn == 0


def test_one_log_of_several_processes_is_counted_exactly(tmp_path: Path) -> None:
    got: list[CrashReport] = []
    watcher = LogWatcher([tmp_path / "app.log"], tmp_path / "state", got.extend)
    programs = [start(tmp_path, 0, 50) for _ in range(3)]
    while any(program.poll() is None for program in programs):
        watcher.poll()
    watcher.finish()

    assert sum(report.count for report in got) == on_disk(tmp_path) == 600


def project(folder: Path) -> Shell:
    return Shell(folder, {**GREETER, "loop.py": LOOP, "selfheal.toml": 'environment = "local"\n'})


def run_loop(shell: Shell) -> None:
    subprocess.run([PYTHON, "loop.py"], cwd=shell.root, check=True, env=shell.environ)


def test_watching_explains_once_and_changes_nothing(tmp_path: Path) -> None:
    shell = project(tmp_path)
    run_loop(shell)
    before = tree(tmp_path)

    first = shell("watch", "app.log", "--once")
    second = shell("watch", "app.log", "--once")

    assert (first.returncode, second.returncode) == (0, 0)
    assert "has no `nmae`" in first.stdout
    assert second.stdout == ""
    assert tree(tmp_path) == before
    incident = shell.only_incident()
    assert (incident["count"], incident["state"]) == (1, "analyzed")


def test_watching_heals_and_knows_crashes_of_the_replaced_code(tmp_path: Path) -> None:
    shell = project(tmp_path)
    run_loop(shell)
    old = shell.read("app.log")
    healed = shell("watch", "app.log", "--once", "--heal")
    with (tmp_path / "app.log").open("a") as log:
        log.write(old)  # the program was not restarted and fails as before
    again = shell("watch", "app.log", "--once", "--heal")

    assert healed.returncode == 0
    assert "self.name" in shell.read("greeter.py").rpartition("return")[2]
    assert "restart the program" in again.stderr
    incident = shell.only_incident()
    assert (incident["count"], incident["outcome"]) == (2, "healed")


def test_following_tells_crashes_as_json_and_ends_on_a_signal(tmp_path: Path) -> None:
    shell = project(tmp_path)
    watching = shell.start("watch", "app.log", "--json")
    assert watching.stdout is not None
    lock = tmp_path / ".selfheal" / "leases"
    while watching.poll() is None and not list(lock.glob("log-*")):
        pass
    run_loop(shell)
    crash = json.loads(watching.stdout.readline())
    watching.send_signal(signal.SIGTERM)
    watching.communicate(timeout=60)

    assert crash["crash"].startswith("AttributeError")
    assert crash["times"] == 1
    assert watching.returncode == 0


def test_a_running_engine_gets_the_crashes(tmp_path: Path) -> None:
    shell = project(tmp_path)
    run_loop(shell)
    serve = shell.start("serve", "--workers", "0", "--json")
    assert serve.stderr is not None
    assert "ServiceStarted" in serve.stderr.readline()
    watched = shell("watch", "app.log", "--once")
    seen = next(line for line in serve.stderr if "CrashSeen" in line)
    serve.terminate()
    serve.communicate(timeout=60)

    assert "the engine of this project has it" in watched.stderr
    assert json.loads(seen)["times"] == 1


def test_files_that_cannot_be_followed_are_named(tmp_path: Path) -> None:
    shell = project(tmp_path)
    (tmp_path / "pipe").symlink_to("/dev/null")

    assert shell("watch", "gone.log", "--once").returncode == 66
    assert shell("watch", "pipe", "--once").returncode == 65
