"""Containers that are changed while they are walked: walk over a copy.

Only what crashes is touched: Python notices dictionaries, sets and deques itself; a list that shrinks under an index
is left to `bounds`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.spans import source_of
from selfheal_tui.repair.rules.support import STRONG, Site, explained, site_of

NAME = "changed-during-iteration"
_MESSAGE = re.compile(
    r"(dictionary|set|deque|ordereddict)\b.*(?:changed size|keys changed|mutated) during iteration",
    re.IGNORECASE,
)


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields the loop over a copy."""
    found = _MESSAGE.search(context.error.message)
    site = site_of(context)
    if found is None or site is None:
        return
    iterable = flow.only(_iterables(site))
    if iterable is None:
        yield explained(
            f"a {found[1].lower()} is changed while something walks over it",
            "If another thread changes it, guard both with a lock; else walk over a copy: `list(…)`.",
        )
        return
    text = source_of(site.text, iterable)
    reason = f"the loop changes `{text}` while it walks over it: walk over a copy"
    yield from flow.one_file(context, site, NAME, reason, STRONG, [flow.wrapped(site, iterable, "list")])


def _iterables(site: Site) -> list[ast.expr]:
    """What the loops at the failing place walk over; the failing range is that expression (or the `for` itself)."""
    loops: list[ast.For | ast.comprehension] = [
        n for n in ast.walk(site.tree) if isinstance(n, ast.For | ast.comprehension)
    ]
    here = [loop.iter for loop in loops if loop.iter.lineno <= site.frame.line <= (loop.iter.end_lineno or 0)]
    exact = [i for i in here if (i.lineno, i.col_offset) == (site.frame.line, site.frame.col)]
    return exact or here


RULES: tuple[Rule, ...] = (Rule(NAME, ("RuntimeError",), apply),)
