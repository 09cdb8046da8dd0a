"""The process that speaks to language models; the only module that loads litellm.

It exists because litellm takes seconds to import, hundreds of megabytes to hold, and prints as it likes.
It reads one JSON request a line from standard input and writes one JSON answer a line to what *was*
standard output; anything a library prints goes to standard error. It never retries, never decides,
never touches a file; who started it limits its time from outside by killing it.

Run as `python -P -m selfheal_tui.repair.llm.worker`.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys
import time
from typing import IO, Any

MEMORY_BYTES = 8 << 30
"""Address space: many times what litellm needs, and an end to an answer that never ends."""
MAX_ERROR_CHARACTERS = 2_000

_KINDS = (
    ("AuthenticationError", "auth"),
    ("PermissionDeniedError", "auth"),
    ("RateLimitError", "rate"),
    ("Timeout", "timeout"),
    ("APITimeoutError", "timeout"),
    ("NotFoundError", "request"),
    ("ContextWindowExceededError", "too long"),
    ("BadRequestError", "request"),
    ("UnprocessableEntityError", "request"),
)


def _take_over_channels() -> tuple[IO[bytes], IO[bytes]]:
    """Keeps the two ends of the protocol and leaves libraries a dead standard input and standard error."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, answers


def _send(answers: IO[bytes], document: dict[str, Any]) -> None:
    answers.write(json.dumps(document).encode() + b"\n")
    answers.flush()


def kind_of(error: BaseException) -> str:
    """Sorts an exception of litellm by the names in its ancestry.

    Args:
        error: Whatever the call raised.

    Returns:
        `auth`, `rate`, `timeout`, `too long`, `request` or `unavailable`.
    """
    names = [cls.__name__ for cls in type(error).__mro__]
    return next((kind for name, kind in _KINDS if name in names), "unavailable")


def _usage(response: Any, name: str) -> int:
    value = getattr(getattr(response, "usage", None), name, None)
    return value if isinstance(value, int) and value >= 0 else 0


def _price(response: Any) -> float | None:
    """The price that litellm computed; None when it knows none, which is not the same as nothing."""
    hidden = getattr(response, "_hidden_params", None)
    price = hidden.get("response_cost") if hidden is not None and hasattr(hidden, "get") else None
    return float(price) if isinstance(price, int | float) and price >= 0 else None


def complete(litellm: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Asks the model once.

    Args:
        litellm: The library.
        request: `model`, `messages`, `max_tokens`, `temperature`, `timeout` in seconds, and optionally
            `api_base`, and `api_key_env` (name of a variable of this process) or `api_key`.

    Returns:
        The answer document: text and usage, or the kind of failure and its message.
    """
    arguments: dict[str, Any] = {
        name: request[name] for name in ("model", "messages", "max_tokens", "temperature", "timeout")
    }
    if request.get("api_base"):
        arguments["api_base"] = request["api_base"]
    key = os.environ.get(request.get("api_key_env") or "", "") or request.get("api_key", "")
    if key:
        arguments["api_key"] = key
    started = time.monotonic()
    try:
        # max_retries=0: by default the client library below litellm tries three times, each with the whole
        # time limit. num_retries is left out: it needs a package that litellm does not depend on.
        response = litellm.completion(max_retries=0, stream=False, **arguments)
        choice = response.choices[0]
        text = choice.message.content
        return {
            "ok": True,
            "text": text if isinstance(text, str) else "",
            "finish_reason": str(choice.finish_reason or ""),
            "prompt_tokens": _usage(response, "prompt_tokens"),
            "completion_tokens": _usage(response, "completion_tokens"),
            "usd": _price(response),
            "seconds": time.monotonic() - started,
        }
    except Exception as error:  # noqa: BLE001 - every failure is reported by kind; there is nobody above
        message = f"{type(error).__name__}: {error}"[:MAX_ERROR_CHARACTERS]
        return {
            "ok": False,
            "kind": kind_of(error),
            "message": message,
            "seconds": time.monotonic() - started,
        }


def main() -> int:
    """Serves requests until standard input ends."""
    requests, answers = _take_over_channels()
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    try:
        import litellm
    except ImportError as error:
        _send(answers, {"ready": False, "message": f"litellm cannot be imported: {error}"})
        return 1
    litellm.suppress_debug_info = True
    litellm.drop_params = True  # some models take no temperature; that is no reason to fail
    litellm.telemetry = False
    _send(answers, {"ready": True})
    for line in requests:
        request = json.loads(line)
        _send(answers, {"id": request["id"], **complete(litellm, request)})
    return 0


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # litellm's own threads would keep a finished worker alive
