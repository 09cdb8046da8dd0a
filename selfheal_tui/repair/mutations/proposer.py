"""Searches a fix for a crash by undoing slips near the bad value's way, and trying which of them cure it.

It offers only what made the replay run to its end, and offers it as a guess: a crash that is gone shows
little, so that a test has to vouch for it, and rivals that behave differently are for a person.
"""

from __future__ import annotations

import ast
from collections.abc import Generator, Iterator
from dataclasses import replace

from selfheal_tui.model.candidate import Candidate, CannotFix
from selfheal_tui.model.incident import Attempt
from selfheal_tui.model.trial import TrialOutcome, TrialResult
from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.mutations.mutant import Mutant
from selfheal_tui.repair.mutations.mutate import mutants
from selfheal_tui.repair.mutations.places import places, spots
from selfheal_tui.repair.mutations.remedies import remedies
from selfheal_tui.repair.rules.support import candidate, parse, read
from selfheal_tui.source.edits import apply_edits

NAME = "search"
RULE = "inverse-mutation"
BUDGET_SECONDS = 12.0
MOST = 400
"""Most variants that are tried for one crash."""
OFFERED = 6
"""Most that are offered: they are proved one by one, with all tests."""
_LOWEST, _SPAN = 0.3, 0.3
"""Confidence of a guess, so that two are rivals (`pipeline/select.py`) unless one is twice as likely."""

_LIKELY: dict[str, tuple[str, ...]] = {
    "ZeroDivisionError": ("constant", "range", "operands", "comparison", "name", "arithmetic"),
    "IndexError": ("constant", "index", "range", "comparison", "off-by-one", "arithmetic", "slice"),
    "KeyError": ("name", "lookup", "attribute", "conversion", "argument-order", "negation", "comparison"),
    "ValueError": ("argument-order", "constant", "name", "slice", "comparison", "method", "method-step"),
    "TypeError": (
        "keyword-name",
        "conversion",
        "name",
        "return",
        "argument-order",
        "unwrapped",
        "attribute",
        "method",
    ),
    "AttributeError": ("attribute", "name", "return", "method", "unwrapped", "argument-order"),
    "RecursionError": ("constant", "comparison", "arithmetic", "argument-order", "negation", "off-by-one"),
    "UnboundLocalError": ("name", "negation", "comparison"),
}
_BOOST = 1.3
_OUTER = 0.85
"""A remedy in a caller is so much less likely than one where it crashed."""


class MutationProposer:
    """Offers mutants that made the crash go away."""

    @property
    def name(self) -> str:
        """Always `search`."""
        return NAME

    def propose(self, context: RepairContext) -> Generator[Candidate | CannotFix, Attempt | None, None]:
        """Tries mutants on the replay and yields those that cured it, most likely first.

        Args:
            context: The crash.

        Yields:
            Guesses that behave differently from one another.
        """
        if context.trials is None or context.report.stuck:
            return
        ranked = list(_ranked(context))[:MOST]
        if not ranked:
            return
        scores = {id(found): score for score, found in ranked}
        cured = [
            result
            for result in context.trials((found for _, found in ranked), BUDGET_SECONDS)
            if result.outcome is TrialOutcome.GREEN
        ]
        yield from _offered(cured, scores)


def _offered(cured: list[TrialResult], scores: dict[int, float]) -> Iterator[Candidate]:
    cured.sort(key=lambda result: -scores[id(result.candidate)])
    seen: set[str] = set()
    offered = 0
    for result in cured:
        if result.behaviour and result.behaviour in seen:
            continue
        seen.add(result.behaviour)
        score = min(1.0, scores[id(result.candidate)])
        yield replace(result.candidate, confidence=round(_LOWEST + _SPAN * score, 3))
        offered += 1
        if offered == OFFERED:
            return


def _ranked(context: RepairContext) -> Iterator[tuple[float, Candidate]]:
    found = [*_of_slips(context), *_of_remedies(context)]
    found.sort(key=lambda item: -item[0])
    for score, path, mutant, text in found[: MOST * 2]:
        try:
            after = apply_edits(text, mutant.edits)
            ast.parse(after)
        except (SyntaxError, ValueError):
            continue
        reason = f"line {mutant.line}: {mutant.why}; with that the crash is gone"
        made = candidate(context, RULE, reason, _LOWEST, {path: after})
        yield score, replace(made, proposer=NAME, guess=True)


_Found = tuple[float, str, Mutant, str]


def _of_slips(context: RepairContext) -> Iterator[_Found]:
    weights = places(context)
    likely = _LIKELY.get(context.error.bare_type, ())
    types = {value.name: value.type for frame in context.error.frames for value in frame.locals}
    for path in dict.fromkeys(path for path, _ in weights):
        source = read(context.project, path)
        tree = parse(source.text) if source else None
        if source is None or tree is None:
            continue
        lines = {line: weight for (p, line), weight in weights.items() if p == path}
        for mutant in mutants(source.text, tree, lines, types):
            score = mutant.weight * lines.get(mutant.line, 0.4)
            if mutant.kind in likely:
                score *= _BOOST
            yield score, path, mutant, source.text


def _of_remedies(context: RepairContext) -> Iterator[_Found]:
    for spot in spots(context):
        for mutant in remedies(spot):
            yield mutant.weight * _OUTER**spot.depth, spot.site.path, mutant, spot.site.text
