"""A wrong answer is healed where the evidence tells the fix from all others, and is asked about where it does not."""

from __future__ import annotations

from pathlib import Path

from shell import PYTHON, Shell, tree

FAULTY = "def fee(days, rate):\n    return days + rate\n"
MANY = """
from fees import fee


def main():
    assert fee(3, 4) == 12
    assert fee(0, 9) == 0
    assert fee(7, 7) == 49
    assert fee(1, 8) == 8


main()
"""
FEW = """
from fees import fee


def main():
    assert fee(2, 5) == 10


main()
"""


def shell(tmp_path: Path, main: str) -> Shell:
    project = tmp_path / "project"
    project.mkdir()
    return Shell(project, {"fees.py": FAULTY, "main.py": main})


def test_a_wrong_answer_with_enough_evidence_is_healed_unasked(tmp_path: Path) -> None:
    run = shell(tmp_path, MANY)
    done = run("run", "--headless", "--env", "local", "--", PYTHON, "main.py")
    assert done.returncode == 0, done.stderr
    assert (run.root / "fees.py").read_text() == FAULTY.replace("+", "*")


def test_one_assertion_is_too_little_so_that_a_person_is_asked_and_nothing_changes(tmp_path: Path) -> None:
    run = shell(tmp_path, FEW)
    before = tree(run.root)
    done = run("run", "--headless", "--env", "local", "--", PYTHON, "main.py")
    assert done.returncode != 0
    assert "needs you" in done.stderr, done.stderr
    assert tree(run.root) == before


def test_the_search_is_switched_off_by_its_budget(tmp_path: Path) -> None:
    run = shell(tmp_path, MANY)
    (run.root / "selfheal.toml").write_text("[search]\nseconds = 0\n")
    before = tree(run.root)
    done = run("run", "--headless", "--env", "local", "--", PYTHON, "main.py")
    assert done.returncode != 0
    assert "small changes" not in done.stderr
    assert tree(run.root) == before
