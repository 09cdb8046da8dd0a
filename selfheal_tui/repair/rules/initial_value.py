"""The value a variable must have had before its first use, and where to give it, where the function itself shows it.

Evidence only: how the name is counted up, what other branches set it to, what it is compared with. Nothing is
guessed from a name alone, except between equally fitting numbers and texts.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.support import PLAUSIBLE, STRONG, Site, ancestors, parents

_ZEROS = {
    "int": "0",
    "float": "0.0",
    "bool": "0",
    "str": '""',
    "list": "[]",
    "tuple": "()",
    "bytes": 'b""',
    "Decimal": "0",
}
_TEXT_METHODS = flow.listed(
    "strip lstrip rstrip lower upper title split splitlines isdigit isalpha isalnum isspace isidentifier startswith endswith "
    "encode format casefold capitalize ljust rjust zfill"
)
_EMPTY = (ast.List, ast.Dict, ast.Tuple)


@dataclass(frozen=True, slots=True)
class Initial:
    """A start value.

    Attributes:
        text: Source of the value.
        why: A clause about how the name is used.
        confidence: On the scale of the house.
        carried: Whether it lives from one round of its loop to the next, and so starts before the loop.
        either: Whether the code does not tell which of the two it is.
    """

    text: str
    why: str
    confidence: float
    carried: bool = False
    either: bool = False


def initial_value(
    site: Site, name: str, nodes: Sequence[ast.AST], loads: Sequence[ast.Name]
) -> Initial | None:
    """Works out the start value of a variable.

    Args:
        site: The place.
        name: The variable.
        nodes: Everything in its scope.
        loads: Its reads.

    Returns:
        The value, or None when none is evident.
    """
    return (
        _counted(site, name, nodes)
        or _reset(name, nodes)
        or _flag(name, nodes)
        or _checked(site, name, nodes, loads)
        or _filled(site, loads)
        or _carried_position(site, name, loads)
    )


def started_empty(site: Site, uses: Sequence[ast.Name]) -> Initial | None:
    """The empty container that a name must be which is filled and never bound.

    Args:
        site: The place.
        uses: All uses of the name.

    Returns:
        The value; None when the name is not filled, or in two ways that do not go together.
    """
    found = [value for use in uses if (value := _filled(site, [use])) is not None]
    return found[0] if found and len({value.text for value in found}) == 1 else None


def _carried_position(site: Site, name: str, loads: Sequence[ast.Name]) -> Initial | None:
    """`text[position:…]` in a loop which then sets `position`: the first slice starts at the beginning."""
    for load in loads:
        part = parents(site.tree).get(load)
        if not (isinstance(part, ast.Slice) and part.lower is load):
            continue
        loop = next((up for up in ancestors(site.tree, load) if isinstance(up, ast.For | ast.While)), None)
        later = loop is not None and any(
            isinstance(n, ast.Name)
            and n.id == name
            and isinstance(n.ctx, ast.Store)
            and n.lineno > load.lineno
            for n in ast.walk(loop)
        )
        if later:
            return Initial("0", "is where the next slice of its loop starts", PLAUSIBLE, carried=True)
    return None


def _counted(site: Site, name: str, nodes: Sequence[ast.AST]) -> Initial | None:
    for node in nodes:
        step, operator = _step(node, name)
        if step is None or operator is None:
            continue
        if isinstance(operator, ast.Mult):
            return Initial("1", "is multiplied up", STRONG)
        if isinstance(operator, ast.BitOr):
            return Initial("set()" if flow.type_of(site, step) == "set" else "0", "is joined up", STRONG)
        if isinstance(operator, ast.Sub):
            return Initial("0", "is counted down", PLAUSIBLE)
        if isinstance(operator, ast.Add):
            kind = _kind(site, step) or ("str" if _used_as_text(name, nodes) else "")
            return Initial(_ZEROS.get(kind, "0"), "is added up", STRONG if kind in _ZEROS else PLAUSIBLE)
    return None


def _used_as_text(name: str, nodes: Sequence[ast.AST]) -> bool:
    """Whether a method that only text has is called on a variable."""
    return any(
        isinstance(n, ast.Attribute)
        and isinstance(n.value, ast.Name)
        and n.value.id == name
        and n.attr in _TEXT_METHODS
        for n in nodes
    )


def _step(node: ast.AST, name: str) -> tuple[ast.expr | None, ast.operator | None]:
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
        return node.value, node.op
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp):
        assigned = any(isinstance(t, ast.Name) and t.id == name for t in node.targets)
        for side, other in ((node.value.left, node.value.right), (node.value.right, node.value.left)):
            if assigned and isinstance(side, ast.Name) and side.id == name:
                return other, node.value.op
    return None, None


def _kind(site: Site, step: ast.expr) -> str:
    known = flow.type_of(site, step)
    if known:
        return known
    if isinstance(step, ast.BinOp):
        kinds = {_kind(site, step.left), _kind(site, step.right)}
        if isinstance(step.op, ast.Div):
            return "float"
        return next((k for k in ("float", "str", "list", "int") if k in kinds), "")
    if (
        isinstance(step, ast.Name)
        and (origin := flow.last_value(site, step)) is not None
        and not isinstance(origin, ast.Name)
    ):
        return _kind(site, origin)
    return ""


def _assigned(name: str, nodes: Sequence[ast.AST]) -> list[ast.expr]:
    return [
        n.value
        for n in nodes
        if isinstance(n, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in n.targets)
    ]


def _reset(name: str, nodes: Sequence[ast.AST]) -> Initial | None:
    """Another place of the function sets it back to an empty value: that is where it starts."""
    for value in _assigned(name, nodes):
        empty = isinstance(value, _EMPTY) and not ast.unparse(value).strip("[]{}() ,")
        zero = isinstance(value, ast.Constant) and not isinstance(value.value, bool) and not value.value
        if (empty or zero) and len(_assigned(name, nodes)) > 1:
            return Initial(
                ast.unparse(value), f"is set back to `{ast.unparse(value)}` elsewhere", STRONG, carried=True
            )
    return None


def _flag(name: str, nodes: Sequence[ast.AST]) -> Initial | None:
    values = {
        v.value for v in _assigned(name, nodes) if isinstance(v, ast.Constant) and isinstance(v.value, bool)
    }
    if (
        len(values) == 1
        and len(_assigned(name, nodes)) >= 1
        and all(isinstance(v, ast.Constant) for v in _assigned(name, nodes))
    ):
        value = not values.pop()
        return Initial(str(value), f"is a flag that is only ever set to {not value}", STRONG, either=True)
    return None


def _checked(site: Site, name: str, nodes: Sequence[ast.AST], loads: Sequence[ast.Name]) -> Initial | None:
    """The code asks whether it is None, so None is a value that it may have.

    Asked before anything is stored, the value is that of the round before: it must start outside of the loop.
    """
    uses = [n for n in nodes if isinstance(n, ast.Name) and n.id == name]
    first = min(uses, key=lambda n: (n.lineno, n.col_offset), default=None)
    for load in loads:
        compare = parents(site.tree).get(load)
        if (
            isinstance(compare, ast.Compare)
            and compare.left is load
            and isinstance(compare.ops[0], ast.Is | ast.IsNot)
        ):
            other = compare.comparators[0]
            if isinstance(other, ast.Constant) and other.value is None:
                why = "is compared with None, so it may be None"
                return Initial("None", why, STRONG, carried=isinstance(getattr(first, "ctx", None), ast.Load))
    return None


def _filled(site: Site, loads: Sequence[ast.Name]) -> Initial | None:
    """It is filled by `append` or `add`, and starts empty."""
    empty = {"append": "[]", "extend": "[]", "add": "set()", "setdefault": "{}", "appendleft": ""}
    for load in loads:
        attribute = parents(site.tree).get(load)
        if isinstance(attribute, ast.Attribute) and isinstance(parents(site.tree).get(attribute), ast.Call):
            text = empty.get(attribute.attr, "")
            if text:
                return Initial(text, f"is filled by `{attribute.attr}()`", STRONG)
        if (
            isinstance(attribute, ast.Subscript)
            and isinstance(attribute.ctx, ast.Store)
            and attribute.value is load
        ):
            return Initial("{}", "is filled key by key", PLAUSIBLE)
    return None


def counts_up(node: ast.AST, name: str) -> bool:
    """Tells whether a statement changes a variable by its own value: `n += 1`, `n = n + 1`."""
    if isinstance(node, ast.AugAssign):
        return isinstance(node.target, ast.Name) and node.target.id == name
    if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
        return any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(node.value))
    return False


def place_to_start(
    site: Site, scope: ast.AST, name: str, uses: Sequence[ast.AST], *, carried: bool
) -> ast.stmt | None:
    """Finds the statement before which a start value reaches every use: the first one in the smallest block with all."""
    chains: list[list[ast.AST]] = []
    for node in uses:
        chain = [node, *ancestors(site.tree, node)]
        inside = chain[: chain.index(scope)] if scope in chain else chain
        chains.append(inside[::-1])
    if not chains:
        return None
    common: list[ast.AST] = []
    for parts in zip(*chains, strict=False):
        if any(p is not parts[0] for p in parts[1:]):
            break
        common.append(parts[0])
    block = next((n for n in reversed(common) if _has_block(n)), scope)
    only_counted = all(
        _counted_at(site, n, name) for n in uses if isinstance(getattr(n, "ctx", None), ast.Load)
    )
    if (only_counted or carried) and isinstance(block, ast.For | ast.While | ast.AsyncFor):
        block = scope
    ups = {id(n) for chain in chains for n in chain}
    statements = [s for s in _statements(block) if id(s) in ups]
    return min(statements, key=lambda s: s.lineno, default=None)


def _counted_at(site: Site, node: ast.AST, name: str) -> bool:
    statement = flow.statement_of(site, node)
    return statement is not None and counts_up(statement, name)


def _has_block(node: ast.AST) -> bool:
    """Whether lines can be put in front of a statement inside this one."""
    body = getattr(node, "body", None)
    return isinstance(node, ast.For | ast.While | ast.AsyncFor | ast.With | ast.AsyncWith) and isinstance(
        body, list
    )


def _statements(block: ast.AST) -> list[ast.stmt]:
    found: list[ast.stmt] = []
    for name in ("body", "orelse", "finalbody"):
        found += getattr(block, name, [])
    return found
