"""The worker's own logic, with a stand-in for the library: kinds of failure, usage, price, and its channels."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from selfheal_tui.repair.llm import worker

REQUEST: dict[str, Any] = {"model": "m", "messages": [], "max_tokens": 5, "temperature": 0.0, "timeout": 1.0}


class Library:
    def __init__(self, response: object) -> None:
        self.response = response
        self.arguments: dict[str, Any] = {}

    def completion(self, **arguments: Any) -> object:
        self.arguments = arguments
        if isinstance(self.response, Exception):
            raise self.response
        return self.response


def response(content: object = "hi", usage: object = None, hidden: object = None) -> object:
    choice = SimpleNamespace(message=SimpleNamespace(content=content), finish_reason="stop")
    return SimpleNamespace(choices=[choice], usage=usage, _hidden_params=hidden)


def test_it_never_retries_and_passes_only_the_named_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE", "k")
    library = Library(response())
    assert worker.complete(library, {**REQUEST, "api_key_env": "MINE", "api_base": "http://x"})["ok"] is True
    assert library.arguments["max_retries"] == 0
    assert "num_retries" not in library.arguments
    assert (library.arguments["api_key"], library.arguments["api_base"]) == ("k", "http://x")


@pytest.mark.parametrize(
    ("hidden", "usd"),
    [
        ({"response_cost": 0.25}, 0.25),
        ({"response_cost": 0.0}, 0.0),
        ({"response_cost": None}, None),
        ({}, None),
        (None, None),
    ],
)
def test_an_unknown_price_is_none_and_not_zero(hidden: object, usd: float | None) -> None:
    assert worker.complete(Library(response(hidden=hidden)), REQUEST)["usd"] == usd


def test_odd_contents_and_usage_are_taken_as_nothing() -> None:
    usage = SimpleNamespace(prompt_tokens="many", completion_tokens=-1)
    answer = worker.complete(Library(response(content=None, usage=usage)), REQUEST)
    assert (answer["text"], answer["prompt_tokens"], answer["completion_tokens"]) == ("", 0, 0)
    assert worker.complete(Library(SimpleNamespace(choices=[])), REQUEST)["kind"] == "unavailable"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("AuthenticationError", "auth"),
        ("RateLimitError", "rate"),
        ("Timeout", "timeout"),
        ("ContextWindowExceededError", "too long"),
        ("BadRequestError", "request"),
        ("SomethingElse", "unavailable"),
    ],
)
def test_failures_are_sorted_by_their_ancestry(name: str, kind: str) -> None:
    error = type("Special", (type(name, (Exception,), {}),), {})("x" * 10_000)
    answer = worker.complete(Library(error), REQUEST)
    assert (answer["ok"], answer["kind"]) == (False, kind)
    assert len(answer["message"]) <= worker.MAX_ERROR_CHARACTERS


def test_a_library_that_prints_cannot_disturb_the_protocol(tmp_path: Path) -> None:
    (tmp_path / "litellm.py").write_text(
        "import os, sys\nprint('noise'); os.write(1, b'more noise\\n'); assert sys.stdin.read() == ''\n"
        "class C:\n    finish_reason = 'stop'\n    class message: content = 'hi'\n"
        "class R: choices = [C]\n"
        "def completion(**_): print('and more'); return R\n"
    )
    request = json.dumps({"id": 7, **REQUEST}) + "\n"
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from selfheal_tui.repair.llm import worker; worker.main()"
    ended = subprocess.run([sys.executable, "-c", program], input=request, capture_output=True, text=True)
    ready, answer = (json.loads(line) for line in ended.stdout.splitlines())
    assert ready == {"ready": True}
    assert (answer["id"], answer["text"]) == (7, "hi")


def test_a_missing_library_is_said_and_not_raised(tmp_path: Path) -> None:
    (tmp_path / "litellm.py").write_text("raise ImportError('no such thing')")
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from selfheal_tui.repair.llm import worker; sys.exit(worker.main())"
    ended = subprocess.run([sys.executable, "-c", program], input="", capture_output=True, text=True)
    assert ended.returncode == 1
    assert "no such thing" in json.loads(ended.stdout)["message"]
