"""The search: trace the failing run, rank its functions, change them a little, try all that, and compare what is green.

General on purpose: a wrong answer, an endless loop or a crash differ only in the replay that has to turn green.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from selfheal_tui.model.laboratory import Laboratory, LineTrace, TrialPlan, TrialRun, Variant
from selfheal_tui.model.ports import ReplayPlan
from selfheal_tui.model.settings import SearchSettings
from selfheal_tui.repair.rules.support import read
from selfheal_tui.repair.search.generate import Change, Target, changes, offsets, pairs
from selfheal_tui.repair.search.judge import Finding, findings
from selfheal_tui.repair.search.localise import Source, attribute_names, source_of, suspects
from selfheal_tui.source.edits import EditError
from selfheal_tui.source.project import Project

_FUNCTIONS = 12
_TRACE_SECONDS = 10.0
_TESTS_SHARE = 0.3
_TRIAL_SECONDS = 8.0
_HANG_TRACE_SECONDS, _HANG_TRIAL_SECONDS = 3.0, 0.8
"""The same for what hangs: nearly all of its variants hang too, and cost their whole limit."""
_PAIR_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Oracle:
    """What decides that a change is right enough to be looked at.

    Attributes:
        laboratory: Where changes are tried.
        plan: What has to end without an exception and with status 0, and does not now.
        noticing: Path and bare name of the functions that noticed the fault: what they call is to blame rather than they.
        hangs: Whether it fails by not coming to its end, so that most changes have to be ended by us.
    """

    laboratory: Laboratory
    plan: ReplayPlan
    noticing: tuple[tuple[str, str], ...] = ()
    hangs: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What a search brought.

    Attributes:
        findings: One for each behaviour that turned the program green, most promising first.
        problem: Why there was nothing to search; empty when there was.
        tried: How many changes were tried.
        made: How many there were.
        sources: The files that the findings change.
        functions: Functions that were changed, most suspicious first.
    """

    findings: tuple[Finding, ...] = ()
    problem: str = ""
    tried: int = 0
    made: int = 0
    sources: dict[str, Source] = field(default_factory=dict)
    functions: tuple[str, ...] = ()


def search(
    project: Project,
    oracle: Oracle,
    settings: SearchSettings,
    *,
    cancelled: Callable[[], bool] = lambda: False,
) -> Found:
    """Searches for small changes that turn a failing program green.

    Args:
        project: The live project, read only.
        oracle: The failing program and where to try it.
        settings: Budgets.
        cancelled: Asked between steps; a search that was cancelled ends with what it has.

    Returns:
        What was found; each finding is a hint that has yet to be proved.
    """
    ends = time.monotonic() + settings.seconds
    seconds = min(_HANG_TRACE_SECONDS if oracle.hangs else _TRACE_SECONDS, settings.seconds)
    run = oracle.laboratory.trace(oracle.plan, seconds=seconds, noticing=oracle.noticing)
    if run.problem or cancelled():
        return Found(problem=run.problem or "cancelled")
    load = _loader(project)
    targets, sources = suspects(run, (), load, oracle.noticing, most=_FUNCTIONS)
    if len(targets) > 2:
        tests = oracle.laboratory.trace_tests(seconds=max(1.0, settings.seconds * _TESTS_SHARE))
        if tests:
            targets, sources = suspects(run, tests, load, oracle.noticing, most=_FUNCTIONS)
    if not targets:
        return Found(problem="no function of the project that a fix may change ran")
    singles, combined = _changes(targets, sources, run, settings.candidates)
    left = ends - time.monotonic()
    if cancelled() or left <= 0:
        return Found(problem="cancelled" if cancelled() else "no time is left", made=len(singles))
    tried, result = _try(oracle, sources, (singles, combined), left)
    return Found(
        findings=tuple(findings(result, tried)),
        problem=result.problem
        or ("" if result.unchanged != "green" else "it does not fail when run up to here"),
        tried=len(result.statuses),
        made=len(tried),
        sources=sources,
        functions=tuple(t.qualname for t in targets),
    )


def _loader(project: Project) -> Callable[[str], Source | None]:
    def load(path: str) -> Source | None:
        if not project.is_in_app(path) or project.protected(path):
            return None
        source = read(project, path)
        return None if source is None else source_of(path, source.text)

    return load


def _changes(
    targets: Sequence[Target], sources: dict[str, Source], run: LineTrace, most: int
) -> tuple[list[Change], list[Change]]:
    attributes = attribute_names(s for s in sources.values() if s.path in run.lines)
    by_function = []
    for target in targets:
        source = sources[target.path]
        by_function.append(changes(source.text, source.tree, target, attributes))
    singles = sorted((c for found in by_function for c in found), key=lambda c: -c.weight)[:most]
    share = max(1, int(most * _PAIR_SHARE))
    combined = sorted(
        (pair for found in by_function[:4] for pair in pairs(found, share)), key=lambda c: -c.weight
    )[:share]
    return singles, combined


def _try(
    oracle: Oracle, sources: dict[str, Source], waves: tuple[list[Change], ...], seconds: float
) -> tuple[list[Change], TrialRun]:
    tried: list[Change] = []
    variants = []
    for wave in waves:
        made = []
        for change in wave:
            try:
                edits = offsets(sources[change.path].text, change.edits)
            except (EditError, UnicodeDecodeError):
                continue
            made.append(Variant(change.path, edits))
            tried.append(change)
        variants.append(tuple(made))
    plan = TrialPlan(
        replay=oracle.plan,
        files=tuple(dict.fromkeys(change.path for change in tried)),
        waves=tuple(variants),
        seconds=_HANG_TRIAL_SECONDS if oracle.hangs else _TRIAL_SECONDS,
        budget=seconds,
        noticing=oracle.noticing,
        functions=tuple(dict.fromkeys((change.path, change.qualname) for change in tried)),
    )
    return tried, oracle.laboratory.try_variants(plan)
