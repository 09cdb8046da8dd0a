"""Methods that other languages or Python 2 have, on built-in types, rewritten without change of meaning.

A row of the table says: on this type, this spelling means that one. Only rewrites that keep the meaning
for every value of the type are listed; a near miss (such as `.append` on a set) is not.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules.misspelt_name import unbound_names
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.scopes import loads
from selfheal_tui.repair.rules.spans import needs_parentheses, source_of, whole
from selfheal_tui.repair.rules.subject import Subject, subject_of
from selfheal_tui.repair.rules.support import CERTAIN, ancestors, edited

NAME = "foreign-method"
CONSTANT = "foreign-constant"

_NOTHING = frozenset({"null", "NULL", "nil", "undefined"})

_SIZED = ("str", "bytes", "list", "tuple", "dict", "set", "frozenset", "range", "bytearray")
_CALL, _READ = "call", "read"


@dataclass(frozen=True, slots=True)
class Rewrite:
    """One row.

    Attributes:
        types: Built-in types it holds for.
        names: Foreign spellings.
        use: `call` or `read`, whichever the foreign spelling is used as.
        arguments: How many positional arguments the call has; None for any.
        template: What it means; `{0}` is the object, `{1}`… the arguments.
        compound: Whether the result must be put in parentheses inside other expressions.
        statement: Whether it holds only where the value of the call is not used (`push` returns a length).
    """

    types: tuple[str, ...]
    names: tuple[str, ...]
    use: str
    arguments: int | None
    template: str
    compound: bool = False
    statement: bool = False


TABLE: tuple[Rewrite, ...] = (
    Rewrite(_SIZED, ("length", "size", "len"), _READ, None, "len({0})"),
    Rewrite(_SIZED, ("length", "size", "len"), _CALL, 0, "len({0})"),
    Rewrite(("list",), ("push", "add", "push_back"), _CALL, 1, "{0}.append({1})", statement=True),
    Rewrite(("list",), ("addAll", "add_all"), _CALL, 1, "{0}.extend({1})", statement=True),
    Rewrite(("list",), ("indexOf",), _CALL, 1, "({0}.index({1}) if {1} in {0} else -1)"),
    Rewrite(("set",), ("append", "push", "insert"), _CALL, 1, "{0}.add({1})", statement=True),
    Rewrite(("set",), ("delete",), _CALL, 1, "{0}.discard({1})", statement=True),
    Rewrite(("set",), ("addAll", "extend"), _CALL, 1, "{0}.update({1})", statement=True),
    Rewrite(("dict",), ("has_key", "contains", "containsKey", "hasOwnProperty"), _CALL, 1, "{1} in {0}", compound=True),
    Rewrite(("list", "tuple", "set", "frozenset", "str"), ("contains", "includes"), _CALL, 1, "{1} in {0}", compound=True),
    Rewrite(("dict",), ("iteritems", "viewitems", "entries"), _CALL, 0, "{0}.items()"),
    Rewrite(("dict",), ("iterkeys", "viewkeys"), _CALL, 0, "{0}.keys()"),
    Rewrite(("dict",), ("itervalues", "viewvalues"), _CALL, 0, "{0}.values()"),
    Rewrite(("str",), ("trim",), _CALL, 0, "{0}.strip()"),
    Rewrite(("str",), ("trimStart", "trimLeft", "ltrim"), _CALL, 0, "{0}.lstrip()"),
    Rewrite(("str",), ("trimEnd", "trimRight", "rtrim"), _CALL, 0, "{0}.rstrip()"),
    Rewrite(("str",), ("toUpperCase", "toUpper", "upcase"), _CALL, 0, "{0}.upper()"),
    Rewrite(("str",), ("toLowerCase", "toLower", "downcase"), _CALL, 0, "{0}.lower()"),
    Rewrite(("str",), ("startsWith", "starts_with"), _CALL, 1, "{0}.startswith({1})"),
    Rewrite(("str",), ("endsWith", "ends_with"), _CALL, 1, "{0}.endswith({1})"),
    Rewrite(("str",), ("indexOf",), _CALL, 1, "{0}.find({1})"),
    Rewrite(("str",), ("replaceAll", "replace_all"), _CALL, 2, "{0}.replace({1}, {2})"),
    Rewrite(("int",), ("toString", "to_string", "to_s"), _CALL, 0, "str({0})"),
)  # fmt: skip


def foreign(context: RepairContext) -> Iterator[Finding]:
    """Rewrites the failing call or access."""
    subject = subject_of(context)
    if subject is None or subject.kind != "instance" or len(subject.nodes) != 1:
        return
    kind = subject.type_name.removeprefix("builtins.")
    node = subject.nodes[0]
    call = next((n for n in ast.walk(subject.site.tree) if isinstance(n, ast.Call) and n.func is node), None)
    for row in TABLE:
        if kind not in row.types or subject.name not in row.names or subject.name in subject.names:
            continue
        new = _rewritten(subject, row, node, call)
        if new is None:
            continue
        target: ast.AST = call if call is not None else node
        fix = edited(
            context,
            NAME,
            f"Python's {kind} has no {subject.name!r}; what it means in other languages (or in Python 2) "
            f"is written {row.template.format('x', 'a', 'b')!r} here.",
            CERTAIN,
            {subject.site.path: [whole(target, new)]},
        )
        if fix is not None:
            yield fix


def _rewritten(subject: Subject, row: Rewrite, node: ast.Attribute, call: ast.Call | None) -> str | None:
    if (row.use == _CALL) != (call is not None) or not isinstance(node.ctx, ast.Load):
        return None
    arguments = call.args if call is not None else []
    if call is not None and (call.keywords or any(isinstance(a, ast.Starred) for a in arguments)):
        return None
    if row.use == _CALL and row.arguments is not None and len(arguments) != row.arguments:
        return None
    text = subject.site.text
    parts = [_operand(text, part, row, i) for i, part in enumerate((node.value, *arguments))]
    if row.template.count("{0}") > 1 and not all(_repeatable(p) for p in (node.value, *arguments)):
        return None  # evaluating it twice could do something twice
    new = row.template.format(*parts)
    up = next(ancestors(subject.site.tree, call or node), None)
    if row.statement and not isinstance(up, ast.Expr):
        return None
    alone = isinstance(up, ast.If | ast.While | ast.Assign | ast.Return | ast.Assert | ast.Expr)
    return f"({new})" if row.compound and not alone else new


def _operand(text: str, node: ast.expr, row: Rewrite, index: int) -> str:
    source = source_of(text, node)
    slot = "{" + str(index) + "}"
    alone = any(f"{left}{slot}{right}" in row.template for left in ("(", ", ") for right in (")", ","))
    enclosed = alone or isinstance(node, ast.Constant)
    return f"({source})" if needs_parentheses(node) and not enclosed else source


def _repeatable(node: ast.expr) -> bool:
    return all(
        isinstance(part, ast.Name | ast.Attribute | ast.Constant | ast.expr_context)
        for part in ast.walk(node)
    )


def foreign_constant(context: RepairContext) -> Iterator[Finding]:
    """Rewrites `null` and its kin, which are `None` in Python."""
    found = unbound_names(context)
    if found is None or found[1][0].id not in _NOTHING:
        return
    site, nodes = found
    fix = edited(
        context,
        CONSTANT,
        f"{nodes[0].id!r} is how other languages write Python's None.",
        CERTAIN,
        {site.path: [whole(use, "None") for use in loads(site.tree, nodes[0].id)]},
    )
    if fix is not None:
        yield fix


RULES = (
    Rule(NAME, ("AttributeError",), foreign),
    Rule(CONSTANT, ("NameError",), foreign_constant),
)
