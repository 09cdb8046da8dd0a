"""Calls whose result is None because a `return` is missing, or because the method changes its object in place.

A return is added only where the function itself shows what it was to give back; otherwise the rule explains where
the None came from.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.none_source import Spot, definition_of, none_spot, producer
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.scopes import own_nodes
from selfheal_tui.repair.rules.spans import insert_before, source_of, start_of, whole
from selfheal_tui.repair.rules.support import (
    CERTAIN,
    GUESS,
    PLAUSIBLE,
    STRONG,
    edited,
    explained,
    parents,
    parse,
)
from selfheal_tui.source.calls import Found
from selfheal_tui.source.edits import TextEdit
from selfheal_tui.source.origins import IN_PLACE, NoneTracer, Returns, returns_of, terminates
from selfheal_tui.source.position import enclosing_function
from selfheal_tui.source.text import dominant_newline, split_lines

NAME = "missing-return"
_RESULT_NAMES = flow.listed("result results res out output ret rv total answer value values items rows lines")
_PURE = flow.listed(
    "lower upper strip lstrip rstrip replace title capitalize casefold join split rsplit splitlines format encode decode "
    "zfill ljust rjust center translate swapcase removeprefix removesuffix copy keys values items union intersection "
    "difference sorted sum len max min str int float list tuple dict set abs round iter reversed zip map filter enumerate "
    "getvalue isoformat total_seconds dumps loads group groups"
)
"""Functions and methods that only compute a value, so that a call whose result is dropped makes no sense."""
_VALUE = (ast.BinOp, ast.BoolOp, ast.Compare, ast.Name, ast.Attribute, ast.Subscript, ast.ListComp, ast.DictComp, ast.SetComp,
          ast.GeneratorExp, ast.List, ast.Dict, ast.Tuple, ast.JoinedStr, ast.IfExp, ast.UnaryOp)  # fmt: skip


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields the missing return, or explains where the None came from."""
    if "NoneType" not in context.error.message:
        return
    spot = none_spot(context)
    if spot is None:
        return
    origin = producer(context, spot)
    offered = 0
    if origin is not None:
        definition = definition_of(context, origin)
        findings = _missing_return(context, origin, definition) if definition else _in_place(context, origin)
        for finding in findings:
            offered += 1
            yield finding
    if not offered:
        yield _explain(context, spot)


def _explain(context: RepairContext, spot: Spot) -> Finding:
    tracer = NoneTracer(context.project, spot.path, spot.text, spot.types)
    steps = tracer.trace(spot.node, enclosing_function(spot.tree, spot.node.lineno), spot.qualname)
    way = (
        "; ".join(f"{s.path}:{s.line} {s.why}" for s in steps)
        or "the source does not show where it came from"
    )
    return explained(
        f"`{source_of(spot.text, spot.node)}` is None: {way}",
        "Decide what shall happen when there is no value: return early, raise a clear error, or make sure that there is one.",
    )


def _emit(
    context: RepairContext, path: str, reason: str, confidence: float, edits: Sequence[TextEdit]
) -> Iterator[Finding]:
    found = edited(context, NAME, reason, confidence, {path: edits})
    if found is not None:
        yield found


def _in_place(context: RepairContext, spot: Spot) -> Iterator[Finding]:
    """`x = xs.sort()`: the method gives nothing back."""
    call = spot.node
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return
    method, statement = call.func.attr, parents(spot.tree).get(call)
    base = source_of(spot.text, call.func.value)
    shuffle = method == "shuffle" and base == "random" and len(call.args) == 1
    if method not in IN_PLACE and not shuffle:
        return
    changed = source_of(spot.text, call.args[0]) if shuffle else base
    assigned = statement if isinstance(statement, ast.Assign) and len(statement.targets) == 1 else None
    if assigned is not None and ast.unparse(assigned.targets[0]) == changed:
        reason = f"`{method}()` changes `{changed}` itself and returns None: do not assign its result"
        yield from _emit(context, spot.path, reason, CERTAIN, [whole(assigned, source_of(spot.text, call))])
        return
    arguments = [source_of(spot.text, a) for a in call.args] + [
        source_of(spot.text, k) for k in call.keywords
    ]
    new = ""
    if method == "sort":
        new = f"sorted({', '.join([base, *arguments])})"
    elif method == "reverse":
        new = f"{base}[::-1]"
    elif shuffle:
        new = f"random.sample({changed}, len({changed}))"
    elif method == "append" and len(arguments) == 1:
        new = f"[*{base}, {arguments[0]}]"
    elif method == "extend" and len(arguments) == 1:
        new = f"[*{base}, *{arguments[0]}]"
    if new:
        reason = f"`{method}()` changes `{changed}` itself and returns None: use an expression that gives the new value"
        yield from _emit(context, spot.path, reason, STRONG, [whole(call, new)])


def _missing_return(context: RepairContext, spot: Spot, found: Found) -> Iterator[Finding]:
    kind, function = returns_of(found.node), found.node
    if kind is Returns.EXPLICIT_NONE:
        return
    if kind is Returns.ALWAYS_A_VALUE:
        returned = [
            n for n in own_nodes(function) if isinstance(n, ast.Return) and isinstance(n.value, ast.Call)
        ]
        tree = parse(found.text)
        if len(returned) == 1 and tree is not None and isinstance(returned[0].value, ast.Call):
            inner = next(
                n
                for n in ast.walk(tree)
                if isinstance(n, ast.Call)
                and start_of(n) == start_of(returned[0].value)
                and ast.dump(n) == ast.dump(returned[0].value)
            )
            yield from _in_place(context, Spot(found.path, found.text, tree, None, found.qualname, inner))
        return
    if kind is Returns.NEVER_A_VALUE and (chained := list(_return_self(context, spot, found))):
        yield from chained
        return
    yield from missing_return_of(context, found)


def missing_return_of(context: RepairContext, found: Found) -> Iterator[Finding]:
    """Yields the return that a function lacks, where its own statements show what it was to give back.

    Args:
        context: The crash.
        found: A function that can reach its end.
    """
    kind, function = returns_of(found.node), found.node
    leaves = list(_leaves(function.body))
    edits: list[TextEdit] = []
    sure = CERTAIN
    for leaf in leaves:
        edit, confidence = _return_of(found, leaf, kind)
        if edit is not None:
            edits.append(edit)
            sure = min(sure, confidence)
    if edits:
        others = "other branches do" if kind is Returns.FALLS_OFF else "its value is computed and dropped"
        reason = f"`{function.name}` does not return what its last statement computes; {others}"
        yield from _emit(context, found.path, reason, sure, edits)
        return
    kept = _kept_attribute(function)
    if kept and kind is Returns.NEVER_A_VALUE:
        reason = f"`{function.name}` works out `{kept}` once and never returns it"
        edit = _append(found, function.body[-1], f"return {kept}", function.body[0])
        yield from _emit(context, found.path, reason, STRONG, [edit])
        return
    built = _built(function) or _unread(function)
    if built and kind is Returns.NEVER_A_VALUE:
        reason = f"`{function.name}` builds `{built}` and never returns it"
        yield from _emit(
            context,
            found.path,
            reason,
            STRONG,
            [_append(found, function.body[-1], f"return {built}", function.body[0])],
        )


def _return_self(context: RepairContext, spot: Spot, found: Found) -> Iterator[Finding]:
    """A method that is called in a chain, or `__enter__`, gives its object back."""
    function = found.node
    if "." not in found.qualname or not function.args.args or function.args.args[0].arg != "self":
        return
    tree = parse(found.text)
    owner = found.qualname.rpartition(".")[0].rpartition(".")[2]
    classes = [n for n in ast.walk(tree) if isinstance(n, ast.ClassDef) and n.name == owner] if tree else []
    siblings = [
        n
        for c in classes
        for n in ast.walk(c)
        if isinstance(n, ast.Return) and isinstance(n.value, ast.Name) and n.value.id == "self"
    ]
    parent = parents(spot.tree).get(spot.node)
    chained = isinstance(parent, ast.Attribute) and isinstance(parents(spot.tree).get(parent), ast.Call)
    if function.name == "__enter__":
        sure, why = STRONG, "`with … as` gets what `__enter__` returns"
    elif chained and (siblings or any(_sets_self(n) for n in function.body)):
        sure, why = (
            STRONG if siblings else PLAUSIBLE,
            "its calls are chained" + (", and other methods of the class return `self`" if siblings else ""),
        )
    else:
        return
    last = function.body[-1]
    edit = _append(found, last, "return self", function.body[0])
    if isinstance(last, ast.Pass):
        edit = whole(last, "return self")
    yield from _emit(context, found.path, f"`{found.qualname}` returns nothing: {why}", sure, [edit])


def _sets_self(node: ast.AST) -> bool:
    return any(
        isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id == "self"
        for n in ast.walk(node)
    )


def _leaves(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yields the last statements of the paths on which a block falls through."""
    last = body[-1]
    if terminates(body):
        return
    if isinstance(last, ast.If):
        yield from _leaves(last.body)
        if last.orelse:
            yield from _leaves(last.orelse)
    elif isinstance(last, ast.With | ast.AsyncWith):
        yield from _leaves(last.body)
    elif isinstance(last, ast.Try):
        yield from _leaves(last.orelse or last.body)
        for handler in last.handlers:
            yield from _leaves(handler.body)
    elif isinstance(last, ast.Match):
        for case in last.cases:
            yield from _leaves(case.body)
    else:
        yield last


def _return_of(found: Found, leaf: ast.stmt, kind: Returns) -> tuple[TextEdit | None, float]:
    """The edit that returns what a last statement computes, and how sure that is."""
    function = found.node
    if isinstance(leaf, ast.Expr):
        value = leaf.value.value if isinstance(leaf.value, ast.Await) else leaf.value
        if isinstance(value, ast.Call):
            name = value.func.attr if isinstance(value.func, ast.Attribute) else getattr(value.func, "id", "")
            if name == function.name and kind is Returns.FALLS_OFF:
                return insert_before(leaf, "return "), CERTAIN
            if name in IN_PLACE or name in (
                "print",
                "info",
                "debug",
                "warning",
                "error",
                "exception",
                "write",
                "setattr",
            ):
                return None, 0
            if name in _PURE:
                return insert_before(leaf, "return "), STRONG
            return insert_before(leaf, "return "), PLAUSIBLE if len(
                function.body
            ) == 1 or kind is Returns.FALLS_OFF else GUESS
        if isinstance(value, _VALUE):
            return insert_before(leaf, "return "), STRONG
    if (
        isinstance(leaf, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and kind is Returns.NEVER_A_VALUE
    ):
        return _append(found, leaf, f"return {leaf.name}", leaf), CERTAIN
    target = leaf.targets[0] if isinstance(leaf, ast.Assign) and len(leaf.targets) == 1 else None
    if isinstance(leaf, ast.AugAssign | ast.AnnAssign):
        target = leaf.target
    outside = {
        n for node in own_nodes(function) if isinstance(node, ast.Global | ast.Nonlocal) for n in node.names
    }
    if isinstance(target, ast.Name) and target.id not in outside:
        return _append(found, leaf, f"return {target.id}", leaf), STRONG
    return None, 0


def _append(found: Found, after: ast.stmt, text: str, like: ast.stmt) -> TextEdit:
    """Puts a line after a statement, indented like another one."""
    newline = dominant_newline(found.text)
    lines = split_lines(found.text)
    indent = lines[like.lineno - 1].encode()[: like.col_offset].decode()
    end = (after.end_lineno or after.lineno, after.end_col_offset or 0)
    return TextEdit(end, end, f"{newline}{indent}{text}" if not indent.strip() else f"; {text}")


def _built(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """The local that a function starts empty, fills, and does nothing else with; empty when it is not the only one."""
    started = {
        n.targets[0].id
        for n in function.body
        if isinstance(n, ast.Assign) and isinstance(n.targets[0], ast.Name) and _is_start(n.value)
    }
    nodes = list(own_nodes(function))
    up = {child: node for node in [function, *nodes] for child in ast.iter_child_nodes(node)}
    read_elsewhere = {
        n.id
        for n in nodes
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load) and n.id in started and not _fills(n, up)
    }
    filled = {
        n.id
        for n in nodes
        if isinstance(n, ast.Name)
        and n.id in started
        and (_fills(n, up) or isinstance(up.get(n), ast.AugAssign))
    }
    candidates = filled - read_elsewhere or {n for n in filled if n in _RESULT_NAMES}
    return candidates.pop() if len(candidates) == 1 else ""


def _kept_attribute(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """`if self._x is None: self._x = …` at the end of a function: the attribute that it is there to give."""
    last = function.body[-1]
    if not isinstance(last, ast.If) or last.orelse:
        return ""
    test = last.test.operand if isinstance(last.test, ast.UnaryOp) else getattr(last.test, "left", None)
    if not isinstance(test, ast.Attribute):
        return ""
    name = ast.unparse(test)
    stored = any(isinstance(s, ast.Assign) and name in map(ast.unparse, s.targets) for s in last.body)
    return name if stored else ""


def _unread(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """The only local that is read by nothing but statements which store it again, or kept in a container at the end."""
    stores: dict[str, list[ast.stmt]] = {}
    nodes = list(own_nodes(function))
    for node in nodes:
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Name):
                    stores.setdefault(target.id, []).append(node)
    for node in nodes:
        if isinstance(node, ast.Global | ast.Nonlocal):
            for name in node.names:
                stores.pop(name, None)
    last = function.body[-1]
    kept = isinstance(last, ast.Assign) and isinstance(last.targets[0], ast.Subscript | ast.Attribute)
    value = last.value if kept and isinstance(last, ast.Assign) else None
    if isinstance(value, ast.Name) and value.id in stores:
        return value.id
    found = []
    for name, statements in stores.items():
        again = {n for s in statements for n in ast.walk(s)}
        reads = [n for n in nodes if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load)]
        if all(n in again for n in reads):
            found.append(name)
    return found[0] if len(found) == 1 else ""


def _is_start(value: ast.expr) -> bool:
    text = ast.unparse(value)
    return text in ("[]", "{}", "0", "0.0", "''", "()", "1") or text.startswith(
        ("set(", "list(", "dict(", "defaultdict(", "Counter(", "deque(")
    )


def _fills(name: ast.Name, up: dict[ast.AST, ast.AST]) -> bool:
    """Whether a read of a container only puts something into it."""
    parent = up.get(name)
    if isinstance(parent, ast.Attribute) and parent.attr in IN_PLACE:
        return isinstance(up.get(up.get(parent, parent)), ast.Expr)
    return isinstance(parent, ast.Subscript) and isinstance(parent.ctx, ast.Store) and parent.value is name


RULES: tuple[Rule, ...] = (Rule(NAME, ("AttributeError", "TypeError"), apply),)
