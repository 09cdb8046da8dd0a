"""A function of text that one caller hands bytes, or the other way round: the argument is converted where it is passed.

Beside the conversion in the function itself, which is right only when all callers pass the wrong type. What the function
returns to that caller may then be of the other type; that shows when it is used.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.none_source import Spot, passed_for
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.scopes import parameters
from selfheal_tui.repair.rules.spans import source_of
from selfheal_tui.repair.rules.support import edited, failing_site, site_of

NAME = "converted-argument"
_CONFIDENCE = 0.62
_MESSAGES = (
    (re.compile(r"can only concatenate str \(not \"bytes\"\) to str"), "bytes", ".decode()"),
    (re.compile(r"can't concat str to bytes"), "str", ".encode()"),
    (re.compile(r"a bytes-like object is required, not 'str'"), "str", ".encode()"),
)


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields the conversion of the argument that the failing operation got."""
    site = failing_site(context)
    known = next((m[1:] for m in _MESSAGES if m[0].match(context.error.message)), None)
    if site is None or known is None:
        return
    kind, conversion = known
    function = next((f for n in site.nodes(ast.Name) if (f := site.function(n)) is not None), None)
    if function is None:
        return
    own = {parameter.arg for parameter in parameters(function)}
    names = [
        node for node in site.nodes(ast.Name, lambda n: n.id in own) if flow.type_of(site, node) in ("", kind)
    ]
    node = flow.only(names)
    if node is None or flow.assignments(site, node):
        return
    here = Spot(site.path, site.text, site.tree, site.frame, site.frame.qualname, node)
    passed = passed_for(context, here, node.id)
    caller = site_of(context, passed.frame) if passed is not None else None
    if passed is None or caller is None or context.project.protected(passed.path):
        return
    text = source_of(passed.text, passed.node)
    reason = f"`{function.name}()` works on {'text' if kind == 'bytes' else 'bytes'}, and is given {kind} here: `{text}`"
    fix = edited(
        context, NAME, reason, _CONFIDENCE, {caller.path: [flow.with_suffix(caller, passed.node, conversion)]}
    )
    if fix is not None:
        yield fix


RULES: tuple[Rule, ...] = (Rule(NAME, ("TypeError",), apply),)
