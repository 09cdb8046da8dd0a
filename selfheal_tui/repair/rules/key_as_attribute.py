"""The rule for `row.name` where `row` is a dict that has the key `name`.

The keys come from the live locals or from dict literals in the source; without the key it is silent.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules.misspelt_key import known_keys
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.spans import end_of
from selfheal_tui.repair.rules.subject import subject_of
from selfheal_tui.repair.rules.support import CERTAIN, ancestors, edited
from selfheal_tui.source.edits import TextEdit

NAME = "key-as-attribute"


def key_as_attribute(context: RepairContext) -> Iterator[Finding]:
    """Asks for the key instead."""
    subject = subject_of(context)
    if subject is None or subject.type_name.removeprefix("builtins.") != "dict" or len(subject.nodes) != 1:
        return
    node = subject.nodes[0]
    up = next(ancestors(subject.site.tree, node), None)
    if isinstance(up, ast.Call) and up.func is node:
        return  # a method was meant
    if subject.name not in known_keys(context, subject.site, node.value):
        return
    in_string = any(isinstance(a, ast.JoinedStr) for a in ancestors(subject.site.tree, node))
    if in_string:
        return  # the quotes of the key could end the string
    fix = edited(
        context,
        NAME,
        f"it is a dict with the key {subject.name!r}, which is asked for in brackets.",
        CERTAIN,
        {subject.site.path: [TextEdit(end_of(node.value), end_of(node), f"[{subject.name!r}]")]},
    )
    if fix is not None:
        yield fix


RULES = (Rule(NAME, ("AttributeError",), key_as_attribute),)
