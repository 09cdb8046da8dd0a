"""Syntax, imports, coverage, and the ladder that holds the rungs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from checks_world import AFTER, BEFORE, candidate_of, crash, edit_of, make_context

from selfheal_tui.checks import coverage, imports, ladder, syntax
from selfheal_tui.checks.base import Check, CheckContext
from selfheal_tui.checks.findings import make_report
from selfheal_tui.checks.undefined import new_undefined_names
from selfheal_tui.model.diagnosis import Location
from selfheal_tui.model.evidence import RUNGS, RungReport
from selfheal_tui.model.kinds import Verdict
from selfheal_tui.model.ports import (
    ImportProbe,
    ReplayPlan,
    ReplayResult,
    ReplayStatus,
    SyntaxProblem,
    TestRun,
)

# Syntax


def test_a_file_that_compiles_passes_and_is_put_back(tmp_path: Path) -> None:
    context, workspace = make_context(tmp_path)
    assert syntax.CHECK.run(context).verdict is Verdict.PASS
    assert workspace.log == ["compile app.py True"]
    assert workspace.files == workspace.originals


def test_the_target_interpreter_has_the_last_word(tmp_path: Path) -> None:
    context, workspace = make_context(tmp_path)
    workspace.problems = [SyntaxProblem("app.py", 5, "match statements need Python 3.10")]
    report = syntax.CHECK.run(context)
    assert report.verdict is Verdict.FAIL
    assert report.details == ("app.py:5: match statements need Python 3.10",)


@pytest.mark.parametrize("after", ["def f(:\n", "x = 1\0\n", "def f():\nreturn 1\n"])
def test_what_does_not_parse_fails(tmp_path: Path, after: str) -> None:
    context, _ = make_context(tmp_path, candidate=candidate_of(edit_of("app.py", BEFORE, after)))
    assert syntax.CHECK.run(context).verdict is Verdict.FAIL


def test_a_character_that_the_encoding_lacks_fails(tmp_path: Path) -> None:
    edit = replace(edit_of("app.py", BEFORE, "x = '→'\n"), encoding="latin-1")
    context, _ = make_context(tmp_path, candidate=candidate_of(edit))
    assert "cannot be written" in syntax.CHECK.run(context).summary


def test_an_encoding_that_the_file_does_not_declare_fails(tmp_path: Path) -> None:
    edit = replace(edit_of("app.py", BEFORE, "x = 'é'\n"), encoding="latin-1")
    context, _ = make_context(tmp_path, candidate=candidate_of(edit))
    assert syntax.CHECK.run(context).verdict is Verdict.FAIL


def test_a_patch_without_files_fails(tmp_path: Path) -> None:
    context, _ = make_context(tmp_path, candidate=candidate_of())
    assert syntax.CHECK.run(context).verdict is Verdict.FAIL


# Imports


def imports_report(
    tmp_path: Path, after: str, broken: tuple[str, ...] = (), before: str = BEFORE
) -> RungReport:
    candidate = candidate_of(edit_of("app.py", before, after))
    context, workspace = make_context(tmp_path, candidate=candidate, before={"app.py": before.encode()})
    workspace.imports = lambda s, fixed: ImportProbe(
        s, s not in broken, "" if s not in broken else "no module"
    )
    report = imports.CHECK.run(context)
    assert workspace.files == workspace.originals
    return report


def test_new_imports_are_tried_in_the_target_interpreter(tmp_path: Path) -> None:
    report = imports_report(tmp_path, "import json\nfrom a.b import c\n" + AFTER)
    assert report.verdict is Verdict.PASS
    assert report.summary == "2 new imports resolved"


def test_an_import_that_does_not_resolve_fails(tmp_path: Path) -> None:
    report = imports_report(tmp_path, "import jsn\n" + AFTER, ("import jsn",))
    assert report.verdict is Verdict.FAIL


def test_a_name_that_a_module_does_not_have_fails(tmp_path: Path) -> None:
    report = imports_report(tmp_path, "from json import lods\n" + AFTER, ("from json import lods",))
    assert report.verdict is Verdict.FAIL


def test_an_import_that_the_code_can_do_without_only_warns(tmp_path: Path) -> None:
    after = "try:\n    import ujson\nexcept ImportError:\n    ujson = None\n" + AFTER
    assert imports_report(tmp_path, after, ("import ujson",)).verdict is Verdict.WARN


def test_an_import_inside_a_function_is_tried_too(tmp_path: Path) -> None:
    after = BEFORE.replace("    return x.nmae", "    import nope\n    return nope")
    assert imports_report(tmp_path, after, ("import nope",)).verdict is Verdict.FAIL


def test_known_imports_are_not_tried_again(tmp_path: Path) -> None:
    assert imports_report(tmp_path, AFTER, ("import os",)).summary == "no new imports"


def test_an_import_that_was_not_answered_fails(tmp_path: Path) -> None:
    candidate = candidate_of(edit_of("app.py", BEFORE, "import json\n" + AFTER))
    context, workspace = make_context(tmp_path, candidate=candidate)
    workspace.imports = lambda s, fixed: ImportProbe("import other", True)
    assert imports.CHECK.run(context).verdict is Verdict.FAIL


def test_a_circular_import_that_the_patch_brings_fails(tmp_path: Path) -> None:
    candidate = candidate_of(edit_of("app.py", BEFORE, "import lib\n" + AFTER))
    before: dict[str, bytes | None] = {"app.py": BEFORE.encode(), "lib.py": b"import app\n"}
    context, workspace = make_context(tmp_path, candidate=candidate, before=before)
    workspace.imports = lambda s, fixed: ImportProbe(
        s, not (fixed and s == "import app"), "partially initialized module 'app' (circular import)"
    )
    assert imports.CHECK.run(context).verdict is Verdict.FAIL


def test_an_undefined_name_fails(tmp_path: Path) -> None:
    report = imports_report(tmp_path, BEFORE.replace("x.nmae", "nmae(x)"))
    assert report.verdict is Verdict.FAIL
    assert "`nmae` is not defined" in report.summary


@pytest.mark.parametrize(
    "code",
    [
        "def f(x):\n    return [y for y in x]\n",
        "def f(x):\n    def g():\n        return x\n    return g\n",
        "class A:\n    b = 1\n    c = b\n    def m(self):\n        return __class__\n",
        "def f():\n    global z\n    z = 1\n\ndef g():\n    return z\n",
        "if 1:\n    import os\n\ndef f():\n    return os\n",
        "try:\n    a = 1\nexcept ValueError as e:\n    print(e)\n",
        "x: int\n\ndef f():\n    return x\n",
        "def f():\n    return __file__, __name__, print, WindowsError\n",
        "for i in range(3):\n    pass\nprint(i)\n",
        "lambda a: a\n",
        "def f(a, *b, c=1, **d):\n    return a, b, c, d\n",
        "with open('x') as h:\n    h\n",
        "match 1:\n    case [q, *r]:\n        print(q, r)\n",
    ],
)
def test_bound_names_are_never_called_undefined(code: str) -> None:
    assert new_undefined_names("", code, has_star=False) == []


def test_names_undefined_before_are_not_the_patchs_doing() -> None:
    code = "def f():\n    return nope\n"
    assert new_undefined_names(code, code + "x = 1\n", has_star=False) == []


def test_nothing_is_said_where_everything_is_imported() -> None:
    assert new_undefined_names("", "from a import *\nnope\n", has_star=True) == []


# Coverage


def covered(tmp_path: Path, after: str, *, before: str = BEFORE, **more: object) -> RungReport:
    candidate = candidate_of(edit_of("app.py", before, after))
    context, _ = make_context(  # type: ignore[misc]
        tmp_path,
        candidate=candidate,
        before={"app.py": before.encode()},
        **more,  # type: ignore[arg-type]
    )
    return coverage.CHECK.run(context)


def test_changing_the_suspect_covers(tmp_path: Path) -> None:
    assert covered(tmp_path, AFTER).summary == "changes f, where it crashed"


def test_changing_a_caller_on_the_traceback_covers(tmp_path: Path) -> None:
    assert covered(tmp_path, BEFORE.replace("f(x)\n", "f(x.a)\n")).verdict is Verdict.PASS


def test_defining_what_was_missing_covers(tmp_path: Path) -> None:
    assert "now defines" in covered(tmp_path, BEFORE + "\n\nclass X:\n    nmae = 1\n").summary


def test_a_change_elsewhere_warns_and_never_fails(tmp_path: Path) -> None:
    report = covered(tmp_path, BEFORE + "\n\ndef other():\n    return 1\n")
    assert report.verdict is Verdict.WARN
    assert report.summary == "does not touch any function of the traceback"


def test_a_place_on_the_bad_values_trail_covers(tmp_path: Path) -> None:
    before = BEFORE + "\n\ndef source():\n    return None\n"
    candidate = candidate_of(edit_of("app.py", before, before.replace("None", "1")))
    context, _ = make_context(tmp_path, candidate=candidate, before={"app.py": before.encode()})
    diagnosis = replace(context.diagnosis, trail=(Location("app.py", "source", 12),))
    assert coverage.CHECK.run(replace(context, diagnosis=diagnosis)).verdict is Verdict.PASS


def test_an_import_that_the_failing_line_uses_covers(tmp_path: Path) -> None:
    before = "def f(x):\n    return json.loads(x)\n"
    report = crash("NameError", "name 'json' is not defined", line=2, source="return json.loads(x)")
    done = covered(tmp_path, "import json\n\n\n" + before, before=before, report=report, identifier="json")
    assert done.verdict is Verdict.PASS


def test_a_comprehension_counts_as_its_function(tmp_path: Path) -> None:
    report = crash(qualname="f.<locals>.<listcomp>")
    assert covered(tmp_path, AFTER, report=report).verdict is Verdict.PASS


# Ladder


def plain(name: str, verdict: Verdict = Verdict.PASS) -> Check:
    class Rung:
        def __init__(self) -> None:
            self.name = name

        def run(self, context: CheckContext) -> RungReport:
            return make_report(name, verdict, "done")

    return Rung()


def test_there_is_a_check_for_every_rung_in_order() -> None:
    assert tuple(check.name for check in ladder.CHECKS) == RUNGS


def test_climbing_stops_after_the_first_failure(tmp_path: Path) -> None:
    context, _ = make_context(tmp_path)
    checks = [plain("safety", Verdict.FAIL), plain("scope", Verdict.WARN), plain("syntax"), plain("honesty")]
    reports = list(ladder.climb(context, checks))
    assert [r.rung for r in reports] == ["syntax", "scope", "safety"]


def test_a_check_that_breaks_is_a_failure_and_never_a_pass(tmp_path: Path) -> None:
    class Broken:
        name = "safety"

        def run(self, context: CheckContext) -> RungReport:
            raise ZeroDivisionError("token=abcdefghijkl0123456789")

    context, _ = make_context(tmp_path)
    (report,) = ladder.climb(context, [Broken()])
    assert report.verdict is Verdict.FAIL
    assert "itself broke" in report.summary
    assert "abcdefghijkl0123456789" not in report.summary


def test_a_check_that_answers_for_another_rung_fails(tmp_path: Path) -> None:
    class Wrong:
        name = "replay"

        def run(self, context: CheckContext) -> RungReport:
            return make_report("syntax", Verdict.PASS, "fine")

    context, _ = make_context(tmp_path)
    assert next(iter(ladder.climb(context, [Wrong()]))).verdict is Verdict.FAIL


def test_a_good_fix_climbs_all_rungs_and_leaves_the_copy_as_it_was(tmp_path: Path) -> None:
    plan = ReplayPlan("call", module="app", qualname="f")
    context, workspace = make_context(tmp_path, plans=(plan,))
    red = ReplayResult(ReplayStatus.CRASHED, crash(), 1)
    workspace.replays = lambda plan, fixed, count: (
        ReplayResult(ReplayStatus.FINISHED, exit_code=0) if fixed else red
    )
    workspace.tests = lambda fixed, only, count: TestRun(True, "pytest", frozenset({"a"}))
    reports = list(ladder.climb(context))
    assert [(r.rung, r.verdict) for r in reports] == [(rung, Verdict.PASS) for rung in RUNGS]
    assert workspace.files == workspace.originals
    assert (tmp_path / "app.py").read_text() == BEFORE


def test_a_swallowing_fix_stops_at_honesty_and_nothing_is_run(tmp_path: Path) -> None:
    after = BEFORE.replace(
        "    return x.nmae", "    try:\n        return x.nmae\n    except Exception:\n        pass"
    )
    context, workspace = make_context(tmp_path, candidate=candidate_of(edit_of("app.py", BEFORE, after)))
    reports = list(ladder.climb(context))
    assert (reports[-1].rung, reports[-1].verdict) == ("honesty", Verdict.FAIL)
    assert workspace.log == ["compile app.py True"]
    assert (tmp_path / "app.py").read_text() == BEFORE


def test_details_are_bounded() -> None:
    report = make_report("tests", Verdict.WARN, "x" * 1000, ["y" * 5000] * 100)
    assert len(report.summary) <= 200
    assert len(report.details) <= 41
    assert all(len(d) <= 600 for d in report.details)
