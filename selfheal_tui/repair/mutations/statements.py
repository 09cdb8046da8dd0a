"""Mutants of statements: a lost `return`, `break` for `continue`, an indentation, a condition too many."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.mutations.mutant import Field, Mutant
from selfheal_tui.repair.rules.spans import end_of, start_of, whole
from selfheal_tui.source.edits import TextEdit
from selfheal_tui.source.text import split_lines

_LOOPS = ast.For | ast.AsyncFor | ast.While


def of_statement(at: Field, node: ast.stmt) -> Iterator[Mutant]:
    """Everything that is done to one statement as such."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call | ast.BinOp | ast.Compare | ast.Name):
        if _is_last(at, node):
            edit = TextEdit(start_of(node), start_of(node), "return ")
            yield Mutant("return", node.lineno, (edit,), "the value is returned", 0.4)
    elif isinstance(node, ast.Break):
        yield Mutant("loop-exit", node.lineno, (whole(node, "continue"),), "`break` becomes `continue`", 0.4)
    elif isinstance(node, ast.Continue):
        yield Mutant("loop-exit", node.lineno, (whole(node, "break"),), "`continue` becomes `break`", 0.4)
    elif isinstance(node, ast.Return):
        yield from _out_of_loop(at, node)
    elif isinstance(node, ast.If) and not node.orelse:
        yield from _unconditional(at, node)


def _is_last(at: Field, node: ast.stmt) -> bool:
    holder = at.up.get(node)
    while isinstance(holder, ast.If | ast.With | ast.Try):
        if node not in (holder.body[-1], *(holder.orelse[-1:] if not isinstance(holder, ast.With) else [])):
            return False
        node, holder = holder, at.up.get(holder)
    return isinstance(holder, ast.FunctionDef) and holder.body[-1] is node


def _out_of_loop(at: Field, node: ast.Return) -> Iterator[Mutant]:
    """A `return` that ends a loop's body belongs after the loop."""
    loop = at.up.get(node)
    if not isinstance(loop, _LOOPS) or loop.body[-1] is not node or len(loop.body) < 2:
        return
    lines = split_lines(at.text)
    first, last = node.lineno, end_of(node)[0]
    indent = " " * loop.col_offset
    moved = "".join(indent + line[node.col_offset :] for line in lines[first - 1 : last])
    if loop.orelse or end_of(loop)[0] != last:
        return
    edit = TextEdit((first, 0), (last + 1, 0), moved)
    yield Mutant("indentation", first, (edit,), "the `return` stands after the loop", 0.5)


def _unconditional(at: Field, node: ast.If) -> Iterator[Mutant]:
    """What an `if` allows is done in any case."""
    first, last = node.body[0].lineno, end_of(node)[0]
    if first == node.lineno or isinstance(node.body[-1], ast.Return | ast.Raise | ast.Continue | ast.Break):
        return
    lines = split_lines(at.text)
    shift = node.body[0].col_offset - node.col_offset
    body = lines[first - 1 : last]
    if shift <= 0 or any(line.strip() and line[:shift].strip() for line in body):
        return
    moved = "".join(line[shift:] if line.strip() else line for line in body)
    edit = TextEdit((node.lineno, 0), (last + 1, 0), moved)
    head = ast.unparse(node.test)[:60]
    yield Mutant("condition", node.lineno, (edit,), f"it is done whether or not `{head}`", 0.25)
