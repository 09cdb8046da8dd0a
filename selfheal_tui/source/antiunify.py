"""Anti-unification: the least general template that two terms are instances of.

After G. D. Plotkin, "A note on inductive generalization", and J. C. Reynolds, "Transformational systems and the
algebraic structure of atomic formulas", both in Machine Intelligence 5 (1970): walk both terms together; where they
differ, put a hole, and the same hole wherever the same pair differs again. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

from selfheal_tui.source.terms import Hole, Node, Term, holes, sort_of, walk


@dataclass(frozen=True, slots=True)
class Generalised:
    """A template with what its holes hold for either term.

    Attributes:
        template: Its holes are numbered from 0 in order of appearance.
        left: What they hold for the first term.
        right: What they hold for the second one.
    """

    template: Term
    left: dict[int, Term]
    right: dict[int, Term]


def antiunify(one: Term, other: Term) -> Generalised:
    """Generalises two terms, which may be templates themselves (their holes are then like constants).

    Args:
        one: A term.
        other: Another.

    Returns:
        The least general generalisation; filling its holes gives either term back.
    """
    pairs: dict[tuple[Term, Term], Hole] = {}

    def general(a: Term, b: Term) -> Term:
        if a == b and not holes(a):
            return a
        if (
            isinstance(a, Node)
            and isinstance(b, Node)
            and (a.label, len(a.children)) == (b.label, len(b.children))
        ):
            return Node(a.label, tuple(general(x, y) for x, y in zip(a.children, b.children, strict=True)))
        known = pairs.get((a, b))
        if known is None:
            sorts = {sort_of(a), sort_of(b)}
            known = Hole(len(pairs), sorts.pop() if len(sorts) == 1 else "any")
            pairs[(a, b)] = known
        return known

    template = general(one, other)
    return Generalised(
        template,
        {hole.number: a for (a, _), hole in pairs.items()},
        {hole.number: b for (_, b), hole in pairs.items()},
    )


def renumbered(term: Term) -> Term:
    """Numbers holes in order of appearance, so that templates that say the same are equal."""
    order: dict[int, int] = {}
    for part in walk(term):
        if isinstance(part, Hole):
            order.setdefault(part.number, len(order))

    def rebuilt(part: Term) -> Term:
        if isinstance(part, Hole):
            return Hole(order[part.number], part.sort)
        if isinstance(part, Node):
            return Node(part.label, tuple(rebuilt(child) for child in part.children))
        return part

    return rebuilt(term)
