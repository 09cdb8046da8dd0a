"""Asking whether something is in a set or a dictionary, which fails for what cannot be hashed: that is simply not in it.

Python hashes the value before it looks (`object.__hash__`), so that a list is no answer of `False` but a TypeError. Only
tests of one and the same value are changed, and only for values that the question could not be put with at all.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.none_guards import is_repeatable
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.scopes import visible
from selfheal_tui.repair.rules.spans import source_of, whole
from selfheal_tui.repair.rules.support import Site, ancestors, failing_site

NAME = "unhashable-member"
_MESSAGE = re.compile(r"unhashable type: '[\w.]+'")
_CONFIDENCE = 0.62
_IMPORT = "from collections.abc import Hashable"


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields the test of membership behind a test of whether the value can be hashed."""
    site = failing_site(context)
    if site is None or not _MESSAGE.search(context.error.message):
        return
    test = flow.only(site.nodes(ast.Compare, _is_membership))
    if test is None or not is_repeatable(test.left):
        return
    value = source_of(site.text, test.left)
    edits = [whole(node, _asked(site, node)) for node in _same(site, test)]
    imports = [] if "Hashable" in visible(site.tree, test) else [_IMPORT]
    reason = f"what cannot be hashed is in no set and no dictionary, and `{value}` may be such a value"
    yield from flow.one_file(context, site, NAME, reason, _CONFIDENCE, edits, imports=imports)


def _is_membership(node: ast.Compare) -> bool:
    return len(node.ops) == 1 and isinstance(node.ops[0], ast.In | ast.NotIn)


def _same(site: Site, test: ast.Compare) -> list[ast.Compare]:
    """The tests of the same value in the same function, which fail in the same way once the first does not."""
    function = site.function(test)
    shape = ast.dump(test.left)
    if function is None:
        return [test]
    return [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.Compare)
        and _is_membership(node)
        and ast.dump(node.left) == shape
        and not isinstance(node.comparators[0], ast.List | ast.Tuple | ast.Constant | ast.JoinedStr)
    ]


def _asked(site: Site, node: ast.Compare) -> str:
    value, text = source_of(site.text, node.left), source_of(site.text, node)
    inside = isinstance(node.ops[0], ast.In)
    asked = (
        f"isinstance({value}, Hashable) and {text}"
        if inside
        else f"not isinstance({value}, Hashable) or {text}"
    )
    up = next(iter(ancestors(site.tree, node)), None)
    alone = isinstance(up, ast.If | ast.While | ast.Return | ast.Assign | ast.comprehension)
    joined = isinstance(up, ast.BoolOp) and isinstance(up.op, ast.And if inside else ast.Or)
    return asked if alone or joined else f"({asked})"


RULES: tuple[Rule, ...] = (Rule(NAME, ("TypeError",), apply),)
