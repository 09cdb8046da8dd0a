"""What changed between two versions of a body of statements, and what a statement needs when it runs.

Looks at syntax trees only; standard library only, CPython 3.9+.
"""

from __future__ import annotations

import ast
import copy
from typing import Any, Collection, Iterator, Mapping, NamedTuple, Optional, Sequence, Union

Function = Union[ast.FunctionDef, ast.AsyncFunctionDef]
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_SHAPE = "_selfheal_shape"


class Change(NamedTuple):
    """One statement that is new (no old), removed (no new), or changed."""

    old: Optional[ast.stmt]
    new: Optional[ast.stmt]


def bound_names(statement: ast.AST) -> list[str]:
    """Returns the names which a statement binds in its own scope."""
    names: list[str] = []
    for node in _own_scope(statement):
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            names.append(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
            names.append(node.id)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names.extend(
                alias.asname or alias.name.split(".")[0] for alias in node.names if alias.name != "*"
            )
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names.append(node.name)
    return names


def _own_scope(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    if isinstance(node, (*FUNCTIONS, ast.ClassDef, ast.Lambda)):
        return
    for child in ast.iter_child_nodes(node):
        yield from _own_scope(child)


def eager_names(node: ast.AST) -> set[str]:
    """Returns the names which are looked up when the statement runs, not when its functions are called."""
    names: set[str] = set()
    todo: list[ast.AST] = [node]
    while todo:
        one = todo.pop()
        if isinstance(one, ast.Name):
            names.add(one.id)
        if isinstance(one, FUNCTIONS):
            todo.extend([*one.decorator_list, one.args, *([one.returns] if one.returns else [])])
        elif isinstance(one, ast.Lambda):
            todo.append(one.args)
        else:
            todo.extend(ast.iter_child_nodes(one))
    return names


def shape(node: ast.AST) -> str:
    """Returns a tree in a form that can be compared; worked out once for each, as trees are never changed."""
    known: Optional[str] = getattr(node, _SHAPE, None)
    if known is None:
        known = ast.dump(node)
        setattr(node, _SHAPE, known)
    return known


def header(node: Function) -> str:
    """Returns what of a function is worked out when `def` runs: parameters, annotations, docstring."""
    returns = shape(node.returns) if node.returns else ""
    return f"{shape(node.args)} {returns} {ast.get_docstring(node, clean=False)!r}"


def decorators(node: Union[Function, ast.ClassDef]) -> list[str]:
    """Returns the decorators in a form that can be compared."""
    return [shape(one) for one in node.decorator_list]


def without_bodies(statement: ast.stmt) -> str:
    """Returns a statement without what a change of code objects and headers brings in."""

    class Emptied(ast.NodeTransformer):
        def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
            return self._emptied(node)

        def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> Any:
            return self._emptied(node)

        def _emptied(self, node: Any) -> Any:
            node.body, node.returns = [], None
            node.args = ast.arguments([], [], None, [], [], None, [])
            return node

        def visit_Lambda(self, node: ast.Lambda) -> Any:
            node.body = ast.Constant(None)
            return node

    return ast.dump(Emptied().visit(copy.deepcopy(statement)))


def diff_bodies(
    old: Optional[Sequence[ast.stmt]], new: Sequence[ast.stmt], present: Mapping[str, Any]
) -> list[Change]:
    """Returns what changed, in the order of the new text, removals last.

    Args:
        old: The statements before; None when they are not known: then only what binds a name that is not
            there yet counts as new, and classes count as changed.
        new: The statements now.
        present: The names that are bound now.
    """
    if old is None:
        return [Change(None, one) for one in new if any(name not in present for name in bound_names(one))]
    waiting: dict[str, list[ast.stmt]] = {}
    for one in old:
        waiting.setdefault(shape(one), []).append(one)
    changed = []
    for one in new:
        same = waiting.get(shape(one))
        if same:
            same.pop(0)
        else:
            changed.append(one)
    gone = [one for one in old if any(one is left for left in waiting[shape(one)])]
    changes = []
    for one in changed:
        partner = next((left for left in gone if _slot(left) == _slot(one)), None)
        if partner is not None:
            gone.remove(partner)
        changes.append(Change(partner, one))
    return changes + [Change(left, None) for left in gone]


def _slot(statement: ast.stmt) -> Any:
    """What makes an old and a new statement the same one: the name it binds, else its kind."""
    if isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
        return statement.name
    if isinstance(statement, (ast.Assign, ast.AnnAssign)):
        names = bound_names(statement)
        return names[0] if len(names) == 1 else tuple(names)
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return "docstring", type(statement.value.value)
    if isinstance(statement, (ast.If, ast.Try)):
        return type(statement), tuple(sorted(set(bound_names(statement))))
    return shape(statement)


def function_nodes(tree: ast.Module) -> dict[tuple[str, int], Function]:
    """Returns all functions by (qualified name, first line as code objects count it)."""
    found: dict[tuple[str, int], Function] = {}

    def visit(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, FUNCTIONS):
                lines = [child.lineno, *(one.lineno for one in child.decorator_list)]
                found[prefix + child.name, min(lines)] = child
                visit(child, f"{prefix}{child.name}.<locals>.")
            elif isinstance(child, ast.ClassDef):
                visit(child, f"{prefix}{child.name}.")
            elif isinstance(child, ast.Lambda):
                visit(child, f"{prefix}<lambda>.<locals>.")
            else:
                visit(child, prefix)

    visit(tree, "")
    return found


def is_main_guard(statement: ast.stmt) -> bool:
    """Whether this is `if __name__ == "__main__":`, which belongs to the start of the program."""
    return isinstance(statement, ast.If) and any(
        isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(statement.test)
    )


def attributes_set(node: Function) -> set[str]:
    """Returns the attributes that a method assigns on its first argument."""
    parameters = [*node.args.posonlyargs, *node.args.args]
    if not parameters:
        return set()
    me = parameters[0].arg
    return {
        one.attr
        for one in ast.walk(node)
        if isinstance(one, ast.Attribute)
        and isinstance(one.ctx, ast.Store)
        and isinstance(one.value, ast.Name)
        and one.value.id == me
    }


def touches(node: ast.AST, names: Collection[str]) -> bool:
    """Whether a statement looks up one of the names when it runs."""
    return bool(names) and not eager_names(node).isdisjoint(names)
