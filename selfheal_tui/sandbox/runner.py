"""Runs one command inside the walls of a workspace: environment, scratch, descriptors, cleaning up.

Everything that a program of the project does goes through here, so that no caller can forget a wall.
"""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from selfheal_tui.model.ports import SandboxError
from selfheal_tui.sandbox.drivers.jail import FAILED
from selfheal_tui.sandbox.environment import clean_environment
from selfheal_tui.sandbox.process import Finished, run_command
from selfheal_tui.sandbox.restore import remove_tree
from selfheal_tui.sandbox.walls import DRIVERS, Walls

# Bubblewrap and shells end with 128 + n when signal n killed their command; hardly any program does by itself.
_KILLED_BY = (
    signal.SIGILL,
    signal.SIGABRT,
    signal.SIGBUS,
    signal.SIGFPE,
    signal.SIGKILL,
    signal.SIGSEGV,
    signal.SIGTERM,
)


@dataclass(frozen=True, slots=True)
class Scratch:
    """The only places outside the copy that one run may write to; same path inside and outside.

    Attributes:
        base: Parent of all.
        home: Its HOME.
        temporary: Its TMPDIR.
        inbox: Where the probe writes crash reports.
        given: What it is handed: payloads, specifications.
    """

    base: Path
    home: Path
    temporary: Path
    inbox: Path
    given: Path


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs commands behind walls.

    Attributes:
        walls: The walls.
        base: Directory that holds the scratch of each run, outside the copy.
    """

    walls: Walls
    base: Path

    @contextmanager
    def scratch(self) -> Iterator[Scratch]:
        """Makes a fresh scratch and removes it.

        Yields:
            The scratch.

        Raises:
            SandboxError: It cannot be made.
        """
        base = self.base / "run"
        try:
            remove_tree(base)
            made = Scratch(base, base / "home", base / "tmp", base / "inbox", base / "given")
            for folder in (base, made.home, made.temporary, made.inbox, made.given):
                folder.mkdir(mode=0o700)
        except OSError as error:
            raise SandboxError(
                f"no scratch can be made in {self.base} ({error}); free space or set TMPDIR"
            ) from error
        try:
            yield made
        finally:
            remove_tree(base)

    def environment(self, scratch: Scratch, python_path: Sequence[str] = ()) -> dict[str, str]:
        """Builds the environment of a run."""
        return clean_environment(
            self.walls.facts,
            home=scratch.home,
            temporary=scratch.temporary,
            python_path=python_path,
            passed=self.walls.settings.pass_environment,
        )

    def driver(
        self,
        name: str,
        arguments: Sequence[str],
        scratch: Scratch,
        *,
        seconds: float,
        cwd: str = "",
        stdin: bytes = b"",
        environ: Mapping[str, str] | None = None,
        isolated: bool = False,
        more_readable: Sequence[str] = (),
    ) -> Finished:
        """Runs one of our drivers under the target interpreter; it answers on a descriptor, in lines that bear a token.

        Args:
            name: File in `sandbox/drivers`.
            arguments: What follows the descriptor on its command line.
            scratch: The scratch.
            seconds: Time limit.
            cwd: Working directory as seen inside; the root by default.
            stdin: What it reads.
            environ: Its environment; clean by default.
            isolated: Whether it needs nothing but the standard library (`-I -S`).
            more_readable: Paths that this run may read besides.

        Returns:
            How it ended.

        Raises:
            SandboxError: It cannot be started.
        """
        read_end, write_end = os.pipe()
        flags = ["-I", "-S"] if isolated else []
        argv = [self.walls.facts.executable, *flags, str(DRIVERS / name), str(write_end), *arguments]
        # Read before any code of the project is loaded and kept in no file or variable: such code has the
        # descriptor, but cannot easily answer in the driver's name.
        token = secrets.token_hex(16)
        stdin = token.encode() + b"\n" + stdin
        finished = self._run(
            argv, scratch, seconds, cwd, stdin, environ, (read_end, write_end), more_readable
        )
        finished.result = _signed(finished.result, token.encode())
        return finished

    def command(
        self,
        argv: Sequence[str],
        scratch: Scratch,
        *,
        seconds: float,
        cwd: str = "",
        stdin: bytes = b"",
        environ: Mapping[str, str] | None = None,
        result: tuple[int, int] | None = None,
        more_readable: Sequence[str] = (),
    ) -> Finished:
        """Runs any command; arguments as for `driver`.

        Raises:
            SandboxError: It cannot be started.
        """
        return self._run(argv, scratch, seconds, cwd, stdin, environ, result, more_readable)

    def _run(
        self,
        argv: Sequence[str],
        scratch: Scratch,
        seconds: float,
        cwd: str,
        stdin: bytes,
        environ: Mapping[str, str] | None,
        result: tuple[int, int] | None,
        more_readable: Sequence[str],
    ) -> Finished:
        where = cwd or str(self.walls.view)
        launch = self.walls.launch(
            argv, cwd=where, scratch=scratch.base, seconds=seconds, more_readable=more_readable
        )
        try:
            finished = run_command(
                launch.argv,
                environ=self.environment(scratch) if environ is None else environ,
                cwd=launch.cwd,
                seconds=seconds,
                stdin=stdin,
                result=result,
                pass_fds=launch.descriptors,
                most_processes=self.walls.settings.processes + 8,
            )
        except OSError as error:
            raise SandboxError(f"{argv[0]} cannot be started in the sandbox: {error}") from error
        finally:
            for number in launch.descriptors:
                os.close(number)
        if finished.exit_code == FAILED and "selfheal jail: " in finished.output:
            raise SandboxError(
                f"the walls cannot be put up: {finished.output.strip()[-300:]}; see selfheal doctor"
            )
        finished.output = finished.output.replace(str(self.walls.view), str(self.walls.live))
        if finished.exit_code in {128 + number for number in _KILLED_BY}:
            finished.exit_code = 128 - finished.exit_code
        return finished


def _signed(raw: bytes, token: bytes) -> bytes:
    """Takes the token off every line; nothing is believed when a line lacks it."""
    lines = raw.splitlines(keepends=True)
    if not all(line.startswith(token) for line in lines):
        return b""
    return b"".join(line[len(token) :] for line in lines)
