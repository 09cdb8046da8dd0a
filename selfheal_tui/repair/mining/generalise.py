"""Makes patterns of edits: what two edits have in common is kept, what differs becomes a hole.

Pure. Both sides of an edit are generalised as one term, so that a hole on the new side means what it means on the old
one; a pattern whose new side needs something that the old side does not give is none.
"""

from __future__ import annotations

import builtins
import keyword
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from selfheal_tui.repair.mining.extract import Edit
from selfheal_tui.source.antiunify import antiunify, renumbered
from selfheal_tui.source.terms import Hole, Literal, Name, Node, Term, concrete, holes, match, walk

MAX_HOLES = 8
BUCKET = 120
"""Edits of one shape that are compared with each other; the newest."""
MOST = 500
"""Patterns that are kept."""
LEAST_ALONE, LEAST_SHARED = 3, 2
"""How much the old side of a pattern must say that was seen in one commit, or in several."""
_KEPT = frozenset(dir(builtins)) | {"self", "cls", *keyword.kwlist}


@dataclass(frozen=True, slots=True)
class Seen:
    """An edit and where it was seen."""

    edit: Edit
    origin: str
    commit: str


@dataclass(frozen=True, slots=True)
class Generalisation:
    """A pattern.

    Attributes:
        before: Old side.
        after: New side.
        seen: Edits that are instances of it, by origin and commit.
    """

    before: Term
    after: Term
    seen: frozenset[tuple[str, str]]


def generalise(edits: Sequence[Seen], *, deadline: float) -> list[Generalisation]:
    """Finds the patterns in edits, best supported first.

    Args:
        edits: Newest first.
        deadline: `time.monotonic()` at which pairs are no longer compared.
    """
    buckets: dict[tuple[str, str], list[Seen]] = defaultdict(list)
    for seen in edits:
        buckets[_shape(seen.edit)].append(seen)
    found: dict[Term, set[tuple[str, str]]] = {}
    for bucket in buckets.values():
        for template in _templates(bucket[:BUCKET], deadline):
            found[template] = {
                (s.origin, s.commit) for s in bucket if match(template, s.edit.whole) is not None
            }
    return _best(found)


def abstracted(edit: Edit) -> Term:
    """Generalises one edit by itself: its variables become holes; what is called, attributes and literals stay."""
    numbers: dict[str, int] = {}

    def rebuilt(term: Term, *, called: bool = False) -> Term:
        if isinstance(term, Node):
            if term.label == "Name" and not called:
                name = term.children[0]
                if isinstance(name, Name) and name.text not in _KEPT:
                    return Node("Name", (Hole(numbers.setdefault(name.text, len(numbers)), "name"),))
            return Node(
                term.label,
                tuple(rebuilt(c, called=term.label == "Call" and not i) for i, c in enumerate(term.children)),
            )
        return term

    return renumbered(rebuilt(edit.whole))


def widened(template: Term) -> Term:
    """Lets any expression stand where a template has a variable of any name.

    Two edits whose arguments are both plain variables say nothing against other arguments; that it is a variable is what
    their least general generalisation keeps all the same. A name that is an attribute or parameter as well stays one.
    """
    elsewhere = {
        child.number
        for part in walk(template)
        if isinstance(part, Node) and part.label != "Name"
        for child in part.children
        if isinstance(child, Hole) and child.sort == "name"
    }

    def rebuilt(part: Term) -> Term:
        if not isinstance(part, Node):
            return part
        inner = part.children[0] if part.label == "Name" else None
        if isinstance(inner, Hole) and inner.number not in elsewhere:
            return Hole(inner.number, "expr")
        return Node(part.label, tuple(rebuilt(child) for child in part.children))

    return renumbered(rebuilt(template))


def _templates(bucket: Sequence[Seen], deadline: float) -> Iterable[Term]:
    """What any two edits have in common, and each by itself."""
    templates: dict[Term, None] = {}
    for i, one in enumerate(bucket):
        alone = widened(abstracted(one.edit))
        if _useful(alone, LEAST_ALONE):
            templates[alone] = None
        for other in bucket[i + 1 :]:
            if (one.origin, one.commit) == (other.origin, other.commit):
                continue
            if time.monotonic() > deadline:
                return templates
            shared = widened(antiunify(one.edit.whole, other.edit.whole).template)
            if _useful(shared, LEAST_SHARED):
                templates[shared] = None
    return templates


def _useful(template: Term, least: int) -> bool:
    """Whether a template says where it applies, and all that it puts there."""
    if not isinstance(template, Node) or template.label != "edit":
        return False
    before, after = template.children
    known = holes(before)
    return (
        before != after
        and concrete(before) >= least
        and len(known) <= MAX_HOLES
        and holes(after).keys() <= known.keys()
        and _says_something(before)
    )


def _says_something(before: Term) -> bool:
    """A name, literal or operator must be left; `_0(_1)` is everywhere."""
    return any(isinstance(t, Name | Literal) for t in walk(before)) or any(
        isinstance(t, Node) and not t.children and t.label != "[]" for t in walk(before)
    )


def _shape(edit: Edit) -> tuple[str, str]:
    return _labels(edit.before), _labels(edit.after)


def _labels(term: Term) -> str:
    if isinstance(term, Node):
        return term.label + "".join(
            f" {c.label}" for c in term.children if isinstance(c, Node) and term.label == "[]"
        )
    return type(term).__name__


def _best(found: dict[Term, set[tuple[str, str]]]) -> list[Generalisation]:
    """Of patterns that were seen in the same commits, the one that says most."""
    best: dict[object, Node] = {}
    for template, commits in found.items():
        assert isinstance(template, Node)
        alone = template if len(commits) == 1 else None  # a commit may hold several edits of one shape
        key = (frozenset(commits), *map(_labels, template.children), alone)
        if key not in best or concrete(template) > concrete(best[key]):
            best[key] = template
    made = [Generalisation(t.children[0], t.children[1], frozenset(found[t])) for t in best.values()]
    made.sort(key=lambda g: (-len(g.seen), -concrete(g.before)))
    return made[:MOST]
