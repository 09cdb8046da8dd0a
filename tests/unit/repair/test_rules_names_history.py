"""Methods and functions that were renamed, moved or deleted: what history, meaning and siblings know."""

from __future__ import annotations

from pathlib import Path

from selfheal_tui.model.candidate import CannotFix
from tests.unit.repair.crashlab import MODES, Lab
from tests.unit.repair.namecases import RULES, Cure, Trap, check_cure, check_trap

SANITIZER = '''
import re

SECRET = re.compile("key=")


class OutputCleaner:
    """Keeps secrets out."""

    def __init__(self):
        self.seen = 0

    # finds them
    def {name}(self, text):
        """Finds them."""
        self.seen += 1
        return bool(SECRET.search(text))

    def clean(self, text):
        return "***" if self.{name}(text) else text
'''
USER = """
from cleaner import OutputCleaner


def publish(text):
    cleaner = OutputCleaner()
    if cleaner.{name}(text):
        return "no"
    return text
"""
MAIN = """
import cleaner
import publisher

assert publisher.publish("key=1") == "no"
assert cleaner.OutputCleaner().{name}("key=1")
"""


def project(name: str, used: str) -> dict[str, str]:
    return {
        "cleaner.py": SANITIZER.replace("{name}", name),
        "publisher.py": USER.replace("{name}", used),
        "main.py": MAIN.replace("{name}", used),
    }


def test_a_renamed_method_is_followed_to_all_callers_that_were_left_behind(tmp_path: Path) -> None:
    lab = Lab(tmp_path, project("find_them", "find_them"))
    lab.commit("first")
    lab.write({"cleaner.py": SANITIZER.replace("{name}", "is_risky")})
    lab.commit("rename")
    lab.write({"README.py": "'''Later.'''\n"})
    lab.commit("later")
    for mode in MODES:
        best = lab.candidates(mode, RULES)[0]
        assert best.rule == "renamed-in-history"
        assert best.confidence == 0.95
        assert {edit.path for edit in best.edits} == {"main.py", "publisher.py"}
        assert {(t.path, t.qualname) for t in best.targets} == {
            ("main.py", "<module>"),
            ("publisher.py", "publish"),
        }
        assert lab.heals(best)


def test_a_rename_that_is_not_committed_is_known_as_well(tmp_path: Path) -> None:
    lab = Lab(tmp_path, project("find_them", "find_them"))
    lab.commit("first")
    lab.write({"cleaner.py": SANITIZER.replace("{name}", "is_risky")})
    best = lab.candidates("text", RULES)[0]
    assert best.rule == "renamed-in-history"
    assert "the working tree" in best.reason
    assert lab.heals(best)


def test_two_renames_in_a_row_lead_to_the_last_name(tmp_path: Path) -> None:
    lab = Lab(tmp_path, project("find_them", "find_them"))
    for name in ("find_them", "locate_risk", "is_risky"):
        lab.write({"cleaner.py": SANITIZER.replace("{name}", name)})
        lab.commit(name)
    best = lab.candidates("bare", RULES)[0]
    assert "'is_risky'" in best.reason
    assert lab.heals(best)


def test_a_rename_with_a_changed_body_is_less_certain(tmp_path: Path) -> None:
    lab = Lab(tmp_path, project("find_them", "find_them"))
    lab.commit("first")
    changed = SANITIZER.replace("{name}", "is_risky").replace("self.seen += 1", "self.seen += 2")
    lab.write({"cleaner.py": changed})
    lab.commit("rename and change")
    best = lab.candidates("bare", RULES)[0]
    assert (best.rule, best.confidence) == ("renamed-in-history", 0.8)


def test_a_deleted_method_is_brought_back_with_its_comment(tmp_path: Path) -> None:
    lab = Lab(tmp_path, project("find_them", "find_them"))
    lab.commit("first")
    kept, _, rest = SANITIZER.replace("{name}", "find_them").partition("    # finds them")
    _, _, tail = rest.partition("    def clean")
    lab.write({"cleaner.py": kept + "    def clean" + tail})
    lab.commit("delete too much")
    for mode in MODES:
        best = lab.candidates(mode, RULES)[0]
        assert best.rule == "deleted-in-history"
        assert "    # finds them\n    def find_them(self, text):\n" in best.edits[0].text
        assert lab.heals(best)


def test_a_deleted_method_whose_helpers_are_gone_is_explained(tmp_path: Path) -> None:
    lab = Lab(tmp_path, {
        "m.py": "def helper():\n    return 1\n\n\nclass A:\n    def go(self):\n        return helper()\n\n    def other(self):\n        return 2\n",
        "main.py": "from m import A\n\nA().go()\n",
    })  # fmt: skip
    lab.commit("first")
    lab.write({"m.py": "class A:\n    def other(self):\n        return 2\n"})
    lab.commit("delete")
    found = lab.findings("bare", RULES)
    assert all(isinstance(finding, CannotFix) for finding in found)
    assert any("helper" in finding.reason for finding in found)


def test_a_renamed_function_of_a_module_is_followed(tmp_path: Path) -> None:
    before = "def run_tool(name):\n    return [name]\n\n\ndef zip_it(xs):\n    return xs\n"
    files = {
        "tools.py": before,
        "direct.py": "from tools import run_tool\n\n\ndef f():\n    return run_tool('a')\n",
        "main.py": "import tools\n\ntools.run_tool('b')\nimport direct\n\ndirect.f()\n",
    }
    lab = Lab(tmp_path, files)
    lab.commit("first")
    lab.write({"tools.py": before.replace("run_tool", "apply_instrument")})
    lab.commit("rename")
    for mode in MODES:
        best = lab.candidates(mode, RULES)[0]
        assert best.rule == "renamed-in-history"
        assert {edit.path for edit in best.edits} == {"main.py", "direct.py"}
        assert lab.heals(best)


def test_an_import_of_a_renamed_function_is_followed(tmp_path: Path) -> None:
    before = "def run_tool(name):\n    return [name]\n"
    lab = Lab(tmp_path, {"tools.py": before, "main.py": "from tools import run_tool\n\nrun_tool('b')\n"})
    lab.commit("first")
    lab.write({"tools.py": before.replace("run_tool", "apply_instrument")})
    lab.commit("rename")
    best = lab.candidates("bare", RULES)[0]
    assert best.rule == "renamed-in-history"
    assert best.edits[0].text == "from tools import apply_instrument\n\napply_instrument('b')\n"


def test_tests_that_use_the_old_name_are_noted_and_left_alone(tmp_path: Path) -> None:
    lab = Lab(tmp_path, project("find_them", "find_them"))
    lab.write(
        {
            "tests/test_it.py": "from cleaner import OutputCleaner\n\n\ndef test_it():\n    OutputCleaner().find_them('')\n"
        }
    )
    lab.commit("first")
    lab.write({"cleaner.py": SANITIZER.replace("{name}", "is_risky")})
    lab.commit("rename")
    best = lab.candidates("bare", RULES)[0]
    assert "tests/test_it.py" not in {edit.path for edit in best.edits}
    assert any("tests/test_it.py" in note for note in best.notes)


def test_without_git_a_name_that_says_the_same_and_fits_the_call_is_found(tmp_path: Path) -> None:
    for mode in MODES:
        cure = Cure(
            "kindred",
            project("contains_secrets", "has_secrets"),
            "cleaner.contains_secrets(text)",
            path="publisher.py",
            rule="kindred-name",
            least=0.6,
            most=0.8,
        )
        best = check_cure(tmp_path / mode if (tmp_path / mode).mkdir() is None else tmp_path, cure, mode)
        assert {edit.path for edit in best.edits} == {"main.py", "publisher.py"}


def test_a_kindred_name_with_another_arity_is_not_offered(tmp_path: Path) -> None:
    files = {
        "main.py": "class A:\n    def contains_secrets(self, a, b):\n        return a or b\n\nA().has_secrets(1)\n"
    }
    check_trap(tmp_path, Trap("arity", files), "bare")


def test_a_sibling_class_lends_its_method_as_a_guess(tmp_path: Path) -> None:
    files = {
        "main.py": """
        class CsvSink:
            def __init__(self):
                self.rows = []

            def open_it(self):
                return True

            def write_row(self, row):
                self.rows.append(row)

            def finish(self):
                return len(self.rows)

        class JsonSink:
            def __init__(self):
                self.rows = []

            def open_it(self):
                return True

            def write_row(self, row):
                self.rows.append([row])

        for sink in (CsvSink(), JsonSink()):
            sink.open_it()
            sink.write_row(1)
            assert sink.finish() == 1
        """
    }
    lab = Lab(tmp_path, files)
    best = lab.candidates("bare", RULES)[0]
    assert (best.rule, best.confidence) == ("sibling-method", 0.4)
    assert lab.heals(best)


def test_a_sibling_whose_method_needs_what_is_not_there_lends_nothing(tmp_path: Path) -> None:
    files = {
        "main.py": """
        class A:
            def __init__(self):
                self.special = 1
            def one(self):
                return 1
            def two(self):
                return 2
            def finish(self):
                return self.special

        class B:
            def one(self):
                return 1
            def two(self):
                return 2

        B().finish()
        """
    }
    check_trap(tmp_path, Trap("needs", files), "bare")


def test_a_renamed_attribute_is_followed(tmp_path: Path) -> None:
    before = "class Job:\n    def __init__(self):\n        self.deadline = 60\n        self.name = 'x'\n"
    use = "from job import Job\n\n\ndef show(job):\n    return job.deadline + 1\n"
    lab = Lab(
        tmp_path,
        {
            "job.py": before,
            "use.py": use,
            "main.py": "from use import Job, show\n\nassert show(Job()) == 61\nassert Job().deadline\n",
        },
    )
    lab.commit("first")
    lab.write({"job.py": before.replace("deadline", "limit_in_seconds")})
    lab.commit("rename")
    for mode in MODES:
        best = lab.candidates(mode, RULES)[0]
        assert (best.rule, best.confidence) == ("renamed-attribute-in-history", 0.95)
        assert {edit.path for edit in best.edits} == {"use.py", "main.py"}
        assert lab.heals(best)


def test_a_renamed_constant_of_a_module_is_followed(tmp_path: Path) -> None:
    lab = Lab(
        tmp_path,
        {"conf.py": "RETRIES = 3\nNAME = 'x'\n", "main.py": "import conf\n\nassert conf.RETRIES == 3\n"},
    )
    lab.commit("first")
    lab.write({"conf.py": "MAX_ATTEMPTS = 3\nNAME = 'x'\n"})
    lab.commit("rename")
    best = lab.candidates("bare", RULES)[0]
    assert best.rule == "renamed-attribute-in-history"
    assert lab.heals(best)


def test_an_attribute_that_went_without_a_successor_is_left_alone(tmp_path: Path) -> None:
    before = "class Job:\n    def __init__(self):\n        self.deadline = 60\n        self.name = 'x'\n"
    lab = Lab(tmp_path, {"job.py": before, "main.py": "from job import Job\n\nJob().deadline\n"})
    lab.commit("first")
    lab.write({"job.py": before.replace("        self.deadline = 60\n", "")})
    lab.commit("delete")
    assert lab.candidates("bare", RULES) == []


def test_a_function_renamed_in_its_own_module_is_followed(tmp_path: Path) -> None:
    before = "def helper_one(x):\n    return [x]\n\n\ndef go():\n    return helper_one(1)\n\n\ngo()\n"
    lab = Lab(tmp_path, {"main.py": before})
    lab.commit("first")
    lab.write({"main.py": before.replace("def helper_one", "def as_list")})
    for mode in MODES:
        best = lab.candidates(mode, RULES)[0]
        assert best.rule == "renamed-in-history"
        assert "return as_list(1)" in best.edits[0].text
        assert lab.heals(best)


def test_a_function_deleted_from_its_own_module_is_brought_back(tmp_path: Path) -> None:
    before = "def helper_one(x):\n    return [x]\n\n\ndef go():\n    return helper_one(1)\n\n\ngo()\n"
    lab = Lab(tmp_path, {"main.py": before})
    lab.commit("first")
    lab.write({"main.py": before.partition("\n\n\n")[2]})
    lab.commit("delete")
    best = lab.candidates("bare", RULES)[0]
    assert best.rule == "deleted-in-history"
    assert lab.heals(best), best.edits[0].text


def test_another_class_with_an_attribute_of_that_name_keeps_its_users(tmp_path: Path) -> None:
    before = "class Job:\n    def __init__(self):\n        self.deadline = 60\n"
    other = "class Task:\n    def __init__(self):\n        self.deadline = 5\n\n\ndef show(task):\n    return task.deadline\n"
    lab = Lab(
        tmp_path,
        {
            "job.py": before,
            "task.py": other,
            "main.py": "import task\nfrom job import Job\n\ntask.show(task.Task())\nassert Job().deadline\n",
        },
    )
    lab.commit("first")
    lab.write({"job.py": before.replace("deadline", "limit_in_seconds")})
    lab.commit("rename")
    best = lab.candidates("bare", RULES)[0]
    assert {edit.path for edit in best.edits} == {"main.py"}
    assert lab.heals(best)


def test_a_plain_name_is_not_followed_into_files_that_do_not_know_the_class(tmp_path: Path) -> None:
    before = "class Job:\n    def launch(self):\n        return 1\n"
    lab = Lab(
        tmp_path,
        {
            "job.py": before,
            "rocket.py": "def start(foreign):\n    return foreign.launch()\n",
            "main.py": "from job import Job\n\nJob().launch()\n",
        },
    )
    lab.commit("first")
    lab.write({"job.py": before.replace("launch", "begin")})
    lab.commit("rename")
    best = lab.candidates("bare", RULES)[0]
    assert {edit.path for edit in best.edits} == {"main.py"}
