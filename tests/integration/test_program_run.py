"""A program under `run_program` behaves as if it had been started directly: streams, terminal, signals, exit code."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from selfheal_tui.model.crash import CrashReport
from selfheal_tui.model.serial import from_json
from selfheal_tui.supervisor.program import ProgramNotFoundError, run_program

# What `selfheal run` will do, without the rest of it: a console process which others can send signals to.
CONSOLE = """
import os, sys
from pathlib import Path
from selfheal_tui.supervisor.program import run_program
done = run_program(sys.argv[2:], root=Path(sys.argv[1]), inbox=Path(sys.argv[1]))
print("ENDED", done.code, done.signal, list(done.received), flush=True)
"""

CHILD = """
import os, signal, sys, time
seen = []
def note(number, frame):
    seen.append(number)
    print("GOT", number, flush=True)
    if number in (signal.SIGTERM, signal.SIGINT): sys.exit(7)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGQUIT):
    signal.signal(number, note)
print("READY", os.getpid(), flush=True)
while True: signal.pause()
"""


def run(tmp_path: Path, *argv: str, **more):
    return run_program(argv, root=tmp_path, inbox=tmp_path, **more)


def test_the_exit_code_is_the_programs(tmp_path):
    done = run(tmp_path, sys.executable, "-c", "import sys; sys.exit(42)")
    assert (done.code, done.signal, done.received) == (42, None, ())
    assert done.seconds > 0


def test_a_death_by_signal_is_told_as_shells_do(tmp_path):
    done = run(tmp_path, sys.executable, "-c", "import os; os.kill(os.getpid(), 9)")
    assert (done.code, done.signal) == (137, 9)


def test_a_crash_leaves_a_report_in_the_inbox(tmp_path, capfd):
    (tmp_path / "app.py").write_text("def f(x):\n    return x.lower()\nf(None)\n")
    done = run(tmp_path, sys.executable, "app.py", cwd=tmp_path)
    assert done.code == 1
    assert "AttributeError" in capfd.readouterr().err
    (file,) = tmp_path.glob("*-*-*.json")
    report = from_json(file.read_bytes(), CrashReport)
    assert report.raised.evidence.name == "lower"
    assert report.raised.evidence.obj_type == "NoneType"
    assert report.replay[0].qualname == "f"


@pytest.mark.parametrize(
    ("command", "remedy"),
    [
        (["no-such-command-anywhere"], "PATH"),
        (["./app.py", "--x"], "python ./app.py --x"),
        (["./plain"], "chmod"),
        (["./noexec"], "interpreter"),
        ([], "selfheal run -- python"),
    ],
)
def test_a_command_that_cannot_be_started_names_the_remedy(tmp_path, command, remedy):
    (tmp_path / "app.py").write_text("print()")
    (tmp_path / "plain").write_text("x")
    (tmp_path / "noexec").write_bytes(b"\x00\x01 no program")
    (tmp_path / "noexec").chmod(0o755)
    with pytest.raises(ProgramNotFoundError, match=re.escape(remedy)):
        run(tmp_path, *command, cwd=tmp_path)


def test_a_working_directory_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ProgramNotFoundError, match="working directory"):
        run(tmp_path, sys.executable, "-c", "", cwd=tmp_path / "gone")


def test_our_own_signal_handlers_are_back_afterwards(tmp_path):
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)}
    run(tmp_path, sys.executable, "-c", "")
    assert {number: signal.getsignal(number) for number in before} == before


def console(tmp_path: Path, code: str, **more) -> subprocess.Popen:
    (tmp_path / "child.py").write_text(textwrap.dedent(code))
    command = [sys.executable, "-c", CONSOLE, str(tmp_path), sys.executable, str(tmp_path / "child.py")]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True, **more)


def test_input_and_output_are_handed_through(tmp_path):
    process = console(tmp_path, "import sys; print(sys.stdin.read().upper())", stdin=subprocess.PIPE)
    output, _ = process.communicate("hello", timeout=60)
    assert output.splitlines() == ["HELLO", "ENDED 0 None []"]


def test_open_files_of_the_shell_are_handed_through(tmp_path):
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)
    try:
        code = f"import os; os.write({writer}, b'through')"
        assert run(tmp_path, sys.executable, "-c", code).code == 0
        assert os.read(reader, 100) == b"through"
    finally:
        os.close(reader)
        os.close(writer)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGQUIT"])
def test_a_signal_sent_to_the_console_reaches_the_program_once(tmp_path, name):
    number = getattr(signal, name)
    # Under `nohup` and the like this session ignores some signals, and its children would inherit that.
    process = console(tmp_path, CHILD, preexec_fn=lambda: signal.signal(number, signal.SIG_DFL))
    assert process.stdout is not None
    assert process.stdout.readline().startswith("READY")
    process.send_signal(number)
    assert process.stdout.readline() == f"GOT {int(number)}\n"
    if name not in ("SIGINT", "SIGTERM"):
        process.send_signal(signal.SIGTERM)
    # Not `communicate`: it reads past the buffer, in which the next line may already be.
    rest = process.stdout.read()
    process.stdout.close()
    assert process.wait(timeout=60) == 0
    assert rest.count(f"GOT {int(number)}\n") == 0
    assert "ENDED 7 None" in rest


def test_what_we_are_told_to_ignore_the_program_ignores_too(tmp_path):
    code = "import signal; print(signal.getsignal(signal.SIGHUP) is signal.SIG_IGN)"
    process = console(tmp_path, code, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    output, _ = process.communicate(timeout=60)
    assert output.splitlines()[0] == "True"


def test_the_death_of_the_console_does_not_end_the_program(tmp_path):
    process = console(tmp_path, CHILD)
    assert process.stdout is not None
    child = int(process.stdout.readline().split()[1])
    process.kill()
    process.wait(timeout=60)
    os.kill(child, signal.SIGUSR1)
    assert process.stdout.readline() == f"GOT {int(signal.SIGUSR1)}\n"
    os.kill(child, signal.SIGTERM)
    process.stdout.close()


def _read_until(terminal: int, text: bytes) -> bytes:
    output = b""
    while text not in output:
        assert select.select([terminal], [], [], 60)[0], f"{text!r} never came; there was {output!r}"
        try:
            output += os.read(terminal, 4096)
        except OSError:
            break
    return output


def test_the_program_has_the_terminal_and_ctrl_c_reaches_it_once(tmp_path):
    (tmp_path / "child.py").write_text(
        CHILD.replace("sys.exit(7)", "None").replace(
            "while True:", "print(sys.stdin.isatty(), flush=True)\nwhile len(seen) < 1:"
        )
        + "\ninput()\nprint('SEEN', seen, flush=True)\n"
    )
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(
            sys.executable,
            [sys.executable, "-c", CONSOLE, str(tmp_path), sys.executable, str(tmp_path / "child.py")],
        )
    try:
        assert b"READY" in _read_until(terminal, b"True")
        os.write(terminal, b"\x03")
        _read_until(terminal, b"GOT 2")
        # The program reads a line after the signal; a second delivery would have been noted by then.
        os.write(terminal, b"\n")
        output = _read_until(terminal, b"ENDED")
        assert b"SEEN [2]" in output
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)
