"""Tables of small crashing scripts for the flow rules, and the two questions that are asked of each.

Not a conftest on purpose. A `Fix` must be offered first and make the script run to its end; a `Trap` looks like a
case for the rules and is none, so no candidate may come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from selfheal_tui.repair.rules.rule import Rule
from tests.unit.repair.crashlab import MODES, Lab


@dataclass(frozen=True)
class Fix:
    """A crash with its cure.

    Attributes:
        name: What it shows.
        code: `main.py`.
        after: Text that the cured file contains.
        modes: Captures from which the cure must be found; the others are not asked.
        files: Further files of the project.
        changed: The file that is cured.
        rank: Position of the cure among the candidates.
    """

    name: str
    code: str
    after: str
    modes: tuple[str, ...] = MODES
    files: tuple[tuple[str, str], ...] = ()
    changed: str = "main.py"
    rank: int = 0


@dataclass(frozen=True)
class Trap:
    """A crash that the rules must leave alone; `says` is in a refusal, where one is expected."""

    name: str
    code: str
    says: str = ""
    files: tuple[tuple[str, str], ...] = ()


def asked(cases: Sequence[Fix]) -> list[tuple[Fix, str]]:
    """Pairs of case and capture mode, for `parametrize`."""
    return [(case, mode) for case in cases for mode in case.modes]


def name_of(value: object) -> str:
    """Test ids."""
    return value.name.replace(" ", "-") if isinstance(value, Fix | Trap) else str(value)


def check_fix(case: Fix, mode: str, tmp_path: Path, rules: Sequence[Rule]) -> None:
    """The cure is offered at its rank, changes what it says, and makes the script run."""
    lab = Lab(tmp_path, {"main.py": case.code, **dict(case.files)})
    found = lab.candidates(mode, rules)
    assert len(found) > case.rank, [f.reason for f in lab.refusals(mode, rules)]
    best = found[case.rank]
    text = next(edit.text for edit in best.edits if edit.path == case.changed)
    assert case.after in text, text
    assert best.reason
    assert best.targets
    assert lab.heals(best), text


def check_trap(case: Trap, mode: str, tmp_path: Path, rules: Sequence[Rule]) -> None:
    """Nothing is offered, and the refusal says why where that is known."""
    lab = Lab(tmp_path, {"main.py": case.code, **dict(case.files)})
    found = lab.candidates(mode, rules)
    assert not found, found[0].edits[0].text
    if case.says:
        refusals = lab.refusals(mode, rules)
        assert any(case.says in r.reason + r.explanation for r in refusals), refusals
