"""A small project that crashes, its crash as the healer sees it, and askers that answer by script."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from selfheal_tui.model.candidate import Candidate
from selfheal_tui.model.crash import CrashReport, LocalValue
from selfheal_tui.model.diagnosis import Diagnosis, Location
from selfheal_tui.model.evidence import Proof, RungReport
from selfheal_tui.model.incident import Attempt
from selfheal_tui.model.kinds import IssueType, Nature, Severity, Verdict
from selfheal_tui.model.settings import ModelSettings, Settings
from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.llm.client import ModelAnswer, ModelError
from selfheal_tui.source.project import Project
from selfheal_tui.source.tracebacks import parse_traceback

SHOP = '''\
"""Prices of a shop."""

import io


RATES = {"eur": 1.0}


class Basket:
    """What somebody buys."""

    def __init__(self, items):
        self.items = items

    def total(self):
        """The sum of all prices."""
        # prices are in cents
        amount = 0
        for item in self.items:
            amount += price(item)
        return amount

    def label(self):
        return "Total: " + self.total()


def price(item, currency="eur"):
    """The price of one item in cents."""
    return item["cents"] * RATES[currency]
'''
MAIN = """\
from shop import Basket


def run():
    basket = Basket([{"cents": 300}])
    return basket.label()


if __name__ == "__main__":
    print(run())
"""
TEST = """\
from shop import price


def test_price():
    assert price({"cents": 3}) == 3
"""
GOOD = """\
REASON: A number was added to a text.
CONFIDENCE: 0.9

### shop.py :: Basket.label
```python
def label(self):
    return "Total: " + str(self.total())
```
"""
OTHER = GOOD.replace("str(self.total())", 'f"{self.total()}"')


def make_project(root: Path, files: Mapping[str, str] | None = None) -> Path:
    for name, text in {"shop.py": SHOP, "main.py": MAIN, "tests/test_shop.py": TEST, **(files or {})}.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())
    return root


def crash(root: Path, script: str = "main.py") -> CrashReport:
    """Runs a script of the project and reads its traceback, as `selfheal heal FILE` would."""
    ended = subprocess.run([sys.executable, str(root / script)], cwd=root, capture_output=True, text=True)
    assert ended.returncode == 1, ended.stdout
    return Project(root).localise(parse_traceback(ended.stderr))


def context_of(
    root: Path,
    *,
    report: CrashReport | None = None,
    locals_: Sequence[LocalValue] = (),
    attempts: Sequence[Attempt] = (),
    rejections: Sequence[str] = (),
    nature: Nature = Nature.CODE,
    message: str | None = None,
    **model: object,
) -> RepairContext:
    report = report or crash(root)
    if locals_ or message is not None:
        first = report.chain[0]
        frames = (*first.frames[:-1], replace(first.frames[-1], locals=tuple(locals_)))
        text = first.message if message is None else message
        report = report.with_chain((replace(first, frames=frames, message=text), *report.chain[1:]))
    suspect = report.suspect()
    assert suspect is not None
    frame = suspect[1]
    diagnosis = Diagnosis(
        signal="str-plus-int",
        issue_type=IssueType.BUG,
        severity=Severity.MEDIUM,
        nature=nature,
        reason="operand types do not fit",
        root_cause="A number is added to a text.",
        suspect=Location(frame.path or "", frame.qualname, frame.line),
    )
    settings = Settings(model=ModelSettings(**{"name": "openai/scripted", **model}))
    return RepairContext(
        project=Project(root),
        report=report,
        diagnosis=diagnosis,
        settings=settings,
        interpreter=sys.executable,
        attempts=tuple(attempts),
        rejections=tuple(rejections),
    )


def failed(candidate: Candidate, summary: str = "red → red", *details: str) -> Attempt:
    report = RungReport("replay", Verdict.FAIL, summary, details)
    return Attempt(candidate, Proof(candidate.candidate_id, candidate.patch_sha256, (report,)))


class ScriptedAsker:
    """Answers by script, in memory; keeps what it was asked."""

    def __init__(self, *answers: str | ModelAnswer | ModelError) -> None:
        self.answers = list(answers)
        self.asked: list[list[dict[str, str]]] = []
        self.limits: list[int] = []
        self.models: list[str] = []

    def ask(
        self,
        messages: Sequence[dict[str, str]],
        *,
        max_tokens: int = 0,
        seconds: float = 0.0,
        model: str = "",
    ) -> ModelAnswer:
        self.asked.append([dict(m) for m in messages])
        self.limits.append(max_tokens)
        self.models.append(model)
        answer = self.answers.pop(0)
        if isinstance(answer, ModelError):
            raise answer
        if isinstance(answer, str):
            return ModelAnswer(answer, "stop", 1_000, 100, 0.01, 0.5)
        return answer

    @property
    def last(self) -> str:
        return "\n".join(m["content"] for m in self.asked[-1])
