"""A kind of edit that fixed faults before heals a new fault of that kind elsewhere; what nobody trusts is left alone."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from shell import PYTHON, Shell, tree

CATALOGUE = '''\
class Catalogue:
    """Entries by their folded name."""

    def __init__(self, entries):
        self._entries = {name.casefold(): entry for name, entry in entries.items()}

    def find(self, name):
        return self._entries[name]


STOCK = Catalogue({"Bolt": 12, "Washer": 40})
'''
PRICES = """\
from catalogue import STOCK


def price(article):
    return STOCK.find(article)
"""
LABELS = """\
from catalogue import STOCK


def label(shelf):
    wanted = shelf["name"]
    return f"{wanted}: " + str(STOCK.find(wanted) * 2)
"""
ORDERS = """\
from catalogue import STOCK


def weight(order):
    total = 0
    for line in order:
        total += STOCK.find(line["article"]) * line["count"]
    return total
"""
MAIN = """\
from orders import weight

print(weight([{"article": "Bolt", "count": 2}, {"article": "Washer", "count": 1}]))
"""
TEST = """\
import unittest

from orders import weight


class Weighing(unittest.TestCase):
    def test_capitals_do_not_matter(self):
        self.assertEqual(weight([{"article": "Washer", "count": 2}]), 80)

    def test_nothing_weighs_nothing(self):
        self.assertEqual(weight([]), 0)
"""
FILES = {
    "catalogue.py": CATALOGUE,
    "prices.py": PRICES,
    "labels.py": LABELS,
    "orders.py": ORDERS,
    "main.py": MAIN,
    "tests/__init__.py": "",
    "tests/test_orders.py": TEST,
}
FIXES = {
    "prices.py": PRICES.replace("STOCK.find(article)", "STOCK.find(article.casefold())"),
    "labels.py": LABELS.replace("STOCK.find(wanted)", "STOCK.find(wanted.casefold())"),
}


def git(root: Path, *arguments: str) -> None:
    environ = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    subprocess.run(["git", *who, *arguments], cwd=root, check=True, capture_output=True, env=environ)


def with_history(shell: Shell, fixes: dict[str, str] = FIXES) -> None:
    root = shell.root
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-qm", "Start")
    for name, text in fixes.items():
        (root / name).write_text(text)
        git(root, "commit", "-qam", f"Fix KeyError for capitals in {name}")


def test_a_learnt_edit_heals_a_crash_of_its_kind_in_another_file(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    shell = Shell(project, FILES)
    with_history(shell)
    learnt = shell("learn", "--json")
    assert learnt.returncode == 0, learnt.stderr
    best = json.loads(learnt.stdout)["patterns"][0]
    assert best["shown"] == "STOCK.find(_0)  →  STOCK.find(_0.casefold())"
    assert best["sources"] == [{"origin": ".", "commits": best["sources"][0]["commits"], "count": 2}]
    done = shell("run", "--headless", "--env", "local", "--", PYTHON, "main.py")
    assert (done.returncode, done.stdout) == (0, "64\n"), done.stderr
    assert 'STOCK.find(line["article"].casefold()) * line' in (project / "orders.py").read_text().replace(
        "'", '"'
    )


def test_patterns_of_a_repository_that_nobody_trusts_are_kept_and_not_used(tmp_path: Path) -> None:
    other, project = tmp_path / "other", tmp_path / "project"
    other.mkdir()
    project.mkdir()
    with_history(Shell(other, FILES))
    shell = Shell(project, FILES)
    shell.environ["SELFHEAL_REPAIR_PROPOSERS"] = "rules,patterns"
    before = tree(project)
    learnt = shell("learn", str(other))
    assert (learnt.returncode, "not used" in learnt.stderr) == (0, True)
    done = shell("run", "--headless", "--env", "local", "--", PYTHON, "main.py")
    assert done.returncode == 1
    assert "learnt-edit" not in done.stderr
    assert tree(project) == before
