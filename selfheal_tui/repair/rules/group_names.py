"""The rule for `match.group("nmae")`: a regular expression's groups and the names that they are asked by.

The names that there are stand in the file's own patterns; a match does not tell which of them it came from.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.similar import near
from selfheal_tui.repair.rules.spans import rename_string
from selfheal_tui.repair.rules.support import STRONG, Site, edited, failing_site

NAME = "misspelt-group"
_ASKING = frozenset({"group", "start", "end", "span"})
_GROUP = re.compile(r"\(\?P<(\w+)>")


def apply(context: RepairContext) -> Iterator[Finding]:
    """Offers the group of the file's patterns whose name is nearest to the one that was asked for."""
    site = failing_site(context)
    if site is None or "no such group" not in context.error.message:
        return
    names = {
        name
        for node in ast.walk(site.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
        for name in _GROUP.findall(
            node.value if isinstance(node.value, str) else node.value.decode("latin-1")
        )
    }
    for asked in _asked(site):
        if asked.value in names:
            continue
        for match in near(str(asked.value), names):
            reason = (
                f"no pattern of this file has a group {asked.value!r}; {match.name!r} is the one that is near"
            )
            fix = edited(
                context,
                NAME,
                reason,
                min(STRONG, match.confidence),
                {site.path: [rename_string(site.text, asked, match.name)]},
            )
            if fix is not None:
                yield fix


def _asked(site: Site) -> list[ast.Constant]:
    """Names of groups in the failing expression."""
    calls = site.nodes(ast.Call, lambda n: isinstance(n.func, ast.Attribute) and n.func.attr in _ASKING)
    places = [argument for call in calls for argument in call.args]
    places += [node.slice for node in site.nodes(ast.Subscript)]
    return [n for n in places if isinstance(n, ast.Constant) and isinstance(n.value, str)]


RULES: tuple[Rule, ...] = (Rule(NAME, ("IndexError",), apply),)
