"""Puts a new version of a definition in place of the old, keeping what did not change as it was.

A model rewrites a whole function to change one line, and on the way drops comments and reformats.
Statements whose meaning is the same are therefore taken from the old tree, with their comments and
layout; only what differs is new. Imports libcst, so it is loaded on use only.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import TypeVar

import libcst as cst

from selfheal_tui.source.csttree import Definition, code_of, decorator_kind

Statement = cst.BaseStatement
Compound = cst.If | cst.For | cst.While | cst.With | cst.Try | cst.TryStar | cst.FunctionDef | cst.ClassDef
_Clause = cst.Else | cst.Finally | cst.ExceptHandler | cst.ExceptStarHandler
N = TypeVar("N", bound=cst.CSTNode)
_PASS = cst.SimpleStatementSuite([cst.Pass()])


def shape(node: cst.CSTNode) -> str:
    """Returns what a statement means, without comments, layout and indentation of docstrings."""
    code = code_of(node)
    try:
        tree = ast.parse(code)
    except SyntaxError:  # a fragment that does not stand alone, such as `except` clauses
        return code
    for inner in ast.walk(tree):
        constant = inner.value if isinstance(inner, ast.Expr) else None
        if isinstance(constant, ast.Constant) and isinstance(constant.value, str):
            constant.value = inspect.cleandoc(constant.value)
    return ast.dump(tree)


def head(node: cst.CSTNode) -> str:
    """Returns what identifies a statement among others: its kind, and the head or target it has."""
    if isinstance(node, Definition):
        return f"{type(node).__name__} {node.name.value} {decorator_kind(node)}"
    if isinstance(node, Compound):
        return shape(_headed(node))
    if isinstance(node, cst.SimpleStatementLine) and len(node.body) == 1:
        small = node.body[0]
        if isinstance(small, cst.Assign):
            return "assign " + " ".join(code_of(target.target) for target in small.targets)
        if isinstance(small, cst.AnnAssign | cst.AugAssign):
            return "assign " + code_of(small.target)
        if isinstance(small, cst.Expr | cst.Return | cst.Raise):
            return type(small).__name__
    return shape(node)


def _headed(node: Compound) -> Compound:
    changes: dict[str, object] = {"body": _PASS, "leading_lines": ()}
    if isinstance(node, cst.Try | cst.TryStar):
        changes |= {"handlers": (), "orelse": None, "finalbody": cst.Finally(_PASS)}
    elif isinstance(node, cst.If | cst.For | cst.While):
        changes["orelse"] = None
    elif isinstance(node, Definition):
        changes["decorators"] = ()
    headed = node.with_changes(**changes)
    assert isinstance(headed, Compound)
    return headed


def blend(old: N, new: cst.CSTNode) -> N | cst.CSTNode:
    """Merges two versions of one statement.

    Args:
        old: The statement as it is.
        new: What it is to become.

    Returns:
        The old node where nothing changed, else a node with the new meaning that keeps the old one's
        comments, layout and unchanged inner statements.
    """
    if type(old) is not type(new):
        return _with_leading_lines(old, new)
    if isinstance(old, Compound) and isinstance(new, Compound):
        return _blend_compound(old, new)
    if shape(old) == shape(new):
        return old
    return _with_trailing_comment(old, _with_leading_lines(old, new))


def blend_definition(old: Definition, new: Definition) -> Definition:
    """Merges a new version of a function or class into the old one.

    Decorators and docstring that the new version leaves out are kept.

    Args:
        old: The definition as it is.
        new: Its new version; it may be nested less deep than the old one was.

    Returns:
        The merged definition.
    """
    new = _with_docstring(old, new)
    if not new.decorators or _same_decorators(old, new):
        new = new.with_changes(decorators=old.decorators)
    merged = _blend_compound(old, new)
    assert isinstance(merged, Definition)
    return merged


def _same_decorators(old: Definition, new: Definition) -> bool:
    return [code_of(d.decorator) for d in old.decorators] == [code_of(d.decorator) for d in new.decorators]


def _blend_compound(old: Compound, new: Compound) -> Compound:
    same_head = shape(_headed(old)) == shape(_headed(new))
    base: cst.CSTNode = old if same_head else _with_leading_lines(old, new)
    changes: dict[str, object] = {}
    body = _blend_suite(old.body, new.body)
    if body is not base.body:  # type: ignore[attr-defined]  # every compound statement has a body
        changes["body"] = body
    for attribute in ("orelse", "finalbody"):
        if hasattr(old, attribute) and hasattr(new, attribute):
            merged = _blend_clause(getattr(old, attribute), getattr(new, attribute))
            if merged is not getattr(base, attribute):
                changes[attribute] = merged
    if isinstance(old, cst.Try | cst.TryStar) and isinstance(new, cst.Try | cst.TryStar):
        handlers = _blend_handlers(old.handlers, new.handlers)
        if len(handlers) != len(old.handlers) or any(
            a is not b for a, b in zip(handlers, old.handlers, strict=True)
        ):
            changes["handlers"] = handlers
    if isinstance(old, Definition) and isinstance(new, Definition) and not _same_decorators(old, new):
        changes["decorators"] = new.decorators
    result = base.with_changes(**changes) if changes else base
    assert isinstance(result, Compound)
    return result


def _blend_clause(old: cst.CSTNode | None, new: cst.CSTNode | None) -> cst.CSTNode | None:
    if old is None or new is None or type(old) is not type(new):
        return new
    if isinstance(old, cst.If) and isinstance(new, cst.If):
        return _blend_compound(old, new)
    if isinstance(old, _Clause) and isinstance(new, _Clause):
        body = _blend_suite(old.body, new.body)
        return old if body is old.body else old.with_changes(body=body)
    return new


def _blend_handlers(
    old: Sequence[cst.ExceptHandler] | Sequence[cst.ExceptStarHandler],
    new: Sequence[cst.ExceptHandler] | Sequence[cst.ExceptStarHandler],
) -> list[cst.CSTNode]:
    def key(handler: cst.ExceptHandler | cst.ExceptStarHandler) -> str:
        return "".join(code_of(part) for part in (handler.type, handler.name) if part is not None)

    known = {key(handler): handler for handler in old}
    out: list[cst.CSTNode] = []
    for handler in new:
        before = known.get(key(handler))
        merged = _blend_clause(before, handler) if before is not None else handler
        out.append(merged if merged is not None else handler)
    return out


def _blend_suite(old: cst.BaseSuite, new: cst.BaseSuite) -> cst.BaseSuite:
    if isinstance(old, cst.IndentedBlock) and isinstance(new, cst.IndentedBlock):
        body = blend_statements(old.body, new.body)
        if len(body) == len(old.body) and all(a is b for a, b in zip(body, old.body, strict=True)):
            return old
        return old.with_changes(body=body, footer=old.footer or new.footer)
    if isinstance(old, cst.SimpleStatementSuite) and isinstance(new, cst.SimpleStatementSuite):
        return old if code_of(old).strip() == code_of(new).strip() else new
    if _suite_shape(old) == _suite_shape(new):
        return old
    return new


def _suite_shape(suite: cst.BaseSuite) -> str:
    return shape(cst.If(cst.Name("x"), suite))


def blend_statements(old: Sequence[Statement], new: Sequence[Statement]) -> list[cst.CSTNode]:
    """Merges two lists of statements, taking from the old all that means the same.

    Args:
        old: Statements as they are.
        new: What they are to become.

    Returns:
        As many statements as there are new ones, in their order.
    """
    old_shapes, new_shapes = [shape(s) for s in old], [shape(s) for s in new]
    matcher = SequenceMatcher(None, old_shapes, new_shapes, autojunk=False)
    out: list[cst.CSTNode] = []
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            out += old[i1:i2]
        else:
            out += _blend_changed(old[i1:i2], new[j1:j2])
    return out


def _blend_changed(old: Sequence[Statement], new: Sequence[Statement]) -> Iterator[cst.CSTNode]:
    """Pairs changed statements: by their heads, then by position where the numbers agree."""
    old_heads, new_heads = [head(s) for s in old], [head(s) for s in new]
    matcher = SequenceMatcher(None, old_heads, new_heads, autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal" or (tag == "replace" and i2 - i1 == j2 - j1):
            for before, after in zip(old[i1:i2], new[j1:j2], strict=True):
                yield blend(before, after)
        elif tag == "replace":
            yield _with_leading_lines(old[i1], new[j1])
            yield from new[j1 + 1 : j2]
        else:
            yield from new[j1:j2]


def _with_leading_lines(old: cst.CSTNode, new: cst.CSTNode) -> cst.CSTNode:
    """Keeps comments and blank lines above a statement, and adds the comments that are new."""
    before, after = getattr(old, "leading_lines", None), getattr(new, "leading_lines", None)
    if before is None or after is None:
        return new
    known = {line.comment.value for line in before if line.comment}
    added = [line for line in after if line.comment and line.comment.value not in known]
    return new.with_changes(leading_lines=[*before, *added])


def _with_trailing_comment(old: cst.CSTNode, new: cst.CSTNode) -> cst.CSTNode:
    """Keeps the comment behind a statement (often one for a linter), unless the new one has its own."""
    if not isinstance(old, cst.SimpleStatementLine) or not isinstance(new, cst.SimpleStatementLine):
        return new
    if new.trailing_whitespace.comment or not old.trailing_whitespace.comment:
        return new
    return new.with_changes(trailing_whitespace=old.trailing_whitespace)


def docstring(node: Definition) -> cst.SimpleStatementLine | None:
    """Returns the docstring statement of a definition, or None."""
    first = node.body.body[0] if isinstance(node.body, cst.IndentedBlock) and node.body.body else None
    if not isinstance(first, cst.SimpleStatementLine) or len(first.body) != 1:
        return None
    small = first.body[0]
    is_text = isinstance(small, cst.Expr) and isinstance(
        small.value, cst.SimpleString | cst.ConcatenatedString
    )
    return first if is_text else None


def _with_docstring(old: Definition, new: Definition) -> Definition:
    kept = docstring(old)
    if kept is None or docstring(new) is not None or not isinstance(new.body, cst.IndentedBlock):
        return new
    return new.with_changes(body=new.body.with_changes(body=[kept, *new.body.body]))
