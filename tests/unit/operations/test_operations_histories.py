"""History, insights and their files: bounded, free of markup and formulas, and never over another's file."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from operations_world import NOW

from selfheal_tui.model.record import HealingAttempt, Learned, ProvenFix
from selfheal_tui.operations import histories, insights
from selfheal_tui.operations.exports import ExportRefusedError, signed_svg, write_export
from selfheal_tui.operations.histories import HistoryReader, attempt_of
from selfheal_tui.operations.insights import Ledger, insights_of
from selfheal_tui.source.display import visible
from selfheal_tui.store import Store

ATTEMPT = HealingAttempt(
    timestamp="2026-09-21T14:13:20+00:00",
    issue_hash="12345678",
    issue_type="bug",
    severity="high",
    file="app.py",
    validation={"valid": True, "errors": [], "warnings": ["tests: 1 left"], "rungs": {"syntax": "pass"}},
    success=True,
    fix_preview="--- a\n+++ b\n-x\n+y\n",
    incident_id="a1b2",
    error="NameError: x",
    outcome="healed",
    proposer="rules",
    rule="misspelt-name",
    decided_by="operator:kim",
    seconds=4.0,
)
hostile = st.text(
    alphabet=st.one_of(st.characters(), st.sampled_from("\x1b\u202e|`\n=+-@\t<>[]*")), max_size=80
)


def test_a_row_tells_what_is_on_record() -> None:
    row = attempt_of(ATTEMPT, 3)
    assert (row.key, row.at, row.by, row.kind) == ("3", NOW, "rules/misspelt-name", "bug high")
    assert row.standing.word == "healed"
    assert row.validation == ("warn: tests: 1 left", "syntax pass")
    assert row.preview.splitlines()[-1] == "+y"


@given(hostile)
def test_every_form_keeps_to_its_shape_whatever_a_program_said(text: str) -> None:
    made = replace(ATTEMPT, error=text, file=text, rule=text, decided_by=text, incident_id=text)
    rows = [attempt_of(made, 0), attempt_of(ATTEMPT, 1)]
    for form in histories.FORMS:
        content = histories.exported(rows, form, project="p", at=NOW)
        assert visible(content) == content
    table = histories.exported(rows, "csv", project="p", at=NOW)
    parsed = list(csv.reader(io.StringIO(table)))
    assert len(parsed) == 3
    assert len({len(cells) for cells in parsed}) == 1
    assert not any(cell.startswith(("=", "+", "-", "@")) for cells in parsed for cell in cells)
    report = histories.exported(rows, "md", project="p", at=NOW).splitlines()
    assert {one.count("|") for one in report[5:]} == {8}
    assert len(json.loads(histories.exported(rows, "json", project="p", at=NOW))["attempts"]) == 2


def test_there_is_no_other_form() -> None:
    with pytest.raises(ValueError, match="choose one of"):
        histories.exported([], "xml", project="p", at=NOW)


def test_only_new_attempts_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store.open(tmp_path) as store:
        reader = HistoryReader()
        store.attempts.append(ATTEMPT)
        (first,) = reader.rows(store.attempts)
        store.attempts.append(replace(ATTEMPT, outcome="failed", success=False))
        assert [row.standing.word for row in reader.rows(store.attempts)] == ["healed", "failed"]
        assert reader.rows(store.attempts)[0] is first
        assert [attempt.outcome for attempt in store.attempts.all(after=1)] == ["failed"]


# -- files ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", histories.FORMS)
def test_an_export_may_be_written_anew_and_nothing_else_is_touched(tmp_path: Path, form: str) -> None:
    text = histories.exported([], form, project="p", at=NOW)
    for _ in range(2):
        place = write_export(tmp_path, f"out.{form}", text)
        assert place.read_text() == text
    assert [file.name for file in tmp_path.iterdir()] == [f"out.{form}"]


def test_somebody_elses_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("about selfheal-tui\n")
    (tmp_path / "link.md").symlink_to(tmp_path / "elsewhere.md")
    (tmp_path / "folder").mkdir()
    (tmp_path / "late.md").write_text("x" * 5000 + histories.MADE_BY)
    for name in (
        "README.md",
        "link.md",
        "folder",
        "late.md",
        "../out.md",
        "nowhere/out.md",
        "",
        "folder/../../x",
    ):
        with pytest.raises(ExportRefusedError):
            write_export(tmp_path, name, "text")
    assert (tmp_path / "README.md").read_text() == "about selfheal-tui\n"
    assert not (tmp_path / "elsewhere.md").exists()
    assert not (tmp_path.parent / "out.md").exists()


def test_a_folder_that_leads_out_of_the_root_is_refused(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "way").symlink_to(outside)
    with pytest.raises(ExportRefusedError, match="leads out"):
        write_export(root, "way/out.md", "text")
    assert list(outside.iterdir()) == []
    assert write_export(root, str(outside / "out.md"), "text").exists(), "an absolute path is meant"


def test_a_drawing_is_signed(tmp_path: Path) -> None:
    drawing = signed_svg('<?xml version="1.0"?>\n<svg width="1"><g/></svg>')
    for _ in range(2):
        write_export(tmp_path, "plots.svg", drawing)
    with pytest.raises(ExportRefusedError):
        signed_svg("no drawing")


# -- insights ---------------------------------------------------------------------------------------


def test_numbers_add_up(tmp_path: Path) -> None:
    day = 86_400.0
    attempts = [attempt_of(ATTEMPT, 0), attempt_of(replace(ATTEMPT, success=False, outcome="failed"), 1)]
    with Store.open(tmp_path, clock=lambda: NOW) as store:
        for usd, tokens in ((0.25, 100), (None, 50)):
            store.audit.append("candidate.judged", actor="engine", data={"usd": usd, "tokens": tokens})
        ledger = Ledger()
        ledger.read(store.trail)
        store.audit.append("model.asked", actor="engine", data={"usd": 0.5, "tokens": 1})
        ledger.read(store.trail)
    found = insights_of(
        [NOW, NOW, NOW - 2 * day],
        attempts,
        learned=[Learned("rule:a", 3, 1), Learned("model:m", 1, 0), Learned("fingerprint:f", 9, 9)],
        proven=[ProvenFix("f", "NameError", "", "", "run", "app.py", "rules/a")],
        ledger=ledger,
        now=NOW,
    )
    assert found.per_day.values == (1.0, 0.0, 2.0)
    assert sum(found.money.values) == 0.75
    assert dict(zip(found.outcomes.labels, found.outcomes.values, strict=True)) == {
        "healed": 1.0,
        "failed": 1.0,
    }
    assert (found.by_rule.labels, found.by_rule.values) == (("a", "model:m"), (75.0, 100.0))
    assert found.by_rule_counts.values == (4.0, 1.0)
    assert found.time_to_heal.values[-1] == 4.0
    assert found.totals["success rate"] == "50 %"
    assert found.totals["tokens"] == "151"
    assert len(found.learned) == 3
    assert json.loads(insights.exported(found, project="p", at=NOW))["totals"] == found.totals


def test_nothing_yet_is_no_error() -> None:
    found = insights_of([], [], learned=[], proven=[], ledger=Ledger(), now=NOW)
    assert found.outcomes.values == ()
    assert found.per_day.values == (0.0,)


def test_a_clock_that_was_wrong_does_not_make_a_million_days() -> None:
    found = insights_of([0.0, 1e300, -1e300, NOW], [], learned=[], proven=[], ledger=Ledger(), now=NOW)
    assert len(found.per_day.values) <= insights.MOST_DAYS
