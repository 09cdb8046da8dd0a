"""Tables of small crashing projects for the rules about names, and the two questions asked of each.

A `Cure` must be the candidate offered first (or at its rank), make the script run to its end, and
change what it says; a `Trap` looks like a case for the rules and is none, so nothing may be offered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from selfheal_tui.model.candidate import Candidate
from selfheal_tui.repair.rules import (
    circular_import,
    foreign_names,
    format_fields,
    history_attributes,
    history_names,
    key_as_attribute,
    keyword_argument,
    kindred_names,
    missing_import,
    missing_self,
    misspelt_attribute,
    misspelt_key,
    misspelt_name,
    relative_import,
    shadowed_module,
    wrong_import,
)
from tests.unit.repair.crashlab import MODES, Lab

RULES = tuple(
    rule
    for module in (
        missing_import,
        misspelt_attribute,
        foreign_names,
        misspelt_name,
        wrong_import,
        circular_import,
        relative_import,
        shadowed_module,
        keyword_argument,
        misspelt_key,
        format_fields,
        key_as_attribute,
        missing_self,
        history_names,
        history_attributes,
        kindred_names,
    )
    for rule in module.RULES
)


@dataclass(frozen=True)
class Cure:
    """A crash with its cure.

    Attributes:
        name: What it shows.
        files: The project; `main.py` is run.
        after: Text that the cured file contains.
        path: The file that is cured.
        rule: The rule that must have found it.
        least: Smallest confidence.
        most: Largest confidence.
        modes: Captures from which it must be found.
        rank: Position among the candidates.
    """

    name: str
    files: Mapping[str, str]
    after: str
    path: str = "main.py"
    rule: str = ""
    least: float = 0.0
    most: float = 1.0
    modes: tuple[str, ...] = MODES
    rank: int = 0


@dataclass(frozen=True)
class Trap:
    """A crash that looks like one for the rules about names and is not.

    Attributes:
        name: Why it is none.
        files: The project; `main.py` is run.
        modes: Captures that are tried.
        allowed: Rules that may answer all the same.
    """

    name: str
    files: Mapping[str, str]
    modes: tuple[str, ...] = ("probe", "bare")
    allowed: tuple[str, ...] = field(default=())


def name_of(case: object) -> str:
    """Test id of a case."""
    return str(getattr(case, "name", case)).replace(" ", "-")


def check_cure(tmp_path: Path, case: Cure, mode: str) -> Candidate:
    """Asserts that a cure is offered, is complete, and cures."""
    lab = Lab(tmp_path, case.files)
    found = lab.candidates(mode, RULES)
    assert len(found) > case.rank, f"nothing offered: {lab.findings(mode, RULES)}"
    candidate = found[case.rank]
    edits = {edit.path: edit.text for edit in candidate.edits}
    shown = [(c.rule, c.confidence, {e.path: e.text for e in c.edits}) for c in found]
    assert case.after in edits.get(case.path, ""), shown
    assert not case.rule or candidate.rule == case.rule, shown
    assert case.least <= candidate.confidence <= case.most, shown
    assert candidate.targets
    assert candidate.reason.endswith(".")
    assert lab.heals(candidate), shown
    return candidate


def check_trap(tmp_path: Path, case: Trap, mode: str) -> None:
    """Asserts that no rule about names offers anything."""
    lab = Lab(tmp_path, case.files)
    found = [c for c in lab.candidates(mode, RULES) if c.rule not in case.allowed]
    assert not found, [(c.rule, c.reason, [e.text for e in c.edits]) for c in found]
