"""Starts, asks, times and stops the model worker.

The worker is a process of its own that holds nothing but one API key: its environment is built from an
allow-list. It starts with the first question and is killed, with all it started, when it misses a
deadline. This module never retries and never loads litellm.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, Self

from selfheal_tui.model.settings import ModelSettings
from selfheal_tui.probe.redaction import mask_text
from selfheal_tui.repair.llm.credentials import key_variables, worker_environment

START_SECONDS = 180.0
"""How long litellm may take to import; 6 to 25 s were measured, more on a busy machine."""
GRACE_SECONDS = 2.0
"""How much later than the HTTP time limit the worker is killed."""
MAX_LINE_BYTES = 8 << 20
"""A longer answer line is an attack or a fault."""


class ModelError(RuntimeError):
    """Asking the model failed; the message names the remedy."""


class ModelUnavailableError(ModelError):
    """No answer can be had: no worker, no connection, or the server failed."""


class ModelTimeoutError(ModelError):
    """The answer did not come in time; the worker was killed."""


class ModelAuthError(ModelError):
    """The server refused the key."""


class ModelRateLimitError(ModelError):
    """The server asks for fewer requests."""


class ModelRequestError(ModelError):
    """The server refuses the request as such: unknown model, too long, or malformed."""


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """What a model said.

    Attributes:
        text: The answer, untrusted.
        finish_reason: Why it ended; `length` means that it was cut off.
        prompt_tokens: Tokens sent, 0 when the server does not say.
        completion_tokens: Tokens received, 0 when the server does not say.
        usd: Price, None when unknown.
        seconds: Wall-clock time of the call.
    """

    text: str
    finish_reason: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: float | None = None
    seconds: float = 0.0


class ModelClient:
    """One worker, started when first needed. Questions are asked one at a time."""

    def __init__(
        self,
        settings: ModelSettings,
        *,
        environ: Mapping[str, str] | None = None,
        command: Sequence[str] = (),
        start_seconds: float = START_SECONDS,
    ) -> None:
        self._settings = settings
        self._environ = os.environ if environ is None else environ
        self._command = tuple(command) or (sys.executable, "-P", "-m", "selfheal_tui.repair.llm.worker")
        self._start_seconds = start_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._lines: queue.Queue[bytes] = queue.Queue()
        self._asking = threading.Lock()
        self._next_id = 0

    def __enter__(self) -> Self:
        """Returns itself; nothing is started yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stops the worker."""
        self.close()

    def start(self) -> None:
        """Starts the worker and waits until it is ready, if it is not running already.

        Raises:
            ModelUnavailableError: It does not start; the message says why.
        """
        with self._asking:
            self._ensure_started()

    def ask(
        self,
        messages: Sequence[Mapping[str, str]],
        *,
        max_tokens: int = 0,
        seconds: float = 0.0,
        model: str = "",
    ) -> ModelAnswer:
        """Asks once, and waits no longer than the time limit (starting the worker not counted).

        Args:
            messages: Chat messages with `role` and `content`.
            max_tokens: Longest answer; 0 takes the settings' limit.
            seconds: Time limit; 0 takes the settings' limit.
            model: Another model of the same server or provider; empty takes the settings' one.

        Raises:
            ModelError: No answer; the subclass tells why, and whether the worker was killed for it.
        """
        settings = self._settings
        limit = seconds or settings.seconds
        with self._asking:
            self._ensure_started()
            self._next_id += 1
            request: dict[str, Any] = {
                "id": self._next_id,
                "model": model or settings.name,
                "messages": [dict(message) for message in messages],
                "max_tokens": max_tokens or settings.max_answer_tokens,
                "temperature": settings.temperature,
                "timeout": limit,
                "api_base": settings.api_base,
                "api_key_env": settings.api_key_env,
            }
            if settings.api_base and not self._environ.get(settings.api_key_env or ""):
                # Local servers need no key, but the client library refuses to start without one.
                request["api_key"] = "not-needed"
            self._write(request)
            answer = self._read(time.monotonic() + limit + GRACE_SECONDS, f"no answer within {limit:g} s")
        if answer.get("id") != request["id"]:
            self.close()
            raise ModelUnavailableError(
                "the model worker answered another question; it was stopped, try again"
            )
        return self._result(answer)

    def close(self) -> None:
        """Stops the worker and everything it started; a question that waits ends with an error."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        atexit.unregister(self.close)

    def _ensure_started(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        self.close()
        try:
            process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=worker_environment(self._settings, self._environ),
                cwd=tempfile.gettempdir(),
                start_new_session=True,
            )
        except OSError as error:
            raise ModelUnavailableError(
                f"the model worker cannot be started ({error}); reinstall selfheal-tui"
            ) from error
        self._process = process
        self._lines = queue.Queue()
        atexit.register(self.close)
        assert process.stdout is not None
        threading.Thread(
            target=_pump, args=(process.stdout, self._lines), name="model-worker", daemon=True
        ).start()
        ready = self._read(
            time.monotonic() + self._start_seconds,
            f"the model worker was not ready in {self._start_seconds:g} s",
        )
        if ready.get("ready") is not True:
            self.close()
            raise ModelUnavailableError(
                f"{ready.get('message', 'the model worker did not start')}; reinstall selfheal-tui, "
                "or leave model.name empty to work without a model"
            )

    def _write(self, request: dict[str, Any]) -> None:
        process = self._process
        try:
            assert process is not None
            assert process.stdin is not None
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
        except (OSError, ValueError) as error:
            self.close()
            raise ModelUnavailableError(f"the model worker is gone ({error}); try again") from error

    def _read(self, deadline: float, late: str) -> dict[str, Any]:
        try:
            line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            self.close()
            raise ModelTimeoutError(
                f"{late}; the worker was stopped. Raise model.seconds, or choose a faster model"
            ) from None
        try:
            document = json.loads(line)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            self.close()
            what = "an answer that is too long or malformed" if line else "nothing: it ended or was stopped"
            raise ModelUnavailableError(f"the model worker sent {what}; try again")
        return document

    def _result(self, answer: dict[str, Any]) -> ModelAnswer:
        if answer.get("ok") is True:
            usd = answer.get("usd")
            return ModelAnswer(
                text=str(answer.get("text", "")),
                finish_reason=str(answer.get("finish_reason", "")),
                prompt_tokens=int(answer.get("prompt_tokens", 0)),
                completion_tokens=int(answer.get("completion_tokens", 0)),
                usd=float(usd) if isinstance(usd, int | float) else None,
                seconds=float(answer.get("seconds", 0.0)),
            )
        said = mask_text(str(answer.get("message", "")))
        where = self._settings.api_base or self._settings.name
        match answer.get("kind"):
            case "auth":
                names = (
                    " or ".join(key_variables(self._settings)[:1])
                    or "the variable that model.api_key_env names"
                )
                raise ModelAuthError(f"{where} refused the key; set {names} ({said})")
            case "rate":
                raise ModelRateLimitError(f"{where} is over its rate limit or quota; try later ({said})")
            case "timeout":
                raise ModelTimeoutError(
                    f"no answer from {where} in time; raise model.seconds, or choose a faster model ({said})"
                )
            case "too long":
                raise ModelRequestError(
                    f"the question is too long for {where}; choose a larger model ({said})"
                )
            case "request":
                raise ModelRequestError(f"{where} refused the request; check model.name ({said})")
            case _:
                raise ModelUnavailableError(
                    f"{where} cannot be reached or failed; check model.api_base ({said})"
                )


def _pump(stream: IO[bytes], lines: queue.Queue[bytes]) -> None:
    """Hands lines over until the worker ends; then an empty line, so that a waiting question ends too."""
    try:
        while line := stream.readline(MAX_LINE_BYTES):
            lines.put(line if line.endswith(b"\n") else b"[]")
    except (OSError, ValueError):
        pass
    lines.put(b"")
