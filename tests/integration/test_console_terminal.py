"""The console in a real terminal: however it ends, the terminal is as it was before, and no process is left behind."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil
import pytest
from shell import GREETER, PYTHON, Shell

pytestmark = pytest.mark.skipif(not hasattr(os, "openpty"), reason="no terminals of this kind here")
SECRET = "sk-live-0123456789abcdef0123456789abcdef"


class Terminal:
    """A terminal with one program in it.

    Args:
        argv: The program.
        cwd: Where it runs.
        environ: Its environment.
    """

    def __init__(
        self, argv: Sequence[str], cwd: Path, environ: dict[str, str], *, own_session: bool = True
    ) -> None:
        self.master, self._slave = pty.openpty()
        termios.tcsetwinsize(self._slave, (36, 120))
        self.before = termios.tcgetattr(self._slave)
        self.written = b""
        self.process = subprocess.Popen(
            argv,
            cwd=cwd,
            env={**environ, "TERM": "xterm-256color"},
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            # A controlling terminal is taken in the child.
            preexec_fn=self._own_session if own_session else os.setsid,  # noqa: PLW1509
        )

    def _own_session(self) -> None:
        import fcntl

        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def read(self, seconds: float) -> None:
        """Takes what was written, waiting so long for more at most."""
        if select.select([self.master], [], [], seconds)[0]:
            with contextlib.suppress(OSError):
                self.written += os.read(self.master, 65536)

    def until(self, condition: Callable[[], bool], seconds: float = 90) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, self.written[-3000:].decode(errors="replace")
            self.read(0.05)

    def shows(self, text: str, seconds: float = 90) -> None:
        self.until(lambda: text.encode() in self.written, seconds)

    def type(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def ended(self, seconds: float = 60) -> int:
        """Waits for the end; returns the exit code, all output taken."""
        self.until(lambda: self.process.poll() is not None, seconds)
        size = -1
        while size != len(self.written):
            size = len(self.written)
            self.read(0.2)
        assert self.process.returncode is not None
        return self.process.returncode

    @property
    def after(self) -> bytes:
        """What was written after the alternate screen was left."""
        return self.written.rpartition(b"\x1b[?1049l")[2]

    def is_restored(self) -> None:
        """Proves that every mode that was switched on was switched off after that, and the line settings are back."""
        for mode in (b"1049", b"1000", b"1002", b"1003", b"1006", b"1015", b"2004", b"1004"):
            on = self.written.rfind(b"\x1b[?" + mode + b"h")
            off = self.written.rfind(b"\x1b[?" + mode + b"l")
            assert off > on or on == -1, mode
        assert self.written.rfind(b"\x1b[?1049l") > 0
        assert self.written.rfind(b"\x1b[?25h") > self.written.rfind(b"\x1b[?25l"), "the cursor is hidden"
        assert termios.tcgetattr(self._slave) == self.before

    def vanish(self) -> None:
        """Closes the terminal at our end, as a connection that breaks does."""
        os.close(self._slave)
        os.close(self.master)
        self.master = self._slave = -1

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.master >= 0:
            os.close(self.master)
            os.close(self._slave)


def family(pid: int) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).children(recursive=True)
    return []


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    """Opens `selfheal …` in a terminal, in a small project."""
    shell = Shell(tmp_path, GREETER)
    terminals: list[Terminal] = []

    def open_(
        *arguments: str, command: Sequence[str] = (), own_session: bool = True, **environ: str
    ) -> Terminal:
        argv = list(command) or shell.command(*arguments)
        terminal = Terminal(argv, tmp_path, {**shell.environ, **environ}, own_session=own_session)
        terminals.append(terminal)
        return terminal

    yield open_
    for terminal in terminals:
        terminal.close()


def ready(terminal: Terminal) -> None:
    """Waits until the console has read the store and serves."""
    terminal.shows("No incidents")
    terminal.shows("running")


@pytest.mark.parametrize(
    ("ending", "code"),
    [("q", 0), ("ctrl-c", 0), ("SIGTERM", 143), ("SIGHUP", 129), ("SIGINT", 130)],
)
def test_however_it_ends_the_terminal_is_as_before_and_nothing_is_left(
    opened: Callable[..., Terminal], ending: str, code: int
) -> None:
    terminal = opened()
    ready(terminal)
    children = family(terminal.process.pid)
    if ending.startswith("SIG"):
        os.kill(terminal.process.pid, getattr(signal, ending))
    else:
        terminal.type({"q": "q", "ctrl-c": "\x03"}[ending])
    assert terminal.ended() == code
    terminal.is_restored()
    _gone, alive = psutil.wait_procs(children, timeout=5)
    assert not alive
    assert b"Traceback" not in terminal.after


@pytest.mark.parametrize("told", [True, False], ids=["with a signal", "without one"])
def test_a_terminal_that_vanishes_ends_the_console_and_its_program(
    opened: Callable[..., Terminal], tmp_path: Path, told: bool
) -> None:
    (tmp_path / "ticks.py").write_text(
        "import time\nwhile True:\n    print('tick', flush=True); time.sleep(0.05)\n"
    )
    terminal = opened("run", "--", PYTHON, "ticks.py", own_session=told)
    terminal.shows("running")
    terminal.until(lambda: any("ticks.py" in " ".join(c.cmdline()) for c in family(terminal.process.pid)))
    children = family(terminal.process.pid)
    terminal.vanish()
    assert terminal.process.wait(60) == 129
    _gone, alive = psutil.wait_procs(children, timeout=10)
    assert not alive


CRASHES = """
import sys

def broken(self):
    secret = "{secret}"
    raise RuntimeError("drawing failed")

from selfheal_tui.tui.screens.help import HelpScreen
HelpScreen._lines = broken
sys.argv = ["selfheal"]
from selfheal_tui.cli import main
sys.exit(main())
"""


def test_a_crash_inside_restores_the_terminal_tells_no_locals_and_names_the_traceback(
    opened: Callable[..., Terminal], tmp_path: Path
) -> None:
    terminal = opened(command=[sys.executable, "-c", CRASHES.format(secret=SECRET)])
    ready(terminal)
    terminal.type("?")
    assert terminal.ended() == 70
    terminal.is_restored()
    told = terminal.after.decode()
    assert "selfheal itself failed" in told
    assert "healer-errors.log" in told.replace("\r\n", "")
    assert SECRET.encode() not in terminal.written
    log = (tmp_path / ".selfheal" / "healer-errors.log").read_text()
    assert "drawing failed" in log
    assert "in broken" in log


def test_a_program_under_the_console_ends_with_it(opened: Callable[..., Terminal], tmp_path: Path) -> None:
    (tmp_path / "forever.py").write_text(
        "import time\nprint('tick', flush=True)\nwhile True: time.sleep(0.1)\n"
    )
    terminal = opened("run", "--", PYTHON, "forever.py")
    ready(terminal)

    def program() -> list[psutil.Process]:
        found = []
        for child in family(terminal.process.pid):
            with contextlib.suppress(psutil.Error):
                if "forever.py" in child.cmdline():
                    found.append(child)
        return found

    terminal.until(lambda: bool(program()))
    running = program()
    terminal.type("q")
    terminal.shows("This stops")
    terminal.type("q")
    terminal.ended()
    terminal.is_restored()
    _gone, alive = psutil.wait_procs(running, timeout=5)
    assert not alive


def test_without_a_terminal_it_refuses_and_names_the_plain_commands(tmp_path: Path) -> None:
    shell = Shell(tmp_path, GREETER)
    for arguments in ((), ("console",)):
        done = shell(*arguments)
        assert done.returncode == 2
        assert "\x1b" not in done.stdout + done.stderr
        assert not done.stdout
        for command in ("selfheal incidents", "selfheal review --plain", "selfheal serve"):
            assert command in done.stderr


def test_a_dumb_terminal_is_none(opened: Callable[..., Terminal], tmp_path: Path) -> None:
    env = shutil.which("env")
    assert env is not None
    terminal = opened(command=[env, "TERM=dumb", *Shell(tmp_path, {}).command()])
    assert terminal.ended() == 2
    assert b"selfheal incidents" in terminal.written
    assert b"\x1b" not in terminal.written


def test_run_without_a_terminal_stays_headless(tmp_path: Path) -> None:
    shell = Shell(tmp_path, {"fine.py": "print('hello')\n"})
    done = shell("run", "--", PYTHON, "fine.py")
    assert (done.returncode, done.stdout) == (0, "hello\n")
    assert "\x1b" not in done.stderr
