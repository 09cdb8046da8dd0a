"""The seed's own loop, to the letter: catch, heal, run the new code on the same object."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from shell import GREETER, PYTHON, Shell

AGENT = {
    "agent.py": (
        "from greeter import Greeter\n\n\n"
        "class Agent:\n"
        "    def __init__(self):\n"
        "        self.completed = 0\n\n"
        "    def execute(self, task, context):\n"
        "        result = Greeter(task).greeting()\n"
        "        self.completed += 1\n"
        "        return result\n"
    )
}

LOOP = """
import json
import traceback

from agent import Agent
from greeter import Greeter
from selfheal_tui import SelfHealingSystem

agent, context, results, told = Agent(), {"environment": "local"}, [], []
kept = Greeter("Zoe")
bound = kept.greeting
healing = SelfHealingSystem(codebase_root=".")
for task in ("Ada", "Grace"):
    try:
        result = agent.execute(task, context)
    except Exception as e:
        result = healing.detect_and_heal(
            error=e, stack_trace=traceback.format_exc(), context={"environment": "local", "task": task}
        )
        told.append([result.message, result.changes])
        if result.success:
            result = agent.execute(task, context)
    results.append(result)
print(json.dumps({"results": results, "completed": agent.completed, "told": told,
                  "kept": [kept.greeting(), bound()]}))
"""


def run(shell: Shell, code: str) -> Any:
    (shell.root / "loop.py").write_text(code)
    done = subprocess.run(
        [PYTHON, "loop.py"], cwd=shell.root, env=shell.environ, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path, GREETER | AGENT)


def test_the_seeds_loop_goes_on_with_the_new_code_on_the_same_agent(shell: Shell) -> None:
    answer = run(shell, LOOP)
    assert answer["results"] == ["Good day, Ada", "Good day, Grace"]
    assert answer["completed"] == 2
    assert answer["kept"] == ["Good day, Zoe", "Good day, Zoe"], (
        "objects and bound methods from before follow"
    )
    ((message, changes),) = answer["told"]
    assert "restart needed" not in message
    (swapped,) = [change for change in changes if change["type"] == "swapped"]
    assert swapped["definitions"] == ["greeter:Greeter.greeting"]
    assert "self.name" in shell.read("greeter.py")


def test_what_a_living_program_cannot_take_over_is_told(shell: Shell) -> None:
    refusing = (
        "import selfheal_tui.probe.swap as swap\n"
        "def refuse(paths, *, root, before=None):\n"
        '    return swap.SwapOutcome(restart_needed=[("greeter:Greeter", "its layout changed")])\n'
        "swap.swap_files = refuse\n"
    )
    code = refusing + LOOP.replace("if result.success:", "if result.success and not told:")
    answer = run(
        shell,
        code.replace('"kept": [kept.greeting(), bound()]', '"kept": []').replace(
            "results.append(result)", "results.append(str(result))"
        ),
    )
    message, changes = answer["told"][0]
    assert "restart needed: greeter:Greeter: its layout changed" in message
    assert {"type": "restart_needed", "what": "greeter:Greeter", "why": "its layout changed"} in changes
    assert "self.name" in shell.read("greeter.py"), "the fix is on disk all the same"
