"""Offers edits of the kinds that fixed earlier faults of this project, or of those that an operator trusts.

A pattern says only that such code was once replaced by such code. So all that it offers are guesses: what fits near the
crash is tried on the replay first where that is possible, and only a test that failed before can vouch for it.
"""

from __future__ import annotations

import ast
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from selfheal_tui.model.candidate import Candidate, CannotFix
from selfheal_tui.model.incident import Attempt
from selfheal_tui.model.pattern import EditPattern
from selfheal_tui.model.trial import TrialOutcome
from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.mutations.places import places
from selfheal_tui.repair.rewriting import LIMIT, Rewriter
from selfheal_tui.repair.rules.support import candidate, parents, parse, read
from selfheal_tui.source.edits import EditError, TextEdit, apply_edits
from selfheal_tui.source.terms import LIST, Node, NotATermError, Term, fill, holes, load, match, to_term

NAME = "patterns"
RULE = "learnt-edit"
LOWEST, STEP, HIGHEST = 0.3, 0.1, 0.6
"""Confidence of a pattern that was seen in one commit, how much each further one adds, and the most."""
MOST = 60
"""Edits that are tried for one crash."""
OFFERED = 3
TRIAL_SECONDS = 8.0


class Knows(Protocol):
    """Where patterns are kept; the store's learning facet is one."""

    def patterns(self) -> list[EditPattern]:
        """Returns all patterns."""
        ...


@dataclass(frozen=True, slots=True)
class _Ready:
    """A pattern, read."""

    pattern: EditPattern
    before: Term
    after: Term

    @property
    def confidence(self) -> float:
        return min(HIGHEST, LOWEST + STEP * (self.pattern.support - 1))


class PatternProposer:
    """Candidates from mined patterns.

    Args:
        learning: Where they are kept.
    """

    def __init__(self, learning: Knows) -> None:
        self._learning = learning

    @property
    def name(self) -> str:
        """Always `patterns`."""
        return NAME

    def propose(self, context: RepairContext) -> Generator[Candidate | CannotFix, Attempt | None, None]:
        """Yields what fits near the crash, and cured it on the replay where it could be tried."""
        if not context.diagnosis.is_code:
            return
        foreign = context.settings.learning.foreign_patterns
        known = [p for p in self._learning.patterns() if p.trusted or foreign]
        ready = list(_read(known))
        if not ready:
            return
        fitting = [found for _, found in sorted(_fitting(context, ready), key=lambda pair: -pair[0])][:MOST]
        if not fitting:
            return
        for found in _cured(context, fitting)[:OFFERED]:
            changes = {edit.path: edit.text for edit in found.edits}
            made = candidate(context, RULE, found.reason, found.confidence, changes, notes=found.notes)
            yield replace(made, proposer=NAME, guess=True, doubt=found.doubt)


def _read(known: list[EditPattern]) -> Iterator[_Ready]:
    for pattern in known:
        try:
            before, after = load(pattern.before), load(pattern.after)
        except NotATermError:
            continue  # written by another version; learning again replaces it
        if holes(after).keys() <= holes(before).keys():
            yield _Ready(pattern, before, after)


def _cured(context: RepairContext, fitting: list[Candidate]) -> list[Candidate]:
    """Those that made the crash go away; all, where nothing can be tried."""
    if context.trials is None:
        return fitting
    # Without a green one nothing is offered: the ladder would only say once more, and slower, that they cure nothing.
    tried = context.trials(fitting, TRIAL_SECONDS)
    return [result.candidate for result in tried if result.outcome is TrialOutcome.GREEN]


def _fitting(context: RepairContext, ready: list[_Ready]) -> Iterator[tuple[float, Candidate]]:
    weights = places(context)
    for path in dict.fromkeys(path for path, _ in weights):
        source = read(context.project, path)
        tree = parse(source.text) if source else None
        if source is None or tree is None or context.project.protected(path):
            continue
        lines = {line: weight for (p, line), weight in weights.items() if p == path}
        made: set[str] = {source.text}
        for line, item, edits in _rewritten(source.text, tree, lines, ready):
            try:
                after = apply_edits(source.text, edits)
                ast.parse(after)
            except (EditError, SyntaxError, ValueError, RecursionError):
                continue
            if after in made:
                continue
            made.add(after)
            yield item.confidence * lines[line], _light(context, path, after, line, item)


def _light(context: RepairContext, path: str, after: str, line: int, item: _Ready) -> Candidate:
    pattern = item.pattern
    where = ", ".join(
        f"{source.commits[0]}" + ("" if source.origin == "." else f" of {source.origin}")
        for source in pattern.sources[:3]
    )
    reason = f"line {line}: {pattern.support} earlier fix(es) made the same edit, among them {where}"
    made = candidate(
        context, RULE, reason, round(item.confidence, 2), {path: after}, notes=(pattern.shown[:300],)
    )
    return replace(made, proposer=NAME, guess=True)


_Fit = tuple[int, _Ready, list[TextEdit]]


def _rewritten(text: str, tree: ast.Module, lines: dict[int, float], ready: list[_Ready]) -> Iterator[_Fit]:
    """Every place on those lines that a pattern fits, with the edits it makes there."""
    rewriter = Rewriter(text, parents(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.expr) and node.lineno in lines:
            yield from _expression(rewriter, node, ready)
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list) and any(isinstance(s, ast.stmt) and s.lineno in lines for s in block):
                yield from _block(rewriter, block, lines, ready)


def _expression(rewriter: Rewriter, node: ast.expr, ready: list[_Ready]) -> Iterator[_Fit]:
    label = type(node).__name__
    wanted = [r for r in ready if isinstance(r.before, Node) and r.before.label == label]
    if not wanted:
        return
    try:
        term = to_term(node)
    except NotATermError:
        return
    for item in wanted:
        binding = match(item.before, term)
        if binding is None:
            continue
        try:
            yield node.lineno, item, rewriter.expression(node, fill(item.after, binding))
        except NotATermError:
            continue


def _block(
    rewriter: Rewriter, block: list[ast.stmt], lines: dict[int, float], ready: list[_Ready]
) -> Iterator[_Fit]:
    try:
        terms = [to_term(statement, limit=LIMIT) for statement in block]
    except NotATermError:
        return
    for item in ready:
        if not (isinstance(item.before, Node) and item.before.label == LIST):
            continue
        size = len(item.before.children)
        for at in range(len(block) - size + 1):
            near = [s.lineno for s in block[at : at + size] if s.lineno in lines]
            binding = match(item.before, Node(LIST, tuple(terms[at : at + size]))) if near else None
            if binding is None:
                continue
            try:
                edits = rewriter.statements(block[at : at + size], fill(item.after, binding))
            except NotATermError:
                continue
            yield near[0], item, edits
