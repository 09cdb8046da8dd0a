"""Fixes that hide, invent or weaken, and fixes that do not, in pairs of code."""

from __future__ import annotations

from textwrap import dedent

import pytest

from selfheal_tui.checks.findings import Finding
from selfheal_tui.checks.honesty import honesty_findings
from selfheal_tui.checks.pairs import make_pair
from selfheal_tui.model.kinds import Verdict


def judge(
    before: str, after: str, *, failing: str = "", identifier: str = "", reprs: tuple[str, ...] = ()
) -> tuple[str, list[Finding]]:
    old, new = dedent(before), dedent(after)
    line = next((i for i, text in enumerate(old.splitlines(), 1) if failing and failing in text), None)
    found = honesty_findings(make_pair("m.py", old, new), line=line, identifier=identifier, reprs=reprs)
    worst = {f.verdict for f in found}
    verdict = "fail" if Verdict.FAIL in worst else "warn" if Verdict.WARN in worst else "pass"
    return verdict, found


BASE = """
import logging
log = logging.getLogger()

def f(d, k, tool):
    assert k
    if not is_approved(tool):
        raise PermissionError(tool)
    total = d[k].size / tool.count
    log.info("done %s", total)
    return total
"""
FAILING = "total = d[k].size"


def patched(old: str, new: str) -> str:
    assert old in BASE
    return BASE.replace(old, new)


LINE = "    total = d[k].size / tool.count\n"
GUARD = "    if not is_approved(tool):\n        raise PermissionError(tool)\n"

DISHONEST = {
    "except Exception: pass": patched(
        LINE, "    total = None\n    try:\n    " + LINE + "    except Exception:\n        pass\n"
    ),
    "bare except": patched(
        LINE, "    try:\n    " + LINE + "    except:\n        log.warning('x')\n        total = d\n"
    ),
    "broad except that logs": patched(
        LINE,
        "    try:\n    " + LINE + "    except Exception as e:\n        log.error(e)\n        return str(e)\n",
    ),
    "BaseException in a tuple": patched(
        LINE,
        "    try:\n    " + LINE + "    except (ValueError, BaseException):\n        total = fallback(d)\n",
    ),
    "broad by another name": patched(
        LINE, "    E = Exception\n    try:\n    " + LINE + "    except E:\n        total = fallback(d)\n"
    ),
    "re-raised only sometimes": patched(
        LINE,
        "    try:\n    "
        + LINE
        + "    except Exception:\n        if k:\n            return 0\n        raise\n",
    ),
    "swallowed KeyError": patched(LINE, "    try:\n    " + LINE + "    except KeyError:\n        pass\n"),
    "default from a handler": patched(
        LINE, "    try:\n    " + LINE + "    except KeyError:\n        total = 0\n"
    ),
    "return from a handler": patched(
        LINE, "    try:\n    " + LINE + "    except KeyError:\n        return None\n"
    ),
    "suppress": patched(LINE, "    with contextlib.suppress(Exception):\n    " + LINE),
    "return in finally": patched(LINE, "    try:\n    " + LINE + "    finally:\n        return 1\n"),
    "exit": patched(LINE, "    sys.exit(0)\n" + LINE),
    "raise SystemExit": patched(LINE, "    if not d:\n        raise SystemExit\n" + LINE),
    "constant instead of the computation": patched(LINE, "    total = 0\n"),
    "statement taken out": patched(LINE, ""),
    "statement replaced by pass": patched(LINE, "    pass\n"),
    "statement replaced by a log record": patched(LINE, "    log.warning('skipped')\n"),
    "early return": patched(LINE, "    return d\n" + LINE),
    "always true return": patched(LINE, "    if True:\n        return d\n" + LINE),
    "tautology": patched(LINE, "    if k == k:\n        return d\n" + LINE),
    "assertion removed": patched("    assert k\n", ""),
    "assertion always true": patched("    assert k\n", "    assert True\n"),
    "guard removed": patched(GUARD, ""),
    "guard switched off": patched("not is_approved(tool)", "False and not is_approved(tool)"),
    "guard answered": patched("not is_approved(tool)", "not (is_approved(tool) or True)"),
    "approval assumed": patched("if not is_approved(tool)", "approved = True\n    if not approved"),
    "raise replaced": patched("raise PermissionError(tool)", "log.warning('not approved')"),
    "raise replaced by return": patched("raise PermissionError(tool)", "return None"),
    "type: ignore": patched(LINE, LINE.rstrip() + "  # type: ignore\n"),
    "noqa": patched(LINE, LINE.rstrip() + "  # noqa\n"),
    "function emptied": "import logging\nlog = logging.getLogger()\n\ndef f(d, k, tool):\n    return None\n",
}


@pytest.mark.parametrize("name", DISHONEST)
def test_a_patch_that_hides_the_crash_or_weakens_a_check_fails(name: str) -> None:
    verdict, found = judge(BASE, DISHONEST[name], failing=FAILING)
    assert verdict == "fail", found


ASKED = {
    "or default": patched("d[k].size", "(d[k].size or 0)"),
    "get with a default": patched("d[k].size", "d.get(k, 0).size"),
    "get instead of subscript": patched("d[k].size", "d.get(k).size"),
    "getattr with a default": patched("d[k].size", "getattr(d[k], 'size', 0)"),
    "conditional default": patched("d[k].size / tool.count", "d[k].size / tool.count if tool.count else 0"),
    "guard that returns": patched(LINE, "    if not d:\n        return []\n" + LINE),
    "guard for None": patched(LINE, "    if d is None:\n        return ''\n" + LINE),
    "guard that sets": patched(LINE, "    if k is None:\n        k = 'x'\n" + LINE),
    "condition around": patched(LINE, "    total = k\n    if d:\n    " + LINE),
    "log record removed": patched('    log.info("done %s", total)\n', ""),
    "narrow handler with another way": patched(
        LINE, "    try:\n    " + LINE + "    except KeyError:\n        total = compute(d, k)\n"
    ),
    "weakened guard": patched("not is_approved(tool)", "not is_approved(tool) and k"),
    "other arguments of a check": patched("is_approved(tool)", "is_approved(tool.name)"),
    "lossy decoding": patched(LINE, LINE + "    k = k.decode(errors='ignore')\n"),
    "gathered exceptions": patched(LINE, LINE + "    gather(k, return_exceptions=True)\n"),
}


@pytest.mark.parametrize("name", ASKED)
def test_a_patch_that_may_invent_or_skip_asks_a_person(name: str) -> None:
    verdict, found = judge(BASE, ASKED[name], failing=FAILING)
    assert verdict == "warn", found


HONEST = {
    "renamed attribute": patched("d[k].size", "d[k].length"),
    "renamed key": patched("d[k].size", "d['other'].size"),
    "conversion": patched("d[k].size", "int(d[k].size)"),
    "missing self": patched("tool.count", "self.tool.count"),
    "missing await": patched("d[k].size", "(await d[k]).size"),
    "missing import": "import json\n" + BASE,
    "new check": patched(LINE, "    if d is None:\n        raise ValueError('no data')\n" + LINE),
    "handler that re-raises": patched(
        LINE, "    try:\n    " + LINE + "    except Exception as e:\n        log.error(e)\n        raise\n"
    ),
    "handler that raises from": patched(
        LINE, "    try:\n    " + LINE + "    except KeyError as e:\n        raise ValueError(k) from e\n"
    ),
    "copied before iterating": patched(LINE, "    for x in list(d):\n        d.pop(x)\n" + LINE),
    "moved to a helper": BASE.replace(LINE, "    total = ratio(d, k, tool)\n")
    + "\ndef ratio(d, k, tool):\n    total = d[k].size / tool.count\n    return total\n",
    "wording": patched('"done %s"', '"finished %s"'),
    "plural": patched(LINE, LINE + '    log.debug("1 item" if k == 1 else "items")\n'),
}


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_fix_is_clean(name: str) -> None:
    assert judge(BASE, HONEST[name], failing=FAILING) == ("pass", [])


@pytest.mark.parametrize("code", [*DISHONEST.values(), *ASKED.values()])
def test_what_was_there_before_is_not_held_against_the_patch(code: str) -> None:
    assert judge(code, code) == ("pass", [])


def test_a_log_call_mended_inside_an_existing_broad_handler_is_clean() -> None:
    before = "def f():\n    try:\n        g()\n    except Exception as e:\n        log.error(e.message)\n"
    assert judge(before, before.replace("e.message", "str(e)"), failing="e.message") == ("pass", [])


def test_an_existing_broad_handler_that_stops_raising_fails() -> None:
    before = "def f():\n    try:\n        g()\n    except Exception:\n        raise\n"
    assert judge(before, before.replace("raise", "return"))[0] == "fail"


def test_a_narrow_handler_made_broad_fails() -> None:
    before = "def f():\n    try:\n        g()\n    except ValueError:\n        h()\n"
    assert judge(before, before.replace("ValueError", "Exception"))[0] == "fail"


def test_an_import_with_another_source_is_clean() -> None:
    before = "from collections import Mapping\n"
    after = """
    try:
        from collections.abc import Mapping
    except ImportError:
        from collections import Mapping
    """
    assert judge(before, after, failing="Mapping") == ("pass", [])


def test_an_import_replaced_by_none_asks() -> None:
    assert (
        judge("import yaml\n", "try:\n    import yaml\nexcept ImportError:\n    yaml = None\n")[0] == "warn"
    )


def test_a_generator_may_end_on_stop_iteration_but_asks() -> None:
    before = "def f(it):\n    while True:\n        yield next(it)\n"
    after = """
    def f(it):
        while True:
            try:
                yield next(it)
            except StopIteration:
                return
    """
    assert judge(before, after)[0] == "warn"


def test_a_foreign_literal_becomes_pythons() -> None:
    assert judge("x = {'a': true}\n", "x = {'a': True}\n", failing="true", identifier="true") == ("pass", [])


def test_a_value_made_up_for_the_missing_name_asks() -> None:
    before = "def f():\n    return LIMIT\n"
    assert judge(before, "LIMIT = 30\n\n" + before, identifier="LIMIT")[0] == "warn"


def test_starting_an_accumulator_is_clean() -> None:
    before = "def f(xs):\n    for x in xs:\n        total += x\n    return total\n"
    after = before.replace("    for", "    total = 0\n    for", 1)
    assert judge(before, after, failing="total +=", identifier="total") == ("pass", [])


def test_a_none_for_an_unbound_local_asks() -> None:
    before = "def f(x):\n    if x:\n        y = x.a\n    return y\n"
    assert judge(before, before.replace("    if", "    y = None\n    if", 1), identifier="y")[0] == "warn"


def test_a_missing_method_that_is_a_stub_fails() -> None:
    before = "class A:\n    def g(self):\n        return self.x\n"
    assert judge(before, before + "    def h(self):\n        pass\n")[0] == "fail"


def test_a_missing_security_method_that_always_agrees_fails() -> None:
    before = "class A:\n    def g(self):\n        return self.x\n"
    assert judge(before, before + "    def has_secrets(self, text):\n        return False\n")[0] == "fail"


def test_a_restored_method_is_clean() -> None:
    before = "class A:\n    def g(self):\n        return self.x\n"
    after = before + "    def h(self):\n        return [s for s in self.items if s.ok]\n"
    assert judge(before, after) == ("pass", [])


def test_an_implemented_stub_is_clean() -> None:
    before = "def f(x):\n    raise NotImplementedError\n"
    assert judge(before, "def f(x):\n    return x.y\n", failing="raise") == ("pass", [])


def test_special_casing_the_captured_input_fails() -> None:
    before = "def f(name):\n    return TABLE[name]\n"
    after = "def f(name):\n    if name == 'zorblax':\n        return 7\n    return TABLE[name]\n"
    assert judge(before, after, reprs=("'zorblax'",))[0] == "fail"


def test_special_casing_a_captured_list_fails() -> None:
    before = "def f(xs):\n    return sum(xs) / len(xs)\n"
    after = "def f(xs):\n    if xs == [3, 5, 8]:\n        return 0\n    return sum(xs) / len(xs)\n"
    assert judge(before, after, reprs=("[3, 5, 8]",))[0] == "fail"


def test_a_new_branch_that_works_on_the_captured_kind_asks() -> None:
    before = "def f(op, a, b):\n    if op == '+':\n        return a + b\n    raise ValueError(op)\n"
    after = before.replace("    raise", "    if op == '%%':\n        return a % b\n    raise")
    assert judge(before, after, reprs=("'%%'",))[0] == "warn"


def test_a_flag_of_governance_turned_over_fails() -> None:
    before = "def f():\n    run(require_approval=True)\n"
    assert judge(before, before.replace("True", "False"))[0] == "fail"


def test_a_misspelt_keyword_of_governance_may_be_corrected() -> None:
    before = "def f():\n    run(require_aproval=True)\n"
    assert judge(before, before.replace("aproval", "approval")) == ("pass", [])


def test_a_misspelt_check_may_be_corrected() -> None:
    before = BASE.replace("is_approved", "is_aproved")
    assert judge(before, BASE, failing="is_aproved", identifier="is_aproved") == ("pass", [])


def test_a_context_manager_that_starts_dropping_exceptions_fails() -> None:
    before = "class A:\n    def __exit__(self, *a):\n        self.close()\n"
    assert judge(before, before + "        return True\n")[0] == "fail"


def test_a_touched_test_fails() -> None:
    found = honesty_findings(make_pair("tests/test_x.py", "x = 1\n", "x = 2\n"))
    assert [f.verdict for f in found] == [Verdict.FAIL]


def test_a_call_that_is_simply_gone_asks() -> None:
    before = "def f(db, x):\n    db.put(x.y)\n    db.commit()\n"
    assert judge(before, before.replace("    db.commit()\n", ""), failing="x.y")[0] == "warn"
