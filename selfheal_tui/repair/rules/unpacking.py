"""Unpacking that takes another number of parts than there are: dictionaries without `.items()`, missing `enumerate()`.

Lengths are only changed where the source shows them; a value that lacks a part is explained, never padded.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.scopes import own_nodes
from selfheal_tui.repair.rules.spans import end_of, insert_after, source_of, start_of, whole
from selfheal_tui.repair.rules.support import CERTAIN, PLAUSIBLE, STRONG, Site, explained, site_of
from selfheal_tui.source.calls import CallResolver
from selfheal_tui.source.edits import TextEdit

NAME = "unpacking"
_INDEX_NAMES = flow.listed("i j idx index pos position num number count line_no lineno row_no")
_DICTS = frozenset({"dict", "defaultdict", "OrderedDict", "Counter"})


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields the loop or assignment that takes what there is."""
    site = site_of(context)
    if (
        site is None
        or not re.search(r"values to unpack|cannot unpack", context.error.message)
        or "NoneType" in context.error.message
    ):
        return
    loop = flow.only(_loops(site))
    if loop is not None:
        yield from _loop(context, site, loop)
        return
    assign = flow.only(site.nodes(ast.Assign, lambda n: isinstance(n.targets[0], ast.Tuple | ast.List)))
    if assign is not None:
        yield from _assignment(context, site, assign)


def _loops(site: Site) -> list[ast.For | ast.comprehension]:
    return [
        n
        for n in ast.walk(site.tree)
        if isinstance(n, ast.For | ast.comprehension)
        and isinstance(n.target, ast.Tuple)
        and n.target.lineno <= site.frame.line <= (n.iter.end_lineno or 0)
    ]


def _loop(context: RepairContext, site: Site, loop: ast.For | ast.comprehension) -> Iterator[Finding]:
    target, iterable = loop.target, loop.iter
    if not isinstance(target, ast.Tuple):
        return
    text = source_of(site.text, iterable)
    kind = flow.type_of(site, iterable)
    if kind == "" and (origin := flow.last_value(site, iterable)) is not None:
        kind = flow.type_of(site, origin)
    parts = target.elts
    if kind in _DICTS and len(parts) == 2:
        reason = f"iterating the dictionary `{text}` gives keys; keys and values come from `.items()`"
        yield from flow.one_file(
            context, site, NAME, reason, CERTAIN, [flow.with_suffix(site, iterable, ".items()")]
        )
    elif (
        isinstance(iterable, ast.Call)
        and len(parts) > 2
        and (flow.calls(iterable, "enumerate") or flow.calls(iterable, "items"))
    ):
        inner = ", ".join(source_of(site.text, p) for p in parts[1:])
        edit = TextEdit(start_of(parts[1]), end_of(parts[-1]), f"({inner})")
        reason = f"`{text}` gives pairs, whose second part is to be unpacked itself"
        yield from flow.one_file(context, site, NAME, reason, CERTAIN, [edit])
    elif (
        isinstance(parts[0], ast.Name)
        and parts[0].id in _INDEX_NAMES
        and len(parts) == 2
        and not isinstance(iterable, ast.Call)
    ):
        reason = f"`{parts[0].id}` counts the elements of `{text}`: `enumerate()` is missing"
        yield from flow.one_file(
            context, site, NAME, reason, STRONG, [flow.wrapped(site, iterable, "enumerate")]
        )
    elif (
        kind == ""
        and len(parts) == 2
        and isinstance(iterable, ast.Name | ast.Attribute)
        and _key_and_value(parts)
    ):
        reason = (
            f"the loop takes keys and values of `{text}`, which come from `.items()` if it is a dictionary"
        )
        yield from flow.one_file(
            context, site, NAME, reason, PLAUSIBLE, [flow.with_suffix(site, iterable, ".items()")]
        )
    else:
        yield explained(
            f"the elements of `{text}` have another number of parts than the {len(parts)} that the loop takes"
        )


def _key_and_value(parts: list[ast.expr]) -> bool:
    first, second = (p.id if isinstance(p, ast.Name) else "" for p in parts)
    return first in ("k", "key") or second in ("v", "val", "value")


def _assignment(context: RepairContext, site: Site, assign: ast.Assign) -> Iterator[Finding]:
    target, value = assign.targets[0], assign.value
    if not isinstance(target, ast.Tuple | ast.List) or any(isinstance(e, ast.Starred) for e in target.elts):
        return
    wanted, text = len(target.elts), source_of(site.text, value)
    too_many = context.error.message.startswith("too many")
    if (
        isinstance(value, ast.Call)
        and (flow.calls(value, "split") or flow.calls(value, "rsplit"))
        and too_many
        and len(value.args) == 1
    ):
        reason = f"`{text}` may give more than {wanted} parts: split {wanted - 1} times at most"
        yield from flow.one_file(
            context, site, NAME, reason, STRONG, [insert_after(value.args[0], f", {wanted - 1}")]
        )
        return
    call = value.value if isinstance(value, ast.Await) else value
    if isinstance(call, ast.Call):
        resolver = CallResolver(
            context.project,
            site.path,
            site.tree,
            site.frame.qualname,
            {v.name: v.type for v in site.frame.locals},
        )
        found = resolver.resolve(call)
        returns = [n for n in own_nodes(found.node) if isinstance(n, ast.Return)] if found else []
        lengths = {len(n.value.elts) if isinstance(n.value, ast.Tuple) else 0 for n in returns}
        if found is not None and len(lengths) == 1 and (length := lengths.pop()) > wanted:
            extra = ", ".join(["_"] * (length - wanted))
            reason = f"`{found.node.name}()` always returns {length} values, and {wanted} are taken"
            edit = (
                whole(target, f"{source_of(site.text, target).rstrip(',')}, {extra}")
                if source_of(site.text, target)[:1] not in "(["
                else None
            )
            if edit is not None:
                note = "Which of the values are meant cannot be seen; the first ones are taken."
                yield from flow.one_file(context, site, NAME, reason, PLAUSIBLE, [edit], notes=(note,))
                return
        if found is not None and len(lengths) > 1:
            lines = ", ".join(str(n.lineno) for n in returns)
            yield explained(
                f"`{found.node.name}()` returns different numbers of values ({found.path}, lines {lines})"
            )
            return
    yield explained(
        f"`{text}` has another number of parts than the {wanted} that are taken: {context.error.message}"
    )


RULES: tuple[Rule, ...] = (Rule(NAME, ("ValueError", "TypeError"), apply),)
