"""Operators on calls: options of well-known functions, and the arguments of a recursion. Pure."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.mutations.mutant import Mutant
from selfheal_tui.repair.search.place import Place


def of_call(place: Place, node: ast.Call) -> Iterator[Mutant]:
    """Options of well-known functions, and arguments of a call of the function itself."""
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    inside = ", ".join(place.source(a) for a in [*node.args, *node.keywords])
    function = place.source(node.func)
    if name in ("sorted", "sort"):
        yield from _sorting(place, node, function, inside)
    for new, weight in _options(place, node, name, function, inside):
        yield place.put("option", node, new, weight, loose=False)
    if name == place.function.name and not any(isinstance(a, ast.Starred) for a in node.args):
        yield from _recursion(place, node, function)
    is_method = isinstance(node.func, ast.Attribute) and not isinstance(place.at.up.get(node), ast.Call)
    if is_method and isinstance(node.func, ast.Attribute) and node.args:
        yield place.put("unwrapped", node, place.source(node.func.value), 0.08, loose=False)


def _sorting(place: Place, node: ast.Call, function: str, inside: str) -> Iterator[Mutant]:
    given = {k.arg for k in node.keywords}
    for option, weight in (("reverse=True", 0.3), ("key=len", 0.1), ("key=str", 0.03), ("key=abs", 0.05)):
        if option.partition("=")[0] not in given:
            new = f"{function}({inside}, {option})" if inside else f"{function}({option})"
            yield place.put("option", node, new, weight, loose=False)
    for keyword in node.keywords:
        kept = ", ".join(place.source(a) for a in [*node.args, *node.keywords] if a is not keyword)
        yield place.put("option", node, f"{function}({kept})", 0.25, loose=False)


def _options(
    place: Place, node: ast.Call, name: str, function: str, inside: str
) -> Iterator[tuple[str, float]]:
    args = [place.source(a) for a in node.args]
    if name == "pop":
        yield (f"{function}(0)" if not inside else f"{function}()"), 0.35
    elif name == "enumerate" and len(args) == 1 and not node.keywords:
        yield f"{function}({inside}, 1)", 0.3
    elif name == "range" and len(args) == 2:
        first, last = args
        yield f"range({last}, {first}, -1)", 0.1
        yield f"reversed(range({first}, {last}))", 0.15
        yield f"range({last})", 0.2
    elif name == "append" and len(args) == 1 and isinstance(node.func, ast.Attribute):
        yield f"{place.source(node.func.value)}.insert(0, {inside})", 0.2
    elif name == "insert" and len(args) == 2 and isinstance(node.func, ast.Attribute):
        yield f"{place.source(node.func.value)}.append({args[1]})", 0.3


def _recursion(place: Place, node: ast.Call, function: str) -> Iterator[Mutant]:
    """Arguments of a call of the function itself: one that is missing, one that does not come closer to the end."""
    args = [place.source(a) for a in node.args]
    named = [place.source(k) for k in node.keywords]
    missing = place.parameters[len(args) :]
    for name in missing:
        if name not in {k.arg for k in node.keywords}:
            yield place.put(
                "recursion",
                node,
                f"{function}({', '.join([*args, f'{name}={name}', *named])})",
                0.45,
                loose=False,
            )
    for index, argument in enumerate(node.args):
        if isinstance(argument, ast.Name) and argument.id in place.names:
            for ending, weight in (
                ("[1:]", 0.35),
                ("[:-1]", 0.3),
                (" - 1", 0.35),
                (" + 1", 0.3),
                (" // 2", 0.15),
            ):
                text = argument.id + ending
                changed = [*args[:index], text, *args[index + 1 :], *named]
                yield place.put("recursion", node, f"{function}({', '.join(changed)})", weight, loose=False)
