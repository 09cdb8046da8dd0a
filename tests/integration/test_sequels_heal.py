"""A fault at two places is healed by one fix, asked for and backed up once; what cannot be derived is not applied."""

from __future__ import annotations

from pathlib import Path

from shell import PYTHON, Shell, tree

SHOP = """\
class Basket:
    def __init__(self, owner, prices):
        self.owner = owner
        self.prices = list(prices)

    def total(self):
        return sum(self.pricse)  # both are misspelt

    def label(self):
        start = self.onwer + " owes "
        return start + str(self.total())
"""
SHOP_MAIN = 'from shop import Basket\n\nprint(Basket("Ada", [3, 4]).label())\n'
PATHS = """\
def backup_of(path):
    return path + ".bak"


def parts_of(path):
    return path.split("/")
"""
PATHS_TESTS = """\
from pathlib import Path

from paths import backup_of, parts_of


def test_a_backup_is_beside():
    assert str(backup_of(Path("notes/a.txt"))) == "notes/a.txt.bak"


def test_parts_are_told():
    assert list(parts_of(Path("notes/a.txt"))) == ["notes", "a.txt"]


def test_text_works_as_well():
    assert backup_of("a") == "a.bak"
"""
PATHS_MAIN = "from test_paths import test_a_backup_is_beside\n\ntest_a_backup_is_beside()\n"
RUN = ("run", "--headless", "--env", "local", "--", PYTHON, "main.py")


def shell(tmp_path: Path, files: dict[str, str]) -> Shell:
    project = tmp_path / "project"
    project.mkdir()
    return Shell(project, files)


def test_a_misspelling_that_shows_only_once_another_is_mended_is_healed_by_one_approval(
    tmp_path: Path,
) -> None:
    run = shell(tmp_path, {"shop.py": SHOP, "main.py": SHOP_MAIN})
    before = tree(run.root)
    asked = run("run", "--headless", "--wait", "0", "--env", "production", "--", PYTHON, "main.py")
    assert asked.returncode != 0
    assert tree(run.root) == before
    incident = run.only_incident()["id"]
    code = run.json("diff", incident)["code"]
    assert run("approve", incident, "--code", code).returncode == 0
    assert run.read("shop.py") == SHOP.replace("pricse", "prices").replace("onwer", "owner")
    audited = [record["kind"] for record in run.json("history", "--audit")]
    assert audited.count("approval.requested") == 1
    assert audited.count("candidate.judged") == 2
    assert [backup["path"] for backup in run.json("backups")] == ["shop.py"]


def test_a_test_that_fails_next_in_the_same_file_is_cured_by_the_same_fix(tmp_path: Path) -> None:
    run = shell(tmp_path, {"paths.py": PATHS, "test_paths.py": PATHS_TESTS, "main.py": PATHS_MAIN})
    done = run(*RUN)
    assert done.returncode == 0, done.stderr
    assert run.read("paths.py") == PATHS.replace("return path", "return str(path)")
    assert run.read("test_paths.py") == PATHS_TESTS
    assert [backup["path"] for backup in run.json("backups")] == ["paths.py"]
    assert done.stderr.count("applied by policy") == 1
    shown = run.json("show", run.only_incident()["id"])["incident"]
    proof = shown["attempts"][shown["chosen"]]["proof"]
    (tests,) = [report for report in proof["reports"] if report["rung"] == "tests"]
    assert (tests["verdict"], tests.get("left_failing", 0), tests["cured"]) == ("pass", 0, 2)


def test_a_second_place_that_cannot_be_derived_leaves_the_first_alone(tmp_path: Path) -> None:
    files = {"shop.py": SHOP.replace("self.pricse", "self.zzqqx"), "main.py": SHOP_MAIN}
    run = shell(tmp_path, files)
    before = tree(run.root)
    done = run(*RUN)
    assert done.returncode != 0
    assert "needs you" in done.stderr, done.stderr
    assert tree(run.root) == before
    assert run.json("backups") == []
