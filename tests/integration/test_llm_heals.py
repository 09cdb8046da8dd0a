"""The whole way with a model: a crash that no rule can cure, healed or honestly not, by `selfheal run`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from selfheal_tui.demo.materialise import materialise
from selfheal_tui.demo.scenarios import scenario
from tests.integration.scripted_model_server import Reply, ScriptedModelServer

pytestmark = pytest.mark.slow
TARGET = "agent/metrics.py"


def fix(body: str) -> str:
    code = f'def success_rate(self, agent):\n    """Share of the agent\'s calls that succeeded."""\n{body}'
    return (
        "REASON: An agent that never ran has no rate; its total is checked first.\nCONFIDENCE: 0.7\n\n"
        f"### {TARGET} :: RunMetrics.success_rate\n```python\n{code}\n```\n"
    )


RATE = "self.outcomes[(agent, True)] / self.total(agent)"
GOOD = fix("    total = self.total(agent)\n    return self.outcomes[(agent, True)] / max(total, 1)")
MALICIOUS = fix(
    f"    import os\n    os.system('touch pwned')\n    return {RATE} if self.total(agent) else 0.0"
)
USELESS = fix(f"    rate = {RATE}\n    return rate")


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedModelServer]:
    server = ScriptedModelServer()
    yield server
    server.close()


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    return materialise(tmp_path / "desk")


def run(
    desk: Path, server: ScriptedModelServer, *, guesses: bool = True, **settings: str
) -> subprocess.CompletedProcess[str]:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("SELFHEAL_")}
    environ |= {
        "SELFHEAL_MODEL_NAME": "openai/scripted",
        "SELFHEAL_MODEL_API_BASE": server.api_base,
        "SELFHEAL_MODEL_SECONDS": "60",
        **({} if guesses else {"SELFHEAL_SEARCH_SECONDS": "0"}),
        **{f"SELFHEAL_MODEL_{name.upper()}": value for name, value in settings.items()},
    }
    selfheal = [
        sys.executable,
        "-m",
        "selfheal_tui",
        "run",
        "--headless",
        "--env",
        "local",
        "--root",
        str(desk),
    ]
    command = [*selfheal, "--", sys.executable, *scenario("health").arguments]
    return subprocess.run(command, cwd=desk, env=environ, capture_output=True, text=True, timeout=280)


def test_a_models_fix_is_proved_applied_and_the_program_runs_on(
    desk: Path, server: ScriptedModelServer
) -> None:
    server.script(GOOD)
    ended = run(desk, server)
    assert ended.returncode == 0, ended.stderr
    assert "llm/openai/scripted" in ended.stderr
    assert "max(total, 1)" in (desk / TARGET).read_text()
    assert ended.stdout.endswith("reviewer: 0%\n")


def test_a_model_that_asks_first_may_mend_what_it_is_shown(desk: Path, server: ScriptedModelServer) -> None:
    total = (
        "REASON: A share needs a total that is not 0.\nCONFIDENCE: 0.7\n\n"
        f"### {TARGET} :: RunMetrics.total\n```python\ndef total(self, agent):\n"
        "    return max(1, self.outcomes[(agent, True)] + self.outcomes[(agent, False)])\n```\n"
    )
    server.script(f"SHOW: {TARGET} :: RunMetrics.total", total)
    ended = run(desk, server, guesses=False)
    body = "return self.outcomes[(agent, True)] + self.outcomes[(agent, False)]"
    assert body not in server.requests[0].text
    assert body in server.requests[1].text
    assert ended.returncode == 0, ended.stderr
    assert "return max(1, self.outcomes" in (desk / TARGET).read_text()


def test_a_malicious_and_a_useless_answer_change_nothing(desk: Path, server: ScriptedModelServer) -> None:
    before = (desk / TARGET).read_bytes()
    server.script(MALICIOUS, USELESS)
    ended = run(desk, server)
    assert ended.returncode == 1
    assert (desk / TARGET).read_bytes() == before
    assert not list(desk.rglob("pwned"))
    assert len(server.requests) == 2
    assert "safety: fail" in server.requests[1].text
    assert "os.system" in server.requests[1].text


def test_a_model_that_fails_leaves_the_incident_explained_and_the_program_unchanged(
    desk: Path, server: ScriptedModelServer
) -> None:
    before = (desk / TARGET).read_bytes()
    server.script(Reply(status=500))
    ended = run(desk, server, guesses=False)
    assert ended.returncode == 1
    assert "explained" in ended.stderr
    assert (desk / TARGET).read_bytes() == before
