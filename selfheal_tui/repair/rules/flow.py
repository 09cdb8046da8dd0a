"""Small questions about values that several rules ask: what a local was, where a name got its value, how to wrap it.

Pure functions on a `Site`; runtime evidence (types and reprs of locals) is used where the capture has it, and its
absence only makes an answer weaker.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from selfheal_tui.model.candidate import Candidate
from selfheal_tui.model.crash import LocalValue
from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules.rule import Finding
from selfheal_tui.repair.rules.scopes import own_nodes
from selfheal_tui.repair.rules.spans import line_bytes, needs_parentheses, source_of, whole
from selfheal_tui.repair.rules.support import Site, ancestors, candidate, edited, parents, site_of
from selfheal_tui.source.edits import TextEdit, add_import, apply_edits
from selfheal_tui.source.position import first_line
from selfheal_tui.source.text import dominant_newline

N = TypeVar("N")


def listed(names: str) -> frozenset[str]:
    """Turns a space-separated list of names into a set."""
    return frozenset(names.split())


_TEXT_CALLS = listed(
    "input raw_input getenv split rsplit splitlines strip lstrip rstrip readline read group groups get_text partition"
)


def only(nodes: Sequence[N]) -> N | None:
    """Returns the single element, or None when there are none or several."""
    return nodes[0] if len(nodes) == 1 else None


def local(site: Site, node: ast.AST) -> LocalValue | None:
    """Returns what the capture knows of a plain variable at the moment of the crash."""
    if not isinstance(node, ast.Name):
        return None
    return next((value for value in site.frame.locals if value.name == node.id), None)


def type_of(site: Site, node: ast.AST) -> str:
    """Bare type name of an expression, from a literal or from captured locals; empty when unknown."""
    if isinstance(node, ast.Constant):
        return type(node.value).__name__
    literal = {
        ast.JoinedStr: "str", ast.List: "list", ast.ListComp: "list", ast.Tuple: "tuple", ast.Dict: "dict",
        ast.DictComp: "dict", ast.Set: "set", ast.SetComp: "set", ast.GeneratorExp: "generator",
    }.get(type(node))  # fmt: skip
    if literal:
        return literal
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        named = node.func.id
        return {"len": "int", "round": "int", "input": "str", "sorted": "list", "repr": "str"}.get(
            named,
            named
            if named in ("str", "int", "float", "list", "tuple", "dict", "set", "bytes", "map", "range")
            else "",
        )
    if (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Add)
        and "str"
        in (
            type_of(site, node.left),
            type_of(site, node.right),
        )
    ):
        return "str"
    value = local(site, node)
    return value.type.rpartition(".")[2] if value else ""


def scope_of(site: Site, node: ast.AST) -> ast.AST:
    """Returns the function that a node stands in, or the module."""
    return site.function(node) or site.tree


def assignments(site: Site, name: ast.Name) -> list[tuple[ast.stmt, ast.expr]]:
    """Returns the assignments of a variable in its function before a use, in source order, with their values."""
    found: list[tuple[ast.stmt, ast.expr]] = []
    for node in own_nodes(scope_of(site, name)):
        if isinstance(node, ast.Assign) and any(
            isinstance(t, ast.Name) and t.id == name.id for t in node.targets
        ):
            found.append((node, node.value))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            found += [(node, node.value)] if node.target.id == name.id else []
    before = [f for f in found if f[0].lineno <= name.lineno and not any(n is name for n in ast.walk(f[1]))]
    return sorted(before, key=lambda f: f[0].lineno)


def last_value(site: Site, node: ast.expr) -> ast.expr | None:
    """Returns the expression a plain variable was last assigned before a use; None when it is not one."""
    if not isinstance(node, ast.Name):
        return None
    found = assignments(site, node)
    return found[-1][1] if found else None


def loop_source(site: Site, name: str, node: ast.AST) -> ast.For | ast.comprehension | None:
    """Returns the loop (or comprehension) around a node whose only target is a variable."""
    for up in ancestors(site.tree, node):
        loops: list[ast.For | ast.comprehension] = []
        if isinstance(up, ast.For):
            loops = [up]
        elif isinstance(up, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            loops = list(up.generators)
        for loop in loops:
            if isinstance(loop.target, ast.Name) and loop.target.id == name:
                return loop
        if isinstance(up, ast.FunctionDef | ast.AsyncFunctionDef):
            return None
    return None


def is_text_source(node: ast.expr) -> bool:
    """Tells whether an expression reads outside text: input, environment, arguments, split lines, match groups."""
    for part in ast.walk(node):
        if isinstance(part, ast.Call):
            name = part.func.attr if isinstance(part.func, ast.Attribute) else getattr(part.func, "id", "")
            if name in _TEXT_CALLS:
                return True
        if isinstance(part, ast.Attribute) and part.attr in (
            "environ",
            "argv",
            "form",
            "query_params",
            "headers",
        ):
            return True
    return False


def numeric_text(site: Site, node: ast.expr) -> bool:
    """Tells whether a string was meant as a number: it reads like one, or came from outside text."""
    value = local(site, node)
    if value is not None and value.type == "str":
        return re.fullmatch(r"""['"]\s*[-+]?\d+(?:\.\d+)?\s*(?:\\n)?['"]""", value.repr) is not None
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and re.fullmatch(r"\s*[-+]?\d+(\.\d+)?\s*", node.value) is not None
    origin = last_value(site, node)
    return is_text_source(node) or (origin is not None and is_text_source(origin))


def number_type(site: Site, node: ast.expr, other: str) -> str:
    """Chooses `int` or `float` for a textual number that meets another operand's type."""
    value = local(site, node)
    return "float" if "float" in other or (value is not None and "." in value.repr) else "int"


def wrapped(site: Site, node: ast.expr, call: str) -> TextEdit:
    """Puts an expression into a call: `call(expression)`; enclosing parentheses, if any, stay."""
    return whole(node, f"{call}({source_of(site.text, node)})")


def with_suffix(site: Site, node: ast.expr, suffix: str) -> TextEdit:
    """Appends `.method()` or `[…]` to an expression, in parentheses where it needs them."""
    text = source_of(site.text, node)
    return whole(node, f"({text}){suffix}" if needs_parentheses(node) else f"{text}{suffix}")


Handler = Callable[[RepairContext, Site, re.Match[str]], Iterator[Finding]]
"""Yields what it has to offer for a message of its kind."""


def by_message(context: RepairContext, handlers: Sequence[tuple[str, Handler]]) -> Iterator[Finding]:
    """Asks the handler of the first pattern that the error's message begins with.

    Args:
        context: The crash.
        handlers: Pattern and handler, in order.
    """
    site = site_of(context)
    if site is None:
        return
    for pattern, handler in handlers:
        found = re.match(pattern, context.error.message)
        if found:
            yield from handler(context, site, found)
            return


def one_file(
    context: RepairContext,
    site: Site,
    rule: str,
    reason: str,
    confidence: float,
    edits: Sequence[TextEdit],
    *,
    imports: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> Iterator[Candidate]:
    """Yields a candidate of edits in the site's own file, with import statements added where they are missing."""
    if not imports:
        found = edited(context, rule, reason, confidence, {site.path: edits}, notes=notes)
        if found is not None:
            yield found
        return
    text = apply_edits(site.text, edits)
    for statement in imports:
        text = add_import(text, statement)
    modules = [s.split()[1] for s in imports]
    yield candidate(context, rule, reason, confidence, {site.path: text}, notes=notes, adds_imports=modules)


def operands(node: ast.expr) -> list[ast.expr]:
    """Flattens a chain of `+` into its operands, left to right."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [*operands(node.left), *operands(node.right)]
    return [node]


def calls(node: ast.Call, name: str) -> bool:
    """Tells whether a call names a function or method, whatever it is called on."""
    return (node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")) == name


def line_before(site: Site, statement: ast.stmt, text: str) -> TextEdit:
    """Puts lines before a statement, with its indentation; decorators stay with what they decorate."""
    return _line(site, first_line(statement), statement, text)


def _line(site: Site, line: int, statement: ast.stmt, text: str) -> TextEdit:
    newline = dominant_newline(site.text)
    head = line_bytes(site.text, line)[: statement.col_offset]
    if head.strip():  # several statements on one line
        start = (statement.lineno, statement.col_offset)
        return TextEdit(start, start, "; ".join(text.splitlines()) + "; ")
    indent = head.decode()
    return TextEdit((line, 0), (line, 0), "".join(f"{indent}{part}{newline}" for part in text.splitlines()))


def body_start(function: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.stmt:
    """Returns the first statement of a function after its docstring."""
    first = function.body[0]
    docstring = (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    )
    return function.body[1] if docstring and len(function.body) > 1 else first


def block_of(site: Site, statement: ast.AST) -> list[ast.stmt]:
    """Returns the list of statements that a statement stands in; empty when it is the module itself."""
    parent = parents(site.tree).get(statement)
    for name in ("body", "orelse", "finalbody"):
        block = getattr(parent, name, None)
        if isinstance(block, list) and any(s is statement for s in block):
            return block
    return []


def statement_of(site: Site, node: ast.AST) -> ast.stmt | None:
    """Returns the statement that a node belongs to (itself, if it is one)."""
    if isinstance(node, ast.stmt):
        return node
    return next((up for up in ancestors(site.tree, node) if isinstance(up, ast.stmt)), None)
