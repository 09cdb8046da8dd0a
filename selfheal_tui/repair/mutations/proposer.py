"""Searches a fix for a crash by undoing slips near the bad value's way, and trying which of them cure it.

It offers only what made the replay run to its end, and offers it as a guess: a crash that is gone shows
little, so that a test has to vouch for it, and rivals that behave differently are for a person.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace

from selfheal_tui.model.candidate import Candidate, CannotFix, FileEdit
from selfheal_tui.model.incident import Attempt
from selfheal_tui.model.trial import TrialOutcome, TrialResult
from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.mutations.mutant import Mutant
from selfheal_tui.repair.mutations.mutate import mutants
from selfheal_tui.repair.mutations.places import places, spots
from selfheal_tui.repair.mutations.remedies import BROAD_GUARD, remedies
from selfheal_tui.repair.rules.engine import asserted
from selfheal_tui.repair.rules.support import candidate, parse, read
from selfheal_tui.repair.search.judge import alike, changed_inputs, doubt
from selfheal_tui.source.edits import EditError, apply_edits
from selfheal_tui.source.text import SourceText

NAME = "search"
RULE = "inverse-mutation"
REMEDY = "does something only where it crashed"
BROAD = "and wherever else the value is empty"
_SPARING = frozenset({"default", "condition", "guard", BROAD_GUARD, "clamp", "text-slice"})
"""Kinds of remedies that leave alone whatever did not crash."""
BUDGET_SECONDS = 12.0
MOST = 400
"""Most variants that are tried for one crash."""
OFFERED = 6
"""Most that are offered: they are proved one by one, with all tests."""
_LOWEST, _SPAN = 0.3, 0.3
"""Confidence of a guess, so that two are rivals (`pipeline/select.py`) unless one is twice as likely."""

_SECOND = 0.12
"""A change that behaves as another did is tried after it, and is no rival of it."""
_LIKELY_SHARE = 0.6

_LIKELY: dict[str, tuple[str, ...]] = {
    "ZeroDivisionError": ("constant", "range", "operands", "comparison", "name", "arithmetic"),
    "IndexError": ("constant", "index", "range", "comparison", "off-by-one", "arithmetic", "slice"),
    "KeyError": (
        "condition",
        "name",
        "lookup",
        "attribute",
        "conversion",
        "argument-order",
        "negation",
        "comparison",
    ),
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
        if context.trials is None or context.report.stuck or asserted(context.report.raised):
            return  # wrong answers are searched by `repair.search`, which weighs how far they tell fixes apart
        seconds = min(BUDGET_SECONDS, context.settings.search.seconds)
        ranked = list(_ranked(context))[:MOST] if seconds > 0 else []
        if not ranked:
            return
        scores = {id(found): score for score, found in ranked}
        results = list(context.trials((found for _, found in ranked), seconds))
        cured = [result for result in results if result.outcome is TrialOutcome.GREEN]
        yield from _offered(context, cured, scores, len(ranked) - len(results))


def _offered(
    context: RepairContext, cured: list[TrialResult], scores: dict[int, float], untried: int
) -> Iterator[Candidate]:
    cured.sort(key=lambda result: -scores[id(result.candidate)])
    classes: list[list[TrialResult]] = []
    for result in cured:
        known = next((c for c in classes if alike(c[0].behaviour, result.behaviour, result.before)), None)
        if known is not None:
            known.append(result)
        else:
            classes.append([result])
    chosen = [pair for members in classes for pair in _speakers(members, scores)]
    chosen.sort(key=lambda pair: -pair[0])
    for confidence, result in chosen[:OFFERED]:
        light = result.candidate
        changes = {edit.path: edit.text for edit in light.edits}
        made = candidate(context, RULE, light.reason, round(confidence, 3), changes)
        doubtful = _doubt(result, light, untried, len(classes))
        yield replace(made, proposer=NAME, guess=True, doubt=doubtful, sweeping=_is_sweeping(light))


def _speakers(members: list[TrialResult], scores: dict[int, float]) -> list[tuple[float, TrialResult]]:
    """The change that stands for those that behave like it, and a second one in case that the tests refuse it.

    What does something only where it crashed goes first: little may have been seen of the others. The second is no
    rival of the first, since both did the same.
    """
    best = scores[id(members[0].candidate)]
    likely = [m for m in members if scores[id(m.candidate)] >= best * _LIKELY_SHARE]
    ordered = sorted(
        likely, key=lambda m: REMEDY not in m.candidate.notes
    )  # stable: the likelier of two first
    first = _LOWEST + _SPAN * min(1.0, scores[id(ordered[0].candidate)])
    return [(first, ordered[0]), *((first - _SECOND, other) for other in ordered[1:2])]


def _doubt(result: TrialResult, light: Candidate, untried: int, kept: int) -> str:
    """Why one cured test would be little; empty where it is enough.

    A remedy does something only where the program crashed before, and a slip that was seen to change no other answer
    is as good as one. Whatever else changes more than the crash, so that more has to be seen of it.
    """
    if kept > OFFERED:
        return f"{kept} small changes that behave differently make the crash go away"
    if REMEDY in light.notes or result.spares:
        return ""
    if untried > 0:
        return f"{untried} other small changes could not be tried in time"
    changed = changed_inputs(result.before, result.behaviour)
    return doubt(result.inputs, changed, result.unreadable)


def _ranked(context: RepairContext) -> Iterator[tuple[float, Candidate]]:
    """Light candidates, which do not say yet what they change: most are never offered."""
    slips = ((*item, ()) for item in _of_slips(context))
    remedies_made = ((*item, _notes(item[2])) for item in _of_remedies(context))
    found = [*slips, *remedies_made]
    found.sort(key=lambda item: -item[0])
    sources: dict[str, SourceText] = {}
    made: dict[tuple[str, str], tuple[float, Candidate]] = {}
    for score, path, mutant, text, notes in found[: MOST * 2]:
        source = sources.get(path) or read(context.project, path)
        if source is None:
            continue
        sources[path] = source
        try:
            after = apply_edits(text, mutant.edits)
        except EditError:
            continue
        known = made.get((path, after))
        if known is not None and (not notes or known[1].notes):
            continue
        reason = f"line {mutant.line}: {mutant.why}; with that the crash is gone"
        edit = FileEdit(path, source.sha256, after, source.encoding)
        light = Candidate(NAME, RULE, reason, _LOWEST, (edit,), notes=notes, guess=True)
        made[(path, after)] = (known[0] if known is not None else score, light)
    yield from made.values()


def _notes(mutant: Mutant) -> tuple[str, ...]:
    if mutant.kind not in _SPARING:
        return ()
    return (REMEDY, BROAD) if mutant.kind == BROAD_GUARD else (REMEDY,)


def _is_sweeping(light: Candidate) -> bool:
    return REMEDY not in light.notes or BROAD in light.notes


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
