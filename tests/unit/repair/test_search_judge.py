"""Green variants that behave alike are one fix; those that do not are rivals, and thin evidence is called thin."""

from __future__ import annotations

import pytest

from selfheal_tui.model.laboratory import Behaviour, LineTrace, TracedCall, TrialRun
from selfheal_tui.repair.search.generate import Change
from selfheal_tui.repair.search.judge import alike, doubt, findings, rivals
from selfheal_tui.repair.search.localise import ochiai, source_of, suspects


def change(weight: float, kind: str = "constant") -> Change:
    return Change("lib.py", "f", (kind,), 2, (), "", weight)


BEFORE = Behaviour(("1", "2", "3"), ("4", "5", "!ValueError"))


def run(**behaviour: Behaviour) -> TrialRun:
    known = {int(name[1:]): marks for name, marks in behaviour.items()}
    return TrialRun(
        unchanged="red",
        statuses=dict.fromkeys(known, "green"),
        inputs=dict.fromkeys(known, 3),
        behaviour={-1: BEFORE, **known},
    )


SAME = Behaviour(("9", "8", "3"), ("7", "5", "6"))


def test_variants_with_the_same_results_are_one_fix_and_the_likelier_one_speaks_for_them() -> None:
    found = findings(run(v0=SAME, v1=SAME), [change(0.2), change(0.5)])
    assert [(f.change.weight, f.alike, f.changed, f.doubt) for f in found] == [(0.5, 1, 2, "")]


def test_variants_that_differ_on_what_the_program_passed_are_rivals() -> None:
    other = Behaviour(("9", "8", "4"), SAME.near)
    assert len(findings(run(v0=SAME, v1=other), [change(0.5), change(0.4)])) == 2


def test_variants_that_differ_on_a_neighbour_are_rivals() -> None:
    other = Behaviour(SAME.real, ("0", "5", "6"))
    assert len(findings(run(v0=SAME, v1=other), [change(0.5), change(0.4)])) == 2


def test_a_neighbour_that_nobody_has_to_deal_with_tells_nothing() -> None:
    raises = Behaviour(SAME.real, ("7", "5", "!KeyError"))
    assert alike(SAME, raises, BEFORE)
    assert not alike(SAME, Behaviour(SAME.real, ("!KeyError", "5", "6")), BEFORE)


def test_what_cannot_be_compared_is_never_alike() -> None:
    assert not alike(SAME, None, BEFORE)
    assert not alike(Behaviour(), Behaviour(), BEFORE)


@pytest.mark.parametrize(("inputs", "changed", "unreadable"), [(1, 1, 0), (2, 2, 0), (0, 0, 3), (9, 0, 0)])
def test_little_that_was_seen_is_a_doubt(inputs: int, changed: int, unreadable: int) -> None:
    assert doubt(inputs, changed, unreadable)


def test_much_that_was_seen_is_none() -> None:
    assert not doubt(3, 2, 0)


def test_far_less_likely_behaviours_are_no_rivals() -> None:
    found = findings(
        run(v0=SAME, v1=Behaviour(("9", "8", "4"), ()), v2=Behaviour(("9", "8", "5"), ())),
        [change(0.5), change(0.4), change(0.05)],
    )
    assert [f.change.weight for f in rivals(found, 0.3)] == [0.5, 0.4]
    assert rivals([], 0.3) == []


def trace(*lines: int, failed: bool = False) -> LineTrace:
    return LineTrace(lines={"lib.py": frozenset(lines)}, test="t", failed=failed)


def test_lines_that_only_the_failing_run_executed_weigh_most() -> None:
    weights = ochiai([trace(1, 2, 5)], [trace(1, 2), trace(1, 2, 3)])
    assert weights["lib.py", 5] == 1.0
    assert weights["lib.py", 2] < 0.6
    assert ("lib.py", 3) not in weights


TEXT = """
def near(a):
    return a + 1

def far(a):
    return near(a)

def check():
    assert far(1) == 1

def setup():
    return 3
"""


def test_functions_that_the_noticing_place_called_come_alone_nearest_first() -> None:
    calls = (
        TracedCall("lib.py", 2, 1, 1, 3, True),
        TracedCall("lib.py", 5, 1, 0, 2, True),
        TracedCall("lib.py", 8, 1, 0, 1, False),
        TracedCall("lib.py", 11, 1, 0, 0, False),
    )
    ran = LineTrace(lines={"lib.py": frozenset(range(1, 20))}, calls=calls)
    found, sources = suspects(ran, (), lambda path: source_of(path, TEXT), {("lib.py", "check")}, most=9)
    assert [t.qualname for t in found] == ["far", "near"]
    assert set(sources) == {"lib.py"}


def test_a_passing_test_takes_the_blame_off_what_it_executes() -> None:
    calls = (TracedCall("lib.py", 2, 1, 0, 3, True), TracedCall("lib.py", 5, 1, 0, 2, True))
    ran = LineTrace(lines={"lib.py": frozenset((3, 6))}, calls=calls)
    found, _ = suspects(ran, [trace(6), trace(6)], lambda path: source_of(path, TEXT), (), most=9)
    assert [t.qualname for t in found] == ["near", "far"]


def test_files_that_no_fix_may_touch_are_not_suspected() -> None:
    ran = LineTrace(lines={"lib.py": frozenset((3,))}, calls=(TracedCall("lib.py", 2, 1, 0, 3, True),))
    assert suspects(ran, (), lambda _: None, (), most=9) == ([], {})


def test_those_that_were_not_told_apart_are_kept_at_hand() -> None:
    weights = (0.2, 0.5, 0.4, 0.3)
    found = findings(run(v0=SAME, v1=SAME, v2=SAME, v3=SAME), [change(w) for w in weights])
    assert [c.weight for c in found[0].others] == [0.4, 0.3]


def test_a_fix_is_not_called_the_only_one_while_likely_changes_are_untried() -> None:
    tried = [change(0.5), change(0.4), change(0.1)]
    assert "were not tried in time" in findings(run(v0=SAME), tried)[0].doubt
    known = run(v0=SAME)
    known = TrialRun("", "red", 0.0, {0: "green", 1: "red"}, known.inputs, 0, known.behaviour)
    assert findings(known, tried)[0].doubt == ""
