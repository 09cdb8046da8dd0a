"""Containers taken for other containers: objects indexed like dictionaries, views and iterators used like lists.

The type comes from Python's message; keys and attributes are looked up in what the capture saw and in the project's
classes.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.places import files
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.spans import end_of, source_of, whole
from selfheal_tui.repair.rules.support import CERTAIN, PLAUSIBLE, STRONG, Site, explained, site_of
from selfheal_tui.source.edits import TextEdit

NAME = "container-kind"
_LAZY = r"(?:dict_keys|dict_values|dict_items|odict_keys|odict_values|odict_items|map|filter|zip|generator|reversed|enumerate|chain|islice)"
_LIST_METHODS = flow.listed("append extend insert sort reverse index count pop remove copy clear")
_DICT_METHODS = flow.listed("get keys values items pop popitem update setdefault copy clear fromkeys")


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields the access that fits the object's type."""
    site = site_of(context)
    if site is None:
        return
    message = context.error.message
    lazy = re.match(rf"(?:'({_LAZY})' object (?:is not (?:subscriptable|reversible)|does not support item|has no attribute '(\w+)')"
                    rf"|object of type '({_LAZY})' has no len)", message)  # fmt: skip
    if lazy and (lazy[2] is None or lazy[2] in _LIST_METHODS):
        yield from _listed(context, site, lazy[1] or lazy[3], lazy[2] or "")
    elif found := re.match(
        r"'([\w.]+)' object (?:is not subscriptable|does not support item (?:assignment|deletion))", message
    ):
        yield from _object_indexed(context, site, context.error.evidence.obj_type or found[1])
    elif found := re.match(r"'(\w*[dD]ict|OrderedDict|Counter)' object has no attribute '(\w+)'", message):
        yield from _key_as_attribute(context, site, found[2])
    elif message == "'int' object is not iterable":
        yield from _range(context, site)
    elif found := re.match(r"'(\w+)' object is not an iterator", message):
        call = flow.only(site.nodes(ast.Call, lambda n: flow.calls(n, "next") and bool(n.args)))
        if call is not None:
            reason = f"a {found[1]} can be iterated but is no iterator itself"
            yield from flow.one_file(
                context, site, NAME, reason, STRONG, [flow.wrapped(site, call.args[0], "iter")]
            )
    elif message.startswith("Population must be a sequence"):
        call = flow.only(site.nodes(ast.Call, lambda n: flow.calls(n, "sample") and bool(n.args)))
        if call is not None:
            reason = "`random.sample()` takes sequences only since Python 3.11"
            yield from flow.one_file(
                context, site, NAME, reason, PLAUSIBLE, [flow.wrapped(site, call.args[0], "sorted")]
            )


def _listed(context: RepairContext, site: Site, kind: str, method: str) -> Iterator[Finding]:
    """A view or iterator that is used like a list: make it one, where it is made if that is in sight."""
    places: list[ast.expr] = []
    if method:
        places = [n.value for n in site.nodes(ast.Attribute, lambda n: n.attr == method)]
    else:
        places = [n.value for n in site.nodes(ast.Subscript)]
        measured = site.nodes(ast.Call, lambda n: bool(n.args))
        if "len()" in context.error.message or "reversible" in context.error.message:
            places = [c.args[0] for c in measured if flow.calls(c, "len") or flow.calls(c, "reversed")]
        elif not places:
            places = [c.args[0] for c in measured if flow.calls(c, "choice") or flow.calls(c, "shuffle")]
    known = [p for p in places if flow.type_of(site, p) == kind]
    place = flow.only(known) or flow.only(places)
    if place is None:
        return
    origin = flow.last_value(site, place)
    target = origin if isinstance(origin, ast.Call | ast.GeneratorExp) else place
    if target is place and (
        method in ("append", "extend", "insert", "sort", "reverse", "pop", "remove", "clear")
    ):
        return
    text = source_of(site.text, target)
    new = f"list{text}" if isinstance(target, ast.GeneratorExp) and text.startswith("(") else f"list({text})"
    reason = f"`{source_of(site.text, place)}` is a {kind}, which cannot do what a list does: make it a list"
    yield from flow.one_file(context, site, NAME, reason, STRONG, [whole(target, new)])


def _object_indexed(context: RepairContext, site: Site, kind: str) -> Iterator[Finding]:
    bare = kind.rpartition(".")[2]
    node = flow.only(site.nodes(ast.Subscript))
    if bare == "set" and node is not None and isinstance(node.slice, ast.Constant) and node.slice.value == 0:
        reason = "a set has no first element by index; any element is taken by iterating"
        yield from flow.one_file(
            context,
            site,
            NAME,
            reason,
            PLAUSIBLE,
            [whole(node, f"next(iter({source_of(site.text, node.value)}))")],
        )
        return
    if bare in ("str", "tuple", "range", "bytes") and "assignment" in context.error.message:
        yield explained(f"a {bare} cannot be changed in place", "Build a new one, or use a list.")
        return
    for subscript in site.nodes(ast.Subscript):
        key = subscript.slice
        if not (isinstance(key, ast.Constant) and isinstance(key.value, str) and key.value.isidentifier()):
            continue
        if key.value in _attributes_of(context, bare):
            new = f".{key.value}"
            reason = f"`{source_of(site.text, subscript.value)}` is a {bare}, which has the attribute `{key.value}` and no keys"
            yield from flow.one_file(
                context,
                site,
                NAME,
                reason,
                STRONG,
                [TextEdit(end_of(subscript.value), end_of(subscript), new)],
            )
            return


def _attributes_of(context: RepairContext, cls: str) -> set[str]:
    """Attributes that a class of the project declares or sets, and those the capture saw."""
    names = set(context.error.evidence.obj_names)
    for _, _, tree in files(context.project, cls):
        for node in ast.walk(tree):
            if not isinstance(node, ast.ClassDef) or node.name != cls:
                continue
            for part in ast.walk(node):
                if (
                    isinstance(part, ast.Attribute)
                    and isinstance(part.value, ast.Name)
                    and part.value.id == "self"
                ):
                    names.add(part.attr)
                elif isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
                    names.add(part.target.id)
                elif isinstance(part, ast.FunctionDef) and any(
                    ast.unparse(d).endswith("property") for d in part.decorator_list
                ):
                    names.add(part.name)
        for node in ast.walk(tree):  # namedtuple("Point", "x y") and namedtuple("Point", ["x", "y"])
            if (
                isinstance(node, ast.Call)
                and flow.calls(node, "namedtuple")
                and len(node.args) == 2
                and ast.unparse(node.args[0]).strip("'\"") == cls
            ):
                names.update(re.findall(r"\w+", ast.unparse(node.args[1])))
    return names


def _key_as_attribute(context: RepairContext, site: Site, name: str) -> Iterator[Finding]:
    if name in _DICT_METHODS:
        return
    nodes = site.nodes(ast.Attribute, lambda n: n.attr == name)
    node = flow.only(nodes)
    if node is None:
        return
    value = flow.local(site, node.value)
    keys = {
        *(value.keys if value else ()),
        *(k.strip("'\"") for k in context.error.evidence.keys),
        *context.error.evidence.obj_names,
    }
    literal = flow.last_value(site, node.value)
    if isinstance(literal, ast.Dict):
        keys |= {k.value for k in literal.keys if isinstance(k, ast.Constant) and isinstance(k.value, str)}
    if name in keys:
        edit = TextEdit(end_of(node.value), end_of(node), f'["{name}"]')
        reason = f"`{source_of(site.text, node.value)}` is a dictionary with the key `{name}`: keys are taken with brackets"
        yield from flow.one_file(context, site, NAME, reason, STRONG, [edit])


def _range(context: RepairContext, site: Site) -> Iterator[Finding]:
    loops = [n for n in ast.walk(site.tree) if isinstance(n, ast.For | ast.comprehension)]
    here = [loop for loop in loops if loop.iter.lineno <= site.frame.line <= (loop.iter.end_lineno or 0)]
    exact = [
        loop for loop in here if (loop.iter.lineno, loop.iter.col_offset) == (site.frame.line, site.frame.col)
    ]
    loop = flow.only(exact or here)
    if loop is None or not isinstance(loop.target, ast.Name):
        return
    measured = isinstance(loop.iter, ast.Call) and flow.calls(loop.iter, "len")
    reason = f"`{source_of(site.text, loop.iter)}` is a number: loop over `range(…)` of it"
    yield from flow.one_file(
        context, site, NAME, reason, CERTAIN if measured else STRONG, [flow.wrapped(site, loop.iter, "range")]
    )


RULES: tuple[Rule, ...] = (Rule(NAME, ("TypeError", "AttributeError"), apply),)
