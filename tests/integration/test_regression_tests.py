"""A regression test of a healed crash: red before, green after, written on order, and never where it may not be."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from shell import PYTHON, Shell, tree

STATS = "def mean(values, weight=1.0):\n    total = 0.0\n    for value in values:\n        total += vale * weight\n    return total\n"
MAIN = "from stats import mean\n\nprint(mean([1, 2.5]))\n"


def healed(shell: Shell, *command: str) -> str:
    done = shell("run", "--headless", "--env", "local", "--", PYTHON, *(command or ("main.py",)))
    assert done.returncode == 0, done.stderr
    return str(shell.only_incident()["id"])


def test_a_test_is_shown_without_writing_and_written_on_order(tmp_path: Path) -> None:
    shell = Shell(tmp_path, {"stats.py": STATS, "main.py": MAIN})
    name = healed(shell)
    assert f"selfheal regression {name}" in shell("show", name).stdout
    before = tree(tmp_path)
    body = shell.json("regression", name)
    assert tree(tmp_path) == before
    assert body["path"] == f"tests/test_selfheal_{name}.py"
    assert "mean([1, 2.5], 1.0)" in body["text"]
    assert f"+++ b/{body['path']}" in shell("diff", name).stdout

    assert shell("pause", "--reason", "audit").returncode == 0
    assert shell("regression", name, "--write").returncode == 77
    assert tree(tmp_path) == before
    assert shell("resume").returncode == 0
    assert shell("regression", name, "--write").returncode == 0
    after = tree(tmp_path)
    assert set(after) - set(before) == {body["path"]}
    assert {path: after[path] for path in before} == before
    assert (tmp_path / body["path"]).read_text() == body["text"]
    runner = [sys.executable, "-m", "unittest", body["path"]]
    assert subprocess.run(runner, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    (tmp_path / "stats.py").write_text(STATS)
    assert subprocess.run(runner, cwd=tmp_path, capture_output=True, check=False).returncode == 1

    kinds = [record["kind"] for record in shell.json("show", name)["timeline"]]
    assert kinds.count("test.added") == 1
    assert kinds.count("approval.approved") == 2
    assert shell("history", "--verify").returncode == 0
    again = shell("regression", name, "--write")
    assert again.returncode == 77
    assert "never changed" in again.stderr


def test_a_program_without_plain_arguments_is_tested_by_its_command(tmp_path: Path) -> None:
    files = {
        "shapes.py": (
            "class Square:\n    def __init__(self, side):\n        self.side = side\n\n"
            "    def area(self):\n        return self.sied ** 2\n"
        ),
        "main.py": "import sys\nfrom shapes import Square\n\nprint(Square(int(sys.argv[1])).area())\n",
    }
    shell = Shell(tmp_path, files)
    body = shell.json("regression", healed(shell, "main.py", "7"))
    assert "subprocess.run(command" in body["text"]
    assert "'7'" in body["text"]


def test_a_secret_among_the_arguments_makes_no_test(tmp_path: Path) -> None:
    files = {
        "stats.py": STATS.replace("weight=1.0", "api_key='none', weight=1.0"),
        "main.py": MAIN.replace("[1, 2.5]", "[1, 2.5], api_key='hunter2-hunter2'"),
    }
    shell = Shell(tmp_path, files)
    name = healed(shell)
    before = tree(tmp_path)
    done = shell("regression", name, "--write")
    assert done.returncode == 1
    assert "secret" in done.stderr
    assert tree(tmp_path) == before
