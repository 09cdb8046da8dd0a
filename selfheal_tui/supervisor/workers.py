"""The worker processes, as the service holds them: started, read without waiting, killed with all they started."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from selfheal_tui.model.serial import MalformedDocumentError
from selfheal_tui.pipeline.steps import Step
from selfheal_tui.probe.redaction import mask_text
from selfheal_tui.supervisor.order import Order, encode_order
from selfheal_tui.supervisor.steplines import decode_step
from selfheal_tui.supervisor.worker import BUSY, end_tree

_CHUNK = 1 << 16
_LONGEST_LINE = 64 << 20
"""Bytes; a step holds an incident with all that was tried, which is far less."""
_TAIL = 2000


class Worker:
    """One running worker.

    Args:
        root: The project.
        incident_id: The incident that it walks.
        flags: Settings from the command line, by dotted key.
        env_file: A `.env` file, if one was asked for.
        environ: Its environment.
        order: What it is to do instead of walking.

    Raises:
        OSError: It cannot be started.
    """

    def __init__(
        self,
        root: Path,
        incident_id: str,
        *,
        flags: Mapping[str, str],
        env_file: Path | None,
        environ: Mapping[str, str],
        order: Order | None = None,
    ) -> None:
        self.incident_id = incident_id
        self.cancelled_by = ""
        self.held = False
        self._buffer = bytearray()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the worker
        # -P: a file in the project named like a module of ours must not be imported in its place.
        command = [sys.executable, "-P", "-m", "selfheal_tui.supervisor.worker", "--root", str(root)]
        command += ["--flags", json.dumps(dict(flags))]
        if env_file is not None:
            command += ["--env-file", str(env_file)]
        if order is not None:
            command.append("--order")
        try:
            self._process = subprocess.Popen(
                [*command, incident_id],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env=dict(environ),
                start_new_session=True,
            )
        except OSError:
            self._errors.close()
            raise
        assert self._process.stdout is not None
        self._output = self._process.stdout
        os.set_blocking(self._output.fileno(), False)
        if order is not None:
            self._hand_over(encode_order(order))

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def fileno(self) -> int:
        """Number to wait on."""
        return self._output.fileno()

    def read(self) -> tuple[list[Step], bool]:
        """Reads what there is, without waiting.

        Returns:
            The steps that are complete, and whether there will be no more.

        Raises:
            MalformedDocumentError: It wrote something else than steps.
        """
        ended = False
        while True:
            try:
                data = os.read(self._output.fileno(), _CHUNK)
            except BlockingIOError:
                break
            if not data:
                ended = True
                break
            self._buffer += data
        *lines, rest = bytes(self._buffer).split(b"\n")
        self._buffer = bytearray(rest)
        if len(self._buffer) > _LONGEST_LINE:
            raise MalformedDocumentError("a step is too long")
        return [decode_step(line) for line in lines if line], ended

    def kill(self, by: str) -> None:
        """Ends it and all that it started.

        Args:
            by: Who wants that, for the record.
        """
        self.cancelled_by = self.cancelled_by or by
        end_tree(self._process.pid)

    def finish(self) -> tuple[bool, str]:
        """Waits for its end, which is near when its output has ended, and cleans up.

        Returns:
            Whether another process holds its incident, and why the walk failed (empty when it did not).
        """
        try:
            code = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.kill("the service: the worker closed its output and did not end")
            code = self._process.wait()
        self._output.close()
        if self._process.stdin is not None:
            self._process.stdin.close()
        tail = self._tail()
        self._errors.close()
        if self.cancelled_by:
            return False, f"cancelled by {self.cancelled_by}"
        if code == 0:
            return False, ""
        if code == BUSY:
            return True, ""
        how = f"was killed by signal {-code}" if code < 0 else f"ended with {code}"
        return False, f"the worker {how}" + (f": {tail}" if tail else "")

    def _hand_over(self, line: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended already, and `finish` tells why

    def _tail(self) -> str:
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, size - _TAIL))
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        return mask_text(lines[-1][:500]) if lines else ""
