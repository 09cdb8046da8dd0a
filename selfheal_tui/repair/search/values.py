"""Operators on expressions: wrapped, sliced, shifted, exchanged, or made like what stands beside them. Pure."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator

from selfheal_tui.repair.mutations.mutant import Mutant
from selfheal_tui.repair.rules.spans import end_of, needs_parentheses, rename_attribute, start_of, whole
from selfheal_tui.repair.search.place import MOST_NAMES, Place, is_load

_MOST_ATTRIBUTES = 6
_PRECEDENCE = {ast.Pow: 4, ast.Mult: 3, ast.Div: 3, ast.FloorDiv: 3, ast.Mod: 3, ast.Add: 2, ast.Sub: 2}
_SIGNS = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
}  # fmt: skip


def of_expressions(place: Place) -> Iterator[Mutant]:
    """Everything that is done to the expressions of a function."""
    for node in place.expressions:
        if not is_load(node):
            continue
        if isinstance(node, ast.BinOp):
            yield from _binary(place, node)
        elif isinstance(node, ast.BoolOp):
            yield from _boolean(place, node)
        elif isinstance(node, ast.Subscript):
            yield from _subscript(place, node)
        elif isinstance(node, ast.Constant):
            yield from _constant(place, node)
        elif isinstance(node, ast.Attribute):
            yield from _attribute(place, node)
        elif isinstance(node, ast.Call):
            yield from _call(place, node)
        elif isinstance(node, ast.Tuple | ast.List):
            yield from _display(place, node)
        elif isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
            yield from _comprehension(place, node)
        if _is_value(place, node):
            yield from _wrapped(place, node)
            yield from _terms(place, node)
        yield from _like_siblings(place, node)
        yield from _by_name(place, node)


def _is_value(place: Place, node: ast.expr) -> bool:
    """What is returned, assigned, iterated over, passed on or compared."""
    up = place.at.up.get(node)
    if isinstance(up, ast.Call):
        return up.func is not node
    if isinstance(up, ast.For | ast.comprehension):
        return up.iter is node
    return isinstance(up, ast.Return | ast.Assign | ast.AugAssign | ast.Compare | ast.Yield | ast.YieldFrom | ast.BinOp)


def _atom(place: Place, node: ast.expr) -> str:
    text = place.source(node)
    return f"({text})" if needs_parentheses(node) else text


def _wrapped(place: Place, node: ast.expr) -> Iterator[Mutant]:
    text, atom = place.source(node), _atom(place, node)
    if isinstance(node, ast.Constant | ast.Compare | ast.BoolOp | ast.Lambda | ast.JoinedStr):
        return
    up = place.at.up.get(node)
    if isinstance(up, ast.Return | ast.Assign | ast.Yield):
        for name, weight in (("sorted", 0.25), ("abs", 0.15), ("list", 0.2), ("set", 0.08), ("not ", 0.15)):
            yield place.put("wrap", node, f"not {atom}" if name == "not " else f"{name}({text})", weight)
        for key, weight in (("key=len", 0.1), ("reverse=True", 0.12)):
            yield place.put("wrap", node, f"sorted({text}, {key})", weight)
        yield place.put("slice", node, f"{atom}[::-1]", 0.15, loose=False)
        if isinstance(node, ast.Name):
            yield place.put("wrap", node, f"{text}.copy()", 0.15, loose=False)
    if isinstance(up, ast.For | ast.comprehension):
        for new, weight in ((f"sorted({text})", 0.15), (f"reversed({text})", 0.15), (f"list({text})", 0.1)):
            yield place.put("wrap", node, new, weight, loose=False)
    if isinstance(up, ast.Return | ast.Call | ast.Yield):
        yield place.put("wrap", node, f"[{text}]", 0.15, loose=False)
    if not isinstance(node, ast.BinOp) and not isinstance(up, ast.For | ast.comprehension):
        yield place.put("off-by-one", node, f"{atom} + 1", 0.3)
        yield place.put("off-by-one", node, f"{atom} - 1", 0.3)
    if isinstance(node, ast.Name | ast.Attribute) and isinstance(up, ast.For | ast.comprehension | ast.Call | ast.Return):
        yield place.put("slice", node, f"{text}[1:]", 0.3, loose=False)
        yield place.put("slice", node, f"{text}[:-1]", 0.25, loose=False)
        for name in place.names[:MOST_NAMES]:
            if name != text:
                yield place.put("slice", node, f"{text}[{name}:]", 0.15, loose=False)
                yield place.put("slice", node, f"{text}[:{name}]", 0.13, loose=False)


def _terms(place: Place, node: ast.expr) -> Iterator[Mutant]:
    """A term or factor that was dropped: one that the function has at hand."""
    up = place.at.up.get(node)
    if isinstance(up, ast.Call | ast.For | ast.comprehension) or isinstance(node, ast.Compare | ast.BoolOp | ast.Lambda):
        return
    atom = _atom(place, node)
    numbers = {
        repr(n.value)
        for n in ast.walk(place.function)
        if isinstance(n, ast.Constant) and type(n.value) is int and abs(n.value) > 1
    }
    for other in [*place.names[:MOST_NAMES], *sorted(numbers)[:4], "2"]:
        if other == place.source(node):
            continue
        for sign in ("+", "-", "*", "//", "%", "**"):
            if sign == "**" and not other.isdigit():
                continue
            yield place.put("term", node, f"{atom} {sign} {other}", 0.06)


def _binary(place: Place, node: ast.BinOp) -> Iterator[Mutant]:
    sign = _SIGNS.get(type(node.op))
    if sign is None:
        return
    left, right = place.source(node.left), place.source(node.right)
    if isinstance(node.op, ast.Add | ast.Mult) and left != right and not isinstance(node.left, ast.BinOp):
        yield place.put("operands", node, f"{_atom(place, node.right)} {sign} {left}", 0.3)
    yield place.put("dropped-operand", node, right, 0.2)
    strength = _PRECEDENCE[type(node.op)]
    inner = node.right
    if isinstance(inner, ast.BinOp) and type(inner.op) in _SIGNS and place.at.gap(node.left, inner).count("(") == 0:
        if _PRECEDENCE[type(inner.op)] > strength:
            new = f"({left} {sign} {place.source(inner.left)}) {_SIGNS[type(inner.op)]} {place.source(inner.right)}"
            yield place.put("precedence", node, new, 0.3)
    inner = node.left
    if isinstance(inner, ast.BinOp) and type(inner.op) in _SIGNS and place.at.gap(inner, node.right).count(")") == 0:
        new = f"{place.source(inner.left)} {_SIGNS[type(inner.op)]} ({place.source(inner.right)} {sign} {right})"
        yield place.put("precedence", node, new, 0.2)


def _boolean(place: Place, node: ast.BoolOp) -> Iterator[Mutant]:
    if len(node.values) > 2:
        word = " and " if isinstance(node.op, ast.And) else " or "
        for dropped in node.values:
            kept = [place.source(v) for v in node.values if v is not dropped]
            yield place.put("dropped-condition", node, word.join(kept), 0.25)
    for value in node.values:
        text = place.source(value)
        yield place.put("negation", value, f"not {text}" if not isinstance(value, ast.BoolOp) else f"not ({text})", 0.25)


def _subscript(place: Place, node: ast.Subscript) -> Iterator[Mutant]:
    base = place.source(node.value)
    if isinstance(node.slice, ast.Slice):
        lower = place.source(node.slice.lower) if node.slice.lower else ""
        upper = place.source(node.slice.upper) if node.slice.upper else ""
        if node.slice.step is None:
            yield place.put("slice", node, base, 0.3, loose=False)
            if bool(lower) != bool(upper):
                yield place.put("slice", node, f"{base}[{upper}:{lower}]", 0.35, loose=False)
            if lower and upper:
                yield place.put("slice", node, f"{base}[{lower}:]", 0.3, loose=False)
                yield place.put("slice", node, f"{base}[:{upper}]", 0.3, loose=False)
            yield place.put("slice", node, f"{base}[{lower}:{upper}:-1]", 0.1, loose=False)
            if not lower:
                yield place.put("slice", node, f"{base}[1:{upper}]", 0.25, loose=False)
            if not upper:
                yield place.put("slice", node, f"{base}[{lower}:-1]", 0.2, loose=False)
        else:
            yield place.put("slice", node, f"{base}[{lower}:{upper}]" if lower or upper else base, 0.3, loose=False)
        return
    index = place.source(node.slice)
    other = {"0": "-1", "-1": "0", "1": "-1"}.get(index)
    if other:
        yield place.put("index", node, f"{base}[{other}]", 0.35, loose=False)
    if isinstance(node.slice, ast.Tuple) and len(node.slice.elts) == 2:
        first, second = (place.source(e) for e in node.slice.elts)
        yield place.put("index-order", node.slice, f"{second}, {first}", 0.45, loose=False)
    if isinstance(node.value, ast.Subscript) and not isinstance(node.value.slice, ast.Slice):
        deep = place.source(node.value.value)
        yield place.put("index-order", node, f"{deep}[{index}][{place.source(node.value.slice)}]", 0.35, loose=False)
        yield place.put("index", node, base, 0.15, loose=False)
    if not isinstance(node.slice, ast.Constant | ast.UnaryOp | ast.BinOp | ast.Tuple):
        yield place.put("index", node, f"{base}[-{_atom(place, node.slice)} - 1]", 0.1, loose=False)


def _constant(place: Place, node: ast.Constant) -> Iterator[Mutant]:
    value = node.value
    fellows = {
        n.value: None
        for n in place.expressions
        if isinstance(n, ast.Constant) and type(n.value) is type(value) and n.value != value
    }
    if isinstance(value, str):
        for other in list(fellows)[:5]:
            yield place.put("text", node, repr(other), 0.2, loose=False)
        tried = [value.upper(), value.lower(), value.strip(), value + " ", " " + value, value.rstrip(), value[:-1], value[1:]]
        if value in ("", " ", ","):
            tried += ["", " ", ",", ", "]
        for other in dict.fromkeys(tried):
            if other != value:
                yield place.put("text", node, repr(other), 0.12, loose=False)
    elif type(value) in (int, float):
        holder = place.at.up.get(node)
        if isinstance(holder, ast.UnaryOp):
            return
        extra = [value - 2, value * 2, value * 10, value / 2 if isinstance(value, float) else value // 2]
        extra += [value // 10] if isinstance(value, int) and value % 10 == 0 else []
        extra += [value + 1.0, value - 1.0] if isinstance(value, float) else []
        for other, weight in [*((f, 0.2) for f in list(fellows)[:5]), *((e, 0.08) for e in extra)]:
            if other != value and other == other:
                text = repr(other)
                yield place.put("constant", node, text, weight if not text.startswith("-") else weight / 2)


def _attribute(place: Place, node: ast.Attribute) -> Iterator[Mutant]:
    """Another attribute that objects of the project have, the most alike first."""
    ranked = sorted(
        (a for a in place.attributes if a != node.attr),
        key=lambda a: -difflib.SequenceMatcher(None, a, node.attr, autojunk=False).ratio(),
    )
    for rank, other in enumerate(ranked[:_MOST_ATTRIBUTES]):
        why = f"`.{node.attr}` becomes `.{other}`"
        yield Mutant("attribute", end_of(node)[0], (rename_attribute(node, other),), why, 0.3 - 0.03 * rank)


def _call(place: Place, node: ast.Call) -> Iterator[Mutant]:
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    inside = ", ".join(place.source(a) for a in [*node.args, *node.keywords])
    function = place.source(node.func)
    if name in ("sorted", "sort"):
        given = {k.arg for k in node.keywords}
        for option, weight in (("reverse=True", 0.3), ("key=len", 0.1), ("key=str", 0.03), ("key=abs", 0.05)):
            if option.partition("=")[0] not in given:
                new = f"{function}({inside}, {option})" if inside else f"{function}({option})"
                yield place.put("option", node, new, weight, loose=False)
        for keyword in node.keywords:
            kept = ", ".join(place.source(a) for a in [*node.args, *node.keywords] if a is not keyword)
            yield place.put("option", node, f"{function}({kept})", 0.25, loose=False)
    elif name in ("pop",):
        new = f"{function}(0)" if not inside else f"{function}()"
        yield place.put("option", node, new, 0.35, loose=False)
    elif name == "enumerate" and len(node.args) == 1 and not node.keywords:
        yield place.put("option", node, f"{function}({inside}, 1)", 0.3, loose=False)
    elif name == "range" and len(node.args) == 2:
        first, last = (place.source(a) for a in node.args)
        yield place.put("range", node, f"range({last}, {first}, -1)", 0.1, loose=False)
        yield place.put("range", node, f"reversed(range({first}, {last}))", 0.15, loose=False)
        yield place.put("range", node, f"range({last})", 0.2, loose=False)
    elif name == "append" and len(node.args) == 1:
        yield place.put("option", node, f"{place.source(node.func.value)}.insert(0, {inside})", 0.2, loose=False)  # type: ignore[attr-defined]  # a method
    elif name == "insert" and len(node.args) == 2:
        value, base = place.source(node.args[1]), place.source(node.func)
        yield place.put("option", node, f"{base[: -len('insert')]}append({value})", 0.3, loose=False)
    own = place.function.name
    if name == own and not any(isinstance(a, ast.Starred) for a in node.args):
        yield from _recursion(place, node, function)
    if isinstance(node.func, ast.Attribute) and isinstance(place.at.up.get(node), ast.Call):
        return
    if isinstance(node.func, ast.Attribute) and is_load(node.func.value) and node.args:
        yield place.put("unwrapped", node, place.source(node.func.value), 0.08, loose=False)


def _recursion(place: Place, node: ast.Call, function: str) -> Iterator[Mutant]:
    """Arguments of a call of the function itself: one that is missing, one that does not come closer to the end."""
    args = [place.source(a) for a in node.args]
    named = [place.source(k) for k in node.keywords]
    missing = place.parameters[len(args) :]
    for name in missing:
        if name not in {k.arg for k in node.keywords}:
            yield place.put("recursion", node, f"{function}({', '.join([*args, f'{name}={name}', *named])})", 0.45, loose=False)
    for index, argument in enumerate(node.args):
        if isinstance(argument, ast.Name) and argument.id in place.names:
            for ending, weight in (("[1:]", 0.35), ("[:-1]", 0.3), (" - 1", 0.35), (" + 1", 0.3), (" // 2", 0.15)):
                text = argument.id + ending
                changed = [*args[:index], text, *args[index + 1 :], *named]
                yield place.put("recursion", node, f"{function}({', '.join(changed)})", weight, loose=False)


def _display(place: Place, node: ast.Tuple | ast.List) -> Iterator[Mutant]:
    if isinstance(place.at.up.get(node), ast.Subscript):
        return
    for i, first in enumerate(node.elts):
        for second in node.elts[i + 1 : i + 3]:
            a, b = place.source(first), place.source(second)
            if a != b and len(node.elts) <= 6:
                why = f"`{a[:30]}` and `{b[:30]}` are exchanged"
                yield Mutant("element-order", start_of(node)[0], (whole(first, b), whole(second, a)), why, 0.25)
    if not node.elts and isinstance(node, ast.List):
        up = place.at.up.get(node)
        if isinstance(up, ast.Return | ast.Assign | ast.Call):
            yield place.put("start", node, "[[]]", 0.25, loose=False)
            for name in place.names[:MOST_NAMES]:
                yield place.put("start", node, f"[{name}]", 0.3 if isinstance(up, ast.Return) else 0.15, loose=False)
            for number in ("0", "1"):
                yield place.put("start", node, f"[{number}]", 0.1, loose=False)
    if len(node.elts) == 1 and isinstance(node, ast.List):
        yield place.put("unwrapped", node, place.source(node.elts[0]), 0.2)
        yield place.put("unwrapped", node, "[]", 0.1, loose=False)


def _comprehension(place: Place, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Iterator[Mutant]:
    for generator in node.generators:
        for test in generator.ifs:
            yield place.put("negation", test, f"not ({place.source(test)})", 0.25, loose=False)
            yield place.put("dropped-condition", test, "True", 0.2, loose=False)


def _like_siblings(place: Place, node: ast.expr) -> Iterator[Mutant]:
    """What is done to one argument, operand or element is done to its neighbour, which was left as it is."""
    up = place.at.up.get(node)
    if not isinstance(node, ast.Name) or node.id not in place.names:
        return
    siblings: list[ast.expr] = []
    if isinstance(up, ast.Call):
        siblings = [a for a in up.args if a is not node] if up.func is not node else []
    elif isinstance(up, ast.Tuple | ast.List):
        siblings = [e for e in up.elts if e is not node]
    elif isinstance(up, ast.Compare):
        siblings = [e for e in (up.left, *up.comparators) if e is not node]
    elif isinstance(up, ast.BinOp):
        siblings = [up.left if up.right is node else up.right]
    for sibling in siblings:
        inner = [n for n in ast.walk(sibling) if isinstance(n, ast.Name) and n.id in place.names]
        if len(inner) != 1 or isinstance(sibling, ast.Name) or inner[0].lineno != sibling.lineno:
            continue
        text = place.source(sibling)
        at = inner[0].col_offset - sibling.col_offset
        raw = text.encode()
        new = (raw[:at] + node.id.encode() + raw[at + len(inner[0].id.encode()) :]).decode()
        yield place.put("like-sibling", node, new, 0.4)


def _by_name(place: Place, node: ast.expr) -> Iterator[Mutant]:
    """A variable in place of an expression or constant."""
    up = place.at.up.get(node)
    if isinstance(node, ast.Name | ast.Slice | ast.Lambda | ast.Tuple) or isinstance(up, ast.Expr | ast.JoinedStr):
        return
    if isinstance(up, ast.Call) and up.func is node or isinstance(up, ast.Attribute) or isinstance(node, ast.BoolOp):
        return
    weight = 0.25 if isinstance(up, ast.Return) else 0.14
    inside = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    for name in place.names[:MOST_NAMES]:
        yield place.put("by-name", node, name, weight - (0.02 if name in inside else 0.0), loose=False)
