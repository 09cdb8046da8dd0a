"""The model worker's keeper: what the worker may know, and how it ends when it misbehaves."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from selfheal_tui.model.settings import ModelSettings
from selfheal_tui.repair.llm.client import (
    ModelAuthError,
    ModelClient,
    ModelRateLimitError,
    ModelRequestError,
    ModelTimeoutError,
    ModelUnavailableError,
)
from selfheal_tui.repair.llm.credentials import is_loopback, key_variables, worker_environment

SETTINGS = ModelSettings(name="openai/m", seconds=0.1)
ASK = [{"role": "user", "content": "hi"}]
HEAD = "import json,os,sys\ndef say(**d): print(json.dumps(d), flush=True)\nsay(ready=True)\nrequest=json.loads(sys.stdin.readline())\n"


def client(tmp_path: Path, program: str, *, head: str = HEAD, **settings: object) -> ModelClient:
    script = tmp_path / "worker.py"
    script.write_text(head + program, encoding="utf-8")
    chosen = ModelSettings(**{"name": "openai/m", "seconds": 30.0, **settings})
    return ModelClient(chosen, command=(sys.executable, str(script)), environ=dict(os.environ))


def test_an_answer_comes_back_with_its_cost(tmp_path: Path) -> None:
    program = (
        "say(id=request['id'], ok=True, text=request['messages'][0]['content'], prompt_tokens=3, usd=0.5)\n"
    )
    with client(tmp_path, program) as asked:
        answer = asked.ask(ASK)
    assert (answer.text, answer.prompt_tokens, answer.usd) == ("hi", 3, 0.5)


def test_a_worker_that_is_silent_is_killed_with_its_children(tmp_path: Path) -> None:
    fifo = tmp_path / "held-open-by-the-living"
    os.mkfifo(fifo)
    program = f"""
import subprocess
fd = os.open({str(fifo)!r}, os.O_WRONLY)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], pass_fds=[fd])
os.write(fd, b"both live")
sys.stdin.read()
"""
    said: list[bytes] = []
    # Reads to the end, which comes when nobody holds the other end any more: when both are dead.
    reader = threading.Thread(target=lambda: said.append(fifo.read_bytes()), daemon=True)
    reader.start()
    with (
        client(tmp_path, program, seconds=2.0) as asked,
        pytest.raises(ModelTimeoutError, match=r"model\.seconds"),
    ):
        asked.ask(ASK)
    reader.join(timeout=60)
    assert said == [b"both live"]


def test_it_starts_again_after_a_failure(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    program = f"""
import pathlib
if not pathlib.Path({str(flag)!r}).exists():
    pathlib.Path({str(flag)!r}).touch()
    sys.exit(3)
say(id=request["id"], ok=True, text="again")
"""
    with client(tmp_path, program) as asked:
        with pytest.raises(ModelUnavailableError):
            asked.ask(ASK)
        assert asked.ask(ASK).text == "again"


@pytest.mark.parametrize(
    "program",
    [
        "print('no json', flush=True)",
        "print('[1]', flush=True)",
        "say(id=99, ok=True)",
        "print('[' * 100000, flush=True)",
    ],
)
def test_a_worker_that_talks_nonsense_is_an_error_and_no_answer(tmp_path: Path, program: str) -> None:
    with client(tmp_path, program) as asked, pytest.raises(ModelUnavailableError):
        asked.ask(ASK)


def test_a_worker_that_cannot_start_says_why(tmp_path: Path) -> None:
    head = "import json\nprint(json.dumps({'ready': False, 'message': 'litellm cannot be imported: x'}))\n"
    with (
        client(tmp_path, "", head=head) as asked,
        pytest.raises(ModelUnavailableError, match=r"model\.name empty"),
    ):
        asked.start()
    with (
        ModelClient(SETTINGS, command=(str(tmp_path / "missing"),)) as missing,
        pytest.raises(ModelUnavailableError, match="cannot be started"),
    ):
        missing.start()


@pytest.mark.parametrize(
    ("kind", "error", "remedy"),
    [
        ("auth", ModelAuthError, "OPENAI_API_KEY"),
        ("rate", ModelRateLimitError, "try later"),
        ("timeout", ModelTimeoutError, "model.seconds"),
        ("too long", ModelRequestError, "larger model"),
        ("request", ModelRequestError, "model.name"),
        ("unavailable", ModelUnavailableError, "model.api_base"),
    ],
)
def test_failures_are_typed_name_the_remedy_and_hide_keys(
    tmp_path: Path, kind: str, error: type[Exception], remedy: str
) -> None:
    key = "sk-" + "a1b2" * 8
    program = f"say(id=request['id'], ok=False, kind={kind!r}, message='key {key} is bad')\n"
    with client(tmp_path, program) as asked, pytest.raises(error, match=remedy) as caught:
        asked.ask(ASK)
    assert key not in str(caught.value)


def test_closing_from_another_thread_ends_the_wait(tmp_path: Path) -> None:
    reached = tmp_path / "reached"
    os.mkfifo(reached)
    asked = client(tmp_path, f"open({str(reached)!r}, 'w').close()\nsys.stdin.read()\n", seconds=300.0)

    def close_once_asked() -> None:
        reached.open().close()
        asked.close()

    thread = threading.Thread(target=close_once_asked)
    thread.start()
    with pytest.raises(ModelUnavailableError):
        asked.ask(ASK)
    thread.join()


def test_the_worker_gets_an_allow_list_and_one_key() -> None:
    environ = {
        "PATH": "/bin", "OPENAI_API_KEY": "one", "ANTHROPIC_API_KEY": "two", "AWS_SECRET_ACCESS_KEY": "three",
        "PYTHONPATH": "/evil", "LD_PRELOAD": "/evil.so", "https_proxy": "http://proxy", "MINE": "four",
    }  # fmt: skip
    given = worker_environment(ModelSettings(name="openai/gpt-4o"), environ)
    assert given["OPENAI_API_KEY"] == "one"
    assert given["https_proxy"] == "http://proxy"
    assert (
        not {"ANTHROPIC_API_KEY", "AWS_SECRET_ACCESS_KEY", "PYTHONPATH", "LD_PRELOAD", "MINE"} & given.keys()
    )
    assert given["LITELLM_LOCAL_MODEL_COST_MAP"] == "True"
    named = worker_environment(ModelSettings(name="openai/m", api_key_env="MINE"), environ)
    assert "OPENAI_API_KEY" not in named
    assert named["MINE"] == "four"


def test_a_vendors_key_does_not_travel_to_a_server_that_a_settings_file_names() -> None:
    assert key_variables(ModelSettings(name="openai/m", api_base="https://elsewhere.example/v1")) == ()


@pytest.mark.parametrize(
    ("model", "variable"),
    [
        ("gpt-4o", "OPENAI_API_KEY"),
        ("claude-sonnet", "ANTHROPIC_API_KEY"),
        ("anthropic/claude", "ANTHROPIC_API_KEY"),
        ("openrouter/openai/gpt", "OPENROUTER_API_KEY"),
        ("together_ai/x", "TOGETHERAI_API_KEY"),
    ],
)
def test_the_key_variable_follows_the_model_string(model: str, variable: str) -> None:
    assert key_variables(ModelSettings(name=model)) == (variable,)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:1/v1", True),
        ("http://localhost:1", True),
        ("http://[::1]:1", True),
        ("https://api.example", False),
        ("http://localhost.example", False),
        ("http://[", False),
        ("", False),
    ],
)
def test_loopback_is_this_machine_and_nothing_else(url: str, expected: bool) -> None:
    assert is_loopback(url) is expected


def test_asking_a_model_loads_no_litellm_in_this_process() -> None:
    program = (
        "import sys; import selfheal_tui.repair.llm.proposer, selfheal_tui.repair.memory; "
        "sys.exit(any(m in sys.modules for m in ('litellm', 'libcst', 'textual')))"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
