"""JSON and keys: values handed to the wrong reader, values that JSON or a dictionary cannot hold.

Same build as `text_values`: one handler per message, which answers nothing when what is meant is not evident.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.spans import rename_attribute, source_of, whole
from selfheal_tui.repair.rules.support import PLAUSIBLE, STRONG, Site, explained
from selfheal_tui.source.edits import TextEdit

NAME = "json-and-keys"


def _json_object(context: RepairContext, site: Site, found: re.Match[str]) -> Iterator[Finding]:
    call = flow.only(site.nodes(ast.Call, lambda n: flow.calls(n, "loads") and bool(n.args)))
    if call is None:
        return
    argument = source_of(site.text, call.args[0])
    if found[1] in ("dict", "list"):
        reason = f"`{argument}` is a {found[1]} already: there is nothing to parse"
        yield from flow.one_file(context, site, NAME, reason, STRONG, [whole(call, argument)])
    elif "IO" in found[1] or "Reader" in found[1]:
        if isinstance(call.func, ast.Attribute):
            reason = f"`{argument}` is a file: `json.load()` reads files, `json.loads()` text"
            yield from flow.one_file(
                context, site, NAME, reason, STRONG, [rename_attribute(call.func, "load")]
            )
    elif found[1] == "Response":
        reason = f"`{argument}` is a response: its text is to be parsed"
        yield from flow.one_file(
            context, site, NAME, reason, STRONG, [flow.with_suffix(site, call.args[0], ".text")]
        )


def _json_load(context: RepairContext, site: Site, _found: re.Match[str]) -> Iterator[Finding]:
    call = flow.only(
        site.nodes(ast.Call, lambda n: flow.calls(n, "load") and isinstance(n.func, ast.Attribute))
    )
    if call is not None and isinstance(call.func, ast.Attribute):
        reason = "`json.load()` reads a file; this is text, which `json.loads()` reads"
        yield from flow.one_file(context, site, NAME, reason, STRONG, [rename_attribute(call.func, "loads")])


def _not_serializable(context: RepairContext, site: Site, found: re.Match[str]) -> Iterator[Finding]:
    call = flow.only(site.nodes(ast.Call, lambda n: flow.calls(n, "dumps") or flow.calls(n, "dump")))
    default = {"set": "list", "frozenset": "list", "dict_keys": "list", "dict_values": "list"}.get(
        found[1], "str"
    )
    simple = (
        found[1] in ("datetime", "date", "Decimal", "UUID", "PosixPath", "Path", "WindowsPath")
        or default == "list"
    )
    if call is None or not simple or any(k.arg == "default" for k in call.keywords) or not call.args:
        return
    last: ast.AST = call.keywords[-1] if call.keywords else call.args[-1]
    end = (getattr(last, "end_lineno", 0), getattr(last, "end_col_offset", 0))
    reason = f"JSON has no {found[1]}: write it as {'a list' if default == 'list' else 'text'}"
    note = "Whoever reads the JSON gets that form back, not the original type."
    yield from flow.one_file(
        context, site, NAME, reason, PLAUSIBLE, [TextEdit(end, end, f", default={default}")], notes=(note,)
    )


def _unhashable(context: RepairContext, site: Site, found: re.Match[str]) -> Iterator[Finding]:
    to = {"list": "tuple", "set": "frozenset"}.get(found[1])
    if to is None:
        yield explained(f"a {found[1]} can change and can therefore not be a key or an element of a set")
        return
    places: list[ast.expr] = [n.slice for n in site.nodes(ast.Subscript)]
    for call in site.nodes(ast.Call, lambda n: len(n.args) >= 1):
        if isinstance(call.func, ast.Attribute) and call.func.attr in (
            "add",
            "get",
            "setdefault",
            "pop",
            "discard",
            "remove",
        ):
            places.append(call.args[0])
        elif flow.calls(call, "set") or flow.calls(call, "frozenset") or flow.calls(call, "Counter"):
            edit = whole(call.args[0], f"map({to}, {source_of(site.text, call.args[0])})")
            reason = f"the elements are {found[1]}s, which cannot be in a set"
            yield from flow.one_file(context, site, NAME, reason, PLAUSIBLE, [edit])
            return
    places += [n.left for n in site.nodes(ast.Compare) if isinstance(n.ops[0], ast.In | ast.NotIn)]
    known = [p for p in places if flow.type_of(site, p) == found[1]]
    place = flow.only(known) or flow.only(places)
    if place is not None:
        reason = f"`{source_of(site.text, place)}` is a {found[1]}, which cannot be a key: use a {to}"
        yield from flow.one_file(context, site, NAME, reason, PLAUSIBLE, [flow.wrapped(site, place, to)])


_HANDLERS: tuple[tuple[str, flow.Handler], ...] = (
    (r"the JSON object must be str, bytes or bytearray, not (\w+)", _json_object),
    (r"'str' object has no attribute 'read'", _json_load),
    (r"Object of type (\w+) is not JSON serializable", _not_serializable),
    (r"unhashable type: '(\w+)'", _unhashable),
    (r"cannot use '(?:[\w.]+)' as a (?:dict key|set element) \(unhashable type: '(\w+)'\)", _unhashable),
)


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields fixes for the first message that fits."""
    yield from flow.by_message(context, _HANDLERS)


RULES: tuple[Rule, ...] = (Rule(NAME, ("TypeError", "AttributeError"), apply),)
