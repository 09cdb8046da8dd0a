"""What is recorded of a case, and reading and writing it. A record says how it was made, so that runs can be compared."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from selfheal_tui.model.serial import MalformedDocumentError, from_builtins, to_json
from selfheal_tui.supervisor.bench.cases import BenchError

FORMAT = 1


class With(StrEnum):
    """Who is asked for fixes."""

    RULES = "rules"
    MODEL = "model"
    BOTH = "both"


class Score(StrEnum):
    """What a healer left behind, judged in a fresh copy with the case's own repro and tests."""

    HEALED = "healed"
    PLAUSIBLE = "plausible"
    UNHEALED = "unhealed"
    BROKE_IT = "broke-it"
    NO_CHANGE = "no-change"
    BAD_CASE = "bad-case"
    ERROR = "error"


FALSE = (Score.PLAUSIBLE, Score.UNHEALED, Score.BROKE_IT)
"""A change was applied unasked, and the fault is not gone with all tests passing: a false fix, however it fails."""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One case, one way of healing.

    Attributes:
        case_id: The case.
        mode: Who was asked.
        split: Its split.
        kind: Its kind.
        exception: Its exception.
        origin: Its origin.
        score: What came of it.
        seconds: Wall-clock time of the healer.
        attempts: Candidates that were validated.
        tokens: Tokens that models took.
        usd: What models cost; None when that is unknown.
        diff_lines: Changed lines of what was carried over.
        rules: What the applied fixes came from.
        changed: Files that were carried over.
        touched: Protected files that the healer changed, for nothing.
        tests_passed: Expected tests that pass afterwards.
        tests_expected: Expected tests.
        lost: Tests that passed before and fail now, a few.
        tests_hidden: Whether the healer saw no tests.
        note: Why it could not be scored, or what else is worth knowing.
    """

    case_id: str
    mode: With
    split: str = "?"
    kind: str = "?"
    exception: str = ""
    origin: str = "?"
    score: Score = Score.ERROR
    seconds: float = 0.0
    attempts: int = 0
    tokens: int = 0
    usd: float | None = 0.0
    diff_lines: int = 0
    rules: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    touched: tuple[str, ...] = ()
    tests_passed: int = 0
    tests_expected: int = 0
    lost: tuple[str, ...] = ()
    tests_hidden: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """All results of a bench.

    Attributes:
        format: Version of this format.
        version: Version of selfheal.
        model: The model that was asked; empty for none.
        hide_tests: Whether tests were hidden.
        results: The results.
    """

    format: int
    version: str
    model: str
    hide_tests: bool
    results: tuple[CaseResult, ...]


def write_record(file: Path, record: Record) -> None:
    """Writes a record, whole or not at all."""
    made = file.with_name(f".{file.name}.{os.getpid()}")
    made.write_bytes(to_json(record, indent=1) + b"\n")
    made.replace(file)


def read_record(file: Path) -> Record:
    """Reads a record.

    Raises:
        BenchError: It is none.
    """
    import json

    try:
        return from_builtins(json.loads(file.read_bytes()), Record)
    except (OSError, ValueError, MalformedDocumentError) as error:
        raise BenchError(
            f"{file} holds no results of `selfheal bench` ({error}); give another --out"
        ) from error


def earlier_results(file: Path, record: Record) -> tuple[CaseResult, ...]:
    """Returns the results of an earlier, cut-off run, to go on with.

    Args:
        file: Where they are; may be missing.
        record: The run that goes on.

    Raises:
        BenchError: They were made otherwise, so that they cannot be mixed.
    """
    if not file.exists():
        return ()
    old = read_record(file)
    if (old.format, old.version, old.hide_tests) != (record.format, record.version, record.hide_tests):
        raise BenchError(
            f"{file} was made by another version or with other options; give another --out, or leave --resume out"
        )
    if old.model != record.model and _asked_a_model(old.results):
        raise BenchError(f"{file} was made with the model {old.model or '(none)'}; give another --out")
    return tuple(r for r in old.results if r.score is not Score.ERROR)


def _asked_a_model(results: Sequence[CaseResult]) -> bool:
    return any(r.mode is not With.RULES for r in results)
