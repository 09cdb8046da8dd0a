"""The LLM proposer end to end: the real litellm in its worker, against a scripted server on the loopback interface."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from selfheal_tui.model.candidate import Candidate, CannotFix
from selfheal_tui.model.crash import LocalValue
from selfheal_tui.model.settings import ModelSettings
from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.llm.client import (
    ModelAuthError,
    ModelClient,
    ModelRateLimitError,
    ModelRequestError,
    ModelTimeoutError,
    ModelUnavailableError,
)
from selfheal_tui.repair.llm.proposer import LlmProposer
from tests.integration.scripted_model_server import Reply, ScriptedModelServer
from tests.unit.repair.llmcases import GOOD, OTHER, SHOP, context_of, crash, failed, make_project
from tests.unit.repair.test_llm_proposer import FIXED, answer_for

pytestmark = pytest.mark.slow
ASK = [{"role": "user", "content": "hi"}]
OTHER_KEY = "key-of-somebody-else"
OWN_KEY = "key-of-the-model"


@pytest.fixture(scope="session")
def server() -> Iterator[ScriptedModelServer]:
    server = ScriptedModelServer()
    yield server
    server.close()


@pytest.fixture(scope="session")
def client(server: ScriptedModelServer) -> Iterator[ModelClient]:
    """One worker for all tests of the session: its import takes seconds."""
    environ = {**os.environ, "MY_KEY": OWN_KEY, "OPENAI_API_KEY": OTHER_KEY}
    settings = ModelSettings(
        name="openai/scripted", api_base=server.api_base, api_key_env="MY_KEY", seconds=60.0
    )
    with ModelClient(settings, environ=environ) as client:
        yield client


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_project(tmp_path)


def ask_for_fixes(client: ModelClient, context: RepairContext) -> list[Candidate | CannotFix]:
    """Takes all answers, each failing, as the pipeline would."""
    stream = LlmProposer(client).propose(context)
    items: list[Candidate | CannotFix] = []
    try:
        item = next(stream)
        while True:
            items.append(item)
            item = stream.send(failed(item)) if isinstance(item, Candidate) else next(stream)
    except StopIteration:
        return items


def tree(root: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in root.rglob("*") if p.is_file() and "__pycache__" not in p.parts}


def test_a_good_answer_becomes_a_candidate_and_the_disk_stays_as_it_is(
    server: ScriptedModelServer, client: ModelClient, root: Path
) -> None:
    before = tree(root)
    server.script(GOOD, OTHER)
    first, second = ask_for_fixes(client, context_of(root))
    assert isinstance(first, Candidate)
    assert isinstance(second, Candidate)
    assert first.edits[0].text == FIXED
    assert (first.cost.prompt_tokens, first.cost.completion_tokens) == (1_000, 100)
    assert first.cost.usd is None
    assert "replay: fail: red → red" in server.requests[1].text
    assert tree(root) == before


def test_only_the_named_key_reaches_the_server(
    server: ScriptedModelServer, client: ModelClient, root: Path
) -> None:
    server.script(GOOD)
    next(LlmProposer(client).propose(context_of(root)))
    (request,) = server.requests
    assert request.headers["Authorization"] == f"Bearer {OWN_KEY}"
    assert OTHER_KEY not in str(request)
    assert "tools" not in request.body.decode()


def test_nonsense_and_truncated_answers_are_asked_again_and_then_refused(
    server: ScriptedModelServer, client: ModelClient, root: Path
) -> None:
    server.script("¯\\_(ツ)_/¯", Reply(GOOD[:-10], finish_reason="length"))
    (item,) = ask_for_fixes(client, context_of(root))
    assert isinstance(item, CannotFix)
    assert "cut off" in item.reason
    assert len(server.requests) == 2
    assert item.cost.prompt_tokens == 2_000


@pytest.mark.parametrize(
    "malicious",
    [
        answer_for("test_price", "def test_price():\n    pass", "tests/test_shop.py"),
        answer_for("Basket.label", "import os\nos.system('id')\n\n\ndef label(self):\n    return ''"),
        answer_for("evil", "def evil():\n    return 1", "../../etc/evil.py"),
        answer_for("evil", "def evil():\n    return 1", ".selfheal/policy.py"),
    ],
)
def test_an_answer_that_reaches_out_of_its_places_is_refused_and_nothing_changes(
    server: ScriptedModelServer, client: ModelClient, root: Path, malicious: str
) -> None:
    before = tree(root)
    server.script(malicious, malicious)
    (item,) = ask_for_fixes(client, context_of(root))
    assert isinstance(item, CannotFix)
    assert tree(root) == before


def test_a_capability_that_an_answer_adds_is_left_to_the_safety_rung_and_announced(
    server: ScriptedModelServer, client: ModelClient, root: Path
) -> None:
    body = "import os\n\n\ndef label(self):\n    os.system('id')\n    return 'Total: ' + str(self.total())"
    server.script(answer_for("Basket.label", body))
    item = next(LlmProposer(client).propose(context_of(root)))
    assert isinstance(item, Candidate)
    assert item.adds_imports == ("os",)
    assert any("adds imports of os" in note for note in item.notes)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, ModelAuthError),
        (404, ModelRequestError),
        (400, ModelRequestError),
        (429, ModelRateLimitError),
        (500, ModelUnavailableError),
        (503, ModelUnavailableError),
    ],
)
def test_a_servers_refusal_is_typed_and_asked_once_only(
    server: ScriptedModelServer, client: ModelClient, status: int, error: type[Exception]
) -> None:
    server.script(Reply(status=status), Reply(status=status), Reply(status=status))
    with pytest.raises(error):
        client.ask(ASK)
    assert len(server.requests) == 1


@pytest.mark.parametrize("raw", [b"", b"not json", b"{}", b'{"choices": []}', b"\xff\xfe"])
def test_a_server_that_talks_nonsense_is_an_error_or_an_empty_answer(
    server: ScriptedModelServer, client: ModelClient, root: Path, raw: bytes
) -> None:
    server.script(*[Reply(raw=raw)] * 4)
    (item,) = ask_for_fixes(client, context_of(root))
    assert isinstance(item, CannotFix)


def test_the_price_of_an_unknown_model_is_unknown_and_not_zero(
    server: ScriptedModelServer, client: ModelClient
) -> None:
    server.script("hello")
    assert client.ask(ASK).usd is None


def test_secrets_never_leave_in_a_request(
    server: ScriptedModelServer, client: ModelClient, tmp_path: Path
) -> None:
    secrets = {
        "local": "hunter2-local-value-99",
        "message": "sk-" + "m1E2s3S4" * 4,
        "literal": "correct-horse-battery-7",
        "dsn": "postgres-pass-word-1",
        "comment": "ghp_" + "a1B2c3D4" * 5,
        "rejection": "AKIA" + "ABCDEFGH12345678",
        "output": "xoxb-" + "1234567890-abcdef",
        "key": "glpat-" + "abcdefghij0123456789",
        "answer": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    }
    source = SHOP.replace(
        'return "Total: " + self.total()',
        f'api_key = "{secrets["literal"]}"  # or {secrets["comment"]}\n'
        f'        dsn = "postgres://me:{secrets["dsn"]}@host/db"\n'
        '        return "Total: " + self.total() + api_key + dsn',
    )
    root = make_project(tmp_path, {"shop.py": source})
    report = crash(root)
    body = 'return "Total: " + str(self.total()) + api_key + dsn'
    tokens = 'api_key = "MASKED_SECRET_1"  # or MASKED_SECRET_2\n    dsn = "MASKED_SECRET_3"'
    fix = answer_for("Basket.label", f"def label(self):\n    {tokens}\n    {body}")
    context = context_of(
        root,
        report=report,
        message=f"bad key {secrets['message']} for {secrets['literal']}",
        locals_=[
            LocalValue("api_key", "str", f"'{secrets['local']}'"),
            LocalValue("self", "dict", f"{{'password': '{secrets['local']}'}}", keys=(secrets["key"],)),
        ],
        rejections=[f"no {secrets['rejection']}"],
    )
    server.script(f"I think {secrets['dsn']}", fix, fix.replace("str(self.total())", 'f"{self.total()}"'))
    stream = LlmProposer(client).propose(context)
    first = next(stream)
    assert isinstance(first, Candidate), first
    assert first.edits[0].text == source.replace("self.total() +", "str(self.total()) +")
    stream.send(failed(first, "red → red", f"token={secrets['output']}", f"jwt {secrets['answer']}"))
    assert len(server.requests) == 3
    for request in server.requests:
        raw = request.body.decode() + request.text
        leaked = [name for name, secret in secrets.items() if secret in raw]
        assert leaked == []


def test_the_negative_test_above_would_see_a_leak(
    server: ScriptedModelServer, client: ModelClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = SHOP.replace('return "Total', "api_key = 'correct-horse-battery-7'\n        return \"Total")
    root = make_project(tmp_path, {"shop.py": source})
    monkeypatch.setattr("selfheal_tui.repair.llm.sealing.mask_text", lambda text: text)
    server.script(GOOD)
    next(LlmProposer(client).propose(context_of(root)))
    assert "correct-horse-battery-7" in server.requests[0].body.decode()


def test_a_slow_server_is_given_up_at_the_time_limit(
    server: ScriptedModelServer, client: ModelClient
) -> None:
    server.script(Reply(hang=True))
    with pytest.raises(ModelTimeoutError, match=r"model\.seconds"):
        client.ask(ASK, seconds=1.0)
    assert len(server.requests) == 1


def test_a_closed_port_is_an_error_that_names_it(root: Path) -> None:
    gone = ScriptedModelServer()
    gone.close()
    settings = {"api_base": gone.api_base, "seconds": 10.0}
    proposer = LlmProposer()
    try:
        (item,) = proposer.propose(context_of(root, **settings))
    finally:
        proposer.close()
    assert isinstance(item, CannotFix)
    assert gone.api_base in item.reason
    assert "model.api_base" in item.reason


def test_an_answer_that_never_ends_is_cut_by_killing_the_worker_and_the_next_question_works(
    server: ScriptedModelServer, client: ModelClient, root: Path
) -> None:
    client.start()
    process = client._process
    assert process is not None
    server.script(Reply(endless=True))
    (item,) = LlmProposer(client).propose(context_of(root, seconds=1.0))
    assert isinstance(item, CannotFix)
    assert "model.seconds" in item.reason
    assert process.returncode is not None
    server.script("hello")
    assert client.ask(ASK).text == "hello"
