"""The bench: what is copied, what is carried over, how a case is scored, and how results are summed up and drawn."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.model.settings import ModelSettings
from selfheal_tui.supervisor.bench.cases import BenchError, Case, find_cases, fresh_copy, interpreter_of
from selfheal_tui.supervisor.bench.chart import chart
from selfheal_tui.supervisor.bench.healing import Healer
from selfheal_tui.supervisor.bench.processes import TIMED_OUT, Ended, Processes
from selfheal_tui.supervisor.bench.result import (
    FORMAT,
    CaseResult,
    Record,
    Score,
    With,
    earlier_results,
    read_record,
    write_record,
)
from selfheal_tui.supervisor.bench.running import run_cases
from selfheal_tui.supervisor.bench.scoring import Bench, read_tests
from selfheal_tui.supervisor.bench.tally import percentile, tallies, wilson

FAULTY = "def half(n):\n    return n / 0\n"
CURED = FAULTY.replace("/ 0", "/ 2")
CHECK = """\
import json, sys
sys.path.insert(0, sys.argv[1])
from half import half
passed = []
for name, n, wanted in (("four", 4, 2), ("six", 6, 3)):
    try:
        if half(n) == wanted:
            passed.append(name)
    except Exception:
        pass
failed = [n for n in ("four", "six") if n not in passed]
print(json.dumps({"expected": 2, "passed": len(passed), "failed": failed}))
sys.exit(bool(failed))
"""


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    folder = tmp_path / "bench" / "cases" / "half"
    (folder / "buggy" / "tests").mkdir(parents=True)
    (folder / "buggy" / "half.py").write_text(FAULTY)
    (folder / "buggy" / "tests" / "test_half.py").write_text("")
    (folder / "repro.py").write_text("from half import half\nassert half(4) == 2\n")
    (folder / "fix.patch").write_text("the true fix, which nobody may see")
    (tmp_path / "bench" / "harness").mkdir()
    (tmp_path / "bench" / "harness" / "check.py").write_text(CHECK)
    data = {
        "split": "A",
        "kind": "division",
        "exception": "ZeroDivisionError",
        "protected": ["tests/", "repro.py"],
        "tests": "{python} {harness}/check.py {dir}",
    }
    (folder / "case.json").write_text(json.dumps(data))
    return tmp_path / "bench"


class Writes(Healer):
    """A healer that leaves files behind."""

    def heal(
        self, copy: Path, repro: Sequence[str], processes: Processes, environ: Mapping[str, str]
    ) -> Ended:
        assert not list(copy.rglob("fix.patch"))
        for name, text in self.settings.items():
            (copy / name).parent.mkdir(exist_ok=True)
            (copy / name).write_text(text)
        return Ended(0, "", "", 0.5)


def bench(cases: Path, files: dict[str, str], **more: bool) -> Bench:
    (case,) = find_cases(cases)
    healer = Writes(With.RULES, ModelSettings(), {}, 60.0, files)
    return Bench(case, sys.executable, str(cases / "harness"), healer, Processes(), **more)


@pytest.mark.parametrize(
    ("files", "score"),
    [
        ({"half.py": CURED}, Score.HEALED),
        ({"half.py": FAULTY.replace("n / 0", "2")}, Score.PLAUSIBLE),
        ({"half.py": FAULTY.replace("/ 0", "/ 1")}, Score.UNHEALED),
        ({}, Score.NO_CHANGE),
        ({"repro.py": "", "tests/test_half.py": "x = 1"}, Score.NO_CHANGE),
        ({"data.bin": "left behind", "__pycache__/half.cpython-311.pyc": "x"}, Score.NO_CHANGE),
    ],
)
def test_scores(cases: Path, files: dict[str, str], score: Score) -> None:
    result = bench(cases, files).score()
    assert result.score is score, result
    assert result.seconds == 0.5
    assert result.touched == tuple(
        name for name in sorted(files) if name in ("repro.py", "tests/test_half.py")
    )


def test_a_fix_that_loses_tests_broke_it(cases: Path) -> None:
    (folder,) = (cases / "cases").iterdir()
    (folder / "buggy" / "half.py").write_text("def half(n):\n    return 3 if n == 6 else n / 0\n")
    result = bench(cases, {"half.py": "def half(n):\n    return None\n"}).score()
    assert (result.score, result.lost) == (Score.BROKE_IT, ("six",))


def test_a_case_without_its_fault_is_a_bad_case(cases: Path) -> None:
    (folder,) = (cases / "cases").iterdir()
    (folder / "repro.py").write_text("")
    assert bench(cases, {"half.py": CURED}).score().score is Score.BAD_CASE


def test_hidden_tests_are_not_there_for_the_healer_and_hiding_is_no_change(
    cases: Path, tmp_path: Path
) -> None:
    (case,) = find_cases(cases)
    assert not (fresh_copy(case, tmp_path / "copy", tests=False) / "tests").exists()
    result = bench(cases, {}, hide_tests=True).score()
    assert (result.score, result.touched, result.tests_hidden, result.note) == (Score.NO_CHANGE, (), True, "")


def test_a_repro_that_is_a_test_keeps_its_tests_and_they_judge_nothing(
    cases: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder,) = (cases / "cases").iterdir()
    (folder / "repro.py").write_text("import tests.test_half\nfrom half import half\nassert half(4) == 2\n")
    seen: list[tuple[bool, Mapping[str, str]]] = []

    def heal(self: Writes, copy: Path, *_: object) -> Ended:
        seen.append(((copy / "tests").exists(), self.settings))
        return Ended(0, "", "", 0.5)

    monkeypatch.setattr(Writes, "heal", heal)
    result = bench(cases, {}, hide_tests=True).score()
    assert (result.score, "its repro needs its tests" in result.note) == (Score.NO_CHANGE, True)
    assert seen == [(True, {"SELFHEAL_PROJECT_RUN_TESTS": "false"})]


def test_the_real_healer_is_told_who_is_asked(cases: Path) -> None:
    model = ModelSettings(name="openai/x", api_key_env="MY_KEY", escalate_to="openai/y")
    environ = {"MY_KEY": "k", "OTHER": "o"}
    rules = Healer(With.RULES, model, environ, 1.0)._variables()
    assert (rules["SELFHEAL_MODEL_NAME"], "MY_KEY" in rules) == ("", False)
    alone = Healer(With.MODEL, model, environ, 1.0)._variables()
    assert (alone["SELFHEAL_REPAIR_PROPOSERS"], alone["SELFHEAL_MODEL_ESCALATE_TO"]) == ("llm", "openai/y")
    assert (alone["MY_KEY"], "OTHER" in alone) == ("k", False)
    assert Healer(With.BOTH, model, environ, 1.0)._variables()["SELFHEAL_REPAIR_PROPOSERS"] == ""


def test_cases_are_chosen_by_id_kind_split_or_origin(cases: Path) -> None:
    assert len(find_cases(cases / "cases", ["div*"])) == len(find_cases(cases, ["A"])) == 1
    with pytest.raises(BenchError, match="no case matches"):
        find_cases(cases, ["B"])


def test_what_cannot_be_used_is_an_error_with_a_remedy(cases: Path, tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="holds no case"):
        find_cases(tmp_path / "bench" / "harness")
    (case,) = find_cases(cases)
    with pytest.raises(BenchError, match="BENCH_ENVS"):
        interpreter_of(replace(case, environment="nowhere"), {"BENCH_ENVS": str(tmp_path)})
    (case.folder / "case.json").write_text("[")
    with pytest.raises(BenchError, match=r"case\.json"):
        find_cases(cases)


def test_a_command_is_ended_at_its_time_limit_with_all_that_it_started(tmp_path: Path) -> None:
    code = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(99)']); time.sleep(99)"
    ended = Processes().run([sys.executable, "-c", code], cwd=tmp_path, environ={}, seconds=0.5)
    assert ended.code == TIMED_OUT


def test_done_cases_are_not_run_again(cases: Path) -> None:
    def make(case: Case, mode: With, processes: Processes) -> Bench:
        return bench(cases, {"half.py": CURED})

    found = find_cases(cases)
    (result,) = run_cases(found, [With.RULES], make, jobs=2)
    assert list(run_cases(found, [With.RULES], make, jobs=2, done=[result])) == []


def test_results_are_kept_and_gone_on_with_only_if_made_alike(tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    done = CaseResult("a", With.BOTH, score=Score.HEALED, usd=None)
    record = Record(FORMAT, "1", "openai/x", False, (done, CaseResult("b", With.BOTH, score=Score.ERROR)))
    assert earlier_results(file, record) == ()
    write_record(file, record)
    assert read_record(file) == record
    assert earlier_results(file, record) == (done,)
    for other in (replace(record, hide_tests=True), replace(record, version="2"), replace(record, model="y")):
        with pytest.raises(BenchError):
            earlier_results(file, other)
    file.write_text("{}")
    with pytest.raises(BenchError, match="--out"):
        read_record(file)


@pytest.mark.parametrize(
    ("code", "out", "passed"),
    [
        (0, "..", 1),
        (1, "F", 0),
        (0, '{"expected": 3, "passed": 3, "failed": []}', 3),
        (1, '{"expected": 3}', 0),
    ],
)
def test_a_plain_test_command_counts_by_its_status(code: int, out: str, passed: int) -> None:
    tests = read_tests(Ended(code, out, "", 0.0))
    assert (tests.ok, tests.passed) == (code == 0, passed)


def test_sums_count_every_wrong_change_as_false_and_leave_bad_cases_out() -> None:
    scores = [Score.HEALED, Score.PLAUSIBLE, Score.UNHEALED, Score.NO_CHANGE, Score.BAD_CASE]
    results = [
        CaseResult(str(n), With.RULES, "A", "k", score=score, seconds=n, tokens=n, diff_lines=2)
        for n, score in enumerate(scores)
    ]
    total = tallies(results)[0]
    assert (total.cases, total.repair_rate, total.false_fix_rate, total.bad_cases) == (4, 0.25, 0.5, 1)
    assert (total.seconds_median, total.seconds_p95, total.tokens, total.diff_median) == (1.5, 3, 6, 2)
    assert [t.group for t in tallies(results)] == ["all", "split", "kind"]
    assert tallies([replace(results[0], usd=None)])[0].usd is None


@given(st.integers(0, 200), st.integers(0, 200))
def test_an_interval_holds_its_share(successes: int, others: int) -> None:
    low, high = wilson(successes, successes + others)
    assert 0 <= low <= high <= 1
    if successes + others:
        assert low - 1e-9 <= successes / (successes + others) <= high + 1e-9


@given(st.lists(st.floats(0, 1e6), min_size=1))
def test_a_percentile_is_one_of_the_values(values: list[float]) -> None:
    ordered = sorted(values)
    found = percentile(ordered, 0.95)
    assert found in ordered
    assert sum(v <= found for v in ordered) >= 0.95 * len(ordered)


def test_a_chart_is_well_formed_and_names_what_it_shows() -> None:
    results = [CaseResult("a", With.RULES, "A", "<kind> & more", score=Score.HEALED)]
    svg = chart(tallies(results), 'Repair "rates"')
    text = "".join(ET.fromstring(svg).itertext())
    assert "<kind> & more" in text
    assert "100% healed" in text
