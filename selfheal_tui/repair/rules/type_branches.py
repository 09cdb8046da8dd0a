"""A value of a type that a branch was not made for: the type test that lets it in, or keeps it out.

Code that asks `isinstance(x, A)` and goes on as if everything else were B fails on a C. Whether C belongs with A follows
from what it is (a tuple beside a list, bytes beside text, a subclass); otherwise C is kept out of the branch that failed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.none_guards import is_repeatable
from selfheal_tui.repair.rules.none_source import none_spot
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.scopes import visible
from selfheal_tui.repair.rules.spans import insert_after, source_of, whole
from selfheal_tui.repair.rules.support import Site, ancestors, edited, site_of
from selfheal_tui.source.edits import TextEdit

NAME = "type-branch"
CHECKED = "checked-type"
_KIN, _APART, _SUBSTITUTE = 0.68, 0.56, 0.62
_FAMILIES = (
    flow.listed("list tuple set frozenset deque dict_keys dict_values dict_items range generator"),
    flow.listed("str bytes bytearray"),
    flow.listed("int float Decimal Fraction complex"),
    flow.listed("dict OrderedDict defaultdict Mapping MutableMapping Counter ChainMap mappingproxy"),
    flow.listed("str Path PosixPath PurePath PurePosixPath PathLike"),
)
_BUILTIN = flow.listed("str bytes bytearray int float complex bool list tuple set frozenset dict range")
_TYPED = re.compile(
    r"'([\w.]+)' object (?:has no attribute|is not|does not)|object of type '([\w.]+)' has no len"
)


def _wrong_type(context: RepairContext) -> str:
    found = _TYPED.search(context.error.message)
    return (found[1] or found[2] or "").rpartition(".")[2] if found else ""


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields changed type tests around the place that failed."""
    kind = _wrong_type(context)
    if not kind or kind in ("NoneType", "module", "type", "function", "method"):
        return
    spot, site = none_spot(context, kind), site_of(context)
    if spot is None or site is None or spot.path != site.path or not is_repeatable(spot.node):
        return
    name = source_of(site.text, spot.node)
    below: ast.AST = spot.node
    for up in ancestors(site.tree, spot.node):
        if isinstance(up, ast.If | ast.IfExp) and below is not up.test:
            inside = below in up.body if isinstance(up, ast.If) else below is up.body
            yield from _around(context, site, up.test, name, kind, inside=inside)
        if isinstance(up, ast.FunctionDef | ast.AsyncFunctionDef):
            return
        below = up


def _around(
    context: RepairContext, site: Site, test: ast.expr, name: str, kind: str, *, inside: bool
) -> Iterator[Finding]:
    asked = [c for c in _type_tests(test) if ast.unparse(c.args[0]) == name]
    spelled = _spelled(context, site, test, kind)
    for call in asked:
        types = _types(call)
        wanted = {t.rpartition(".")[2] for t in types}
        denied = _denied(site, test, call)
        if inside == denied and spelled and any(kind in family and family & wanted for family in _FAMILIES):
            reason = f"`{name}` can be a `{kind}`, too, which goes the way of `{', '.join(types)}`"
            yield from _emit(context, site, NAME, reason, _KIN, [_with_type(site, call, spelled)])
            return
    predicate = _predicate(site, test, name)
    if inside and predicate is not None and spelled:
        base = _builtin_base(context, kind)
        if base:
            reason = f"a `{kind}` is a `{base}`: what follows is for other things than `{base}`"
            yield from _emit(
                context, site, NAME, reason, _SUBSTITUTE, [whole(predicate, f"isinstance({name}, {base})")]
            )
    if inside and (asked or predicate is not None or name in ast.unparse(test)):
        attribute = context.error.evidence.name or ""
        plain = not isinstance(test, ast.BoolOp | ast.IfExp | ast.Lambda | ast.NamedExpr) or (
            isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And)
        )
        text = source_of(site.text, test)
        extra = (
            f"hasattr({name}, {attribute!r})"
            if attribute
            else f"not isinstance({name}, {spelled})"
            if spelled
            else ""
        )
        if extra:
            new = f"{text if plain else f'({text})'} and {extra}"
            reason = f"a `{kind}` has no part in what follows: `{extra}` keeps it out"
            yield from _emit(context, site, NAME, reason, _APART, [whole(test, new)])


def _emit(
    context: RepairContext, site: Site, rule: str, reason: str, confidence: float, edits: list[TextEdit]
) -> Iterator[Finding]:
    fix = edited(context, rule, reason, confidence, {site.path: edits}, guess=True)
    if fix is not None:
        yield fix


def _type_tests(test: ast.expr) -> list[ast.Call]:
    return [
        n
        for n in ast.walk(test)
        if isinstance(n, ast.Call)
        and isinstance(n.func, ast.Name)
        and n.func.id == "isinstance"
        and len(n.args) == 2
    ]


def _types(call: ast.Call) -> list[str]:
    types = call.args[1]
    return [ast.unparse(t) for t in (types.elts if isinstance(types, ast.Tuple) else [types])]


def _denied(site: Site, test: ast.expr, call: ast.Call) -> bool:
    count = 0
    for up in ancestors(site.tree, call):
        count += isinstance(up, ast.UnaryOp) and isinstance(up.op, ast.Not)
        if up is test or isinstance(up, ast.stmt):
            break
    return count % 2 == 1


def _with_type(site: Site, call: ast.Call, kind: str) -> TextEdit:
    types = call.args[1]
    if isinstance(types, ast.Tuple) and types.elts:
        return insert_after(types.elts[-1], f", {kind}")
    return whole(types, f"({source_of(site.text, types)}, {kind})")


def _predicate(site: Site, test: ast.expr, name: str) -> ast.Call | None:
    """A yes-or-no function of the value that decides the branch, such as `is_text(x)`."""
    found = [
        n
        for n in ast.walk(test)
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Name | ast.Attribute) and len(n.args) == 1
        and not n.keywords and ast.unparse(n.args[0]) == name
        and re.match(r"_?is_?[a-z]", ast.unparse(n.func).rpartition(".")[2], re.IGNORECASE)
    ]  # fmt: skip
    return found[0] if len(found) == 1 and _denied(site, test, found[0]) else None


def _builtin_base(context: RepairContext, kind: str) -> str:
    bases = [b.rpartition(".")[2] for b in context.error.evidence.obj_mro]
    return kind if kind in _BUILTIN else next((b for b in bases if b in _BUILTIN), "")


def _spelled(context: RepairContext, site: Site, node: ast.AST, kind: str) -> str:
    """How the type, or the built-in that it is made of, is written at a place."""
    if kind in visible(site.tree, node):
        return kind
    return _builtin_base(context, kind)


def checked(context: RepairContext) -> Iterator[Finding]:
    """A check that raises for None or a kindred type which was given on purpose: let that through."""
    site = site_of(context)
    if site is None or not site.innermost:
        return
    raising = next(
        (
            n
            for n in ast.walk(site.tree)
            if isinstance(n, ast.Raise) and n.lineno <= site.frame.line <= (n.end_lineno or 0)
        ),
        None,
    )
    holder = (
        next((u for u in ancestors(site.tree, raising) if isinstance(u, ast.If)), None)
        if raising is not None
        else None
    )
    if holder is None or raising not in holder.body:
        return
    for call in _type_tests(holder.test):
        if not _denied(site, holder.test, call) or not is_repeatable(call.args[0]):
            continue
        value = flow.local(site, call.args[0])
        name = source_of(site.text, call.args[0])
        kind = value.type.rpartition(".")[2] if value is not None else ""
        if kind == "NoneType":
            denial = next(u for u in ancestors(site.tree, call) if isinstance(u, ast.UnaryOp))
            new = f"{name} is not None and {source_of(site.text, denial)}"
            whole_test = denial is holder.test
            reason = f"None is given for `{name}`; it is no value whose type could be wrong"
            yield from _emit(
                context, site, CHECKED, reason, _APART, [whole(denial, new if whole_test else f"({new})")]
            )
        elif (
            kind
            and (kind in visible(site.tree, call))
            and any(kind in f and f & set(_types(call)) for f in _FAMILIES)
        ):
            reason = f"`{name}` is a `{kind}`, which does as well as `{', '.join(_types(call))}`"
            yield from _emit(context, site, CHECKED, reason, _APART, [_with_type(site, call, kind)])


RULES: tuple[Rule, ...] = (
    Rule(NAME, ("AttributeError", "TypeError"), apply),
    Rule(CHECKED, ("TypeError", "ValueError"), checked),
)
