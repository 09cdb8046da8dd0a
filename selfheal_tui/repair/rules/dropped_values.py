"""Functions whose last statement works a value out and drops it, in the code that a None came through.

A statement such as `self.size * scale` or `tuple, of, values` does nothing by itself, so it can only be a forgotten
`return`; it is looked for where the source does not show which call made the None.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules.none_results import missing_return_of
from selfheal_tui.repair.rules.places import files
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.spans import insert_before
from selfheal_tui.repair.rules.support import PLAUSIBLE, STRONG, FunctionNode, edited, read
from selfheal_tui.source.calls import Found, definitions
from selfheal_tui.source.origins import Returns, returns_of

NAME = "dropped-value"
_VALUES = (ast.BinOp, ast.Compare, ast.BoolOp, ast.Name, ast.Attribute, ast.Subscript, ast.Tuple, ast.List, ast.Dict,
           ast.ListComp, ast.DictComp, ast.SetComp, ast.JoinedStr, ast.UnaryOp)  # fmt: skip
_SPECIAL = ("__iter__", "__enter__", "__getitem__", "__str__", "__repr__", "__len__", "__hash__", "__next__", "__format__",
            "__bool__", "__eq__", "__lt__", "__add__", "__mul__", "__sub__", "__call__", "__getattr__", "__new__")  # fmt: skip
"""Methods that Python calls for their value."""


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields the one dropped value of the project as a return."""
    message = context.error.message
    if "NoneType" not in message:
        return
    yield from _special_method(context)
    found = list(_dropped(context))
    near = [f for f in found if any(frame.path == f[0].path for frame in context.error.frames)]
    chosen = near or found
    if len(chosen) != 1:
        return
    place, last = chosen[0]
    reason = f"`{place.qualname}` works out `{ast.unparse(last)}` and drops it: it was to be returned"
    edits = {place.path: [insert_before(last, "return ")]}
    fix = edited(context, NAME, reason, STRONG if near else PLAUSIBLE, edits)
    if fix is not None:
        yield fix


def _dropped(context: RepairContext) -> Iterator[tuple[Found, ast.Expr]]:
    for path, text, tree in files(context.project):
        if context.project.protected(path):
            continue
        for qualname, node in definitions(tree):
            last = node.body[-1]
            if (
                isinstance(node, FunctionNode)
                and isinstance(last, ast.Expr)
                and isinstance(last.value, _VALUES)
                and returns_of(node) in (Returns.NEVER_A_VALUE, Returns.FALLS_OFF)
            ):
                yield Found(path, qualname, node, text), last


def _special_method(context: RepairContext) -> Iterator[Finding]:
    """`iter() returned non-iterator of type 'NoneType'`: a special method of a class of the project lacks its return."""
    message = context.error.message
    wanted = [name for name in _SPECIAL if f"{name} returned" in message]
    if "iter() returned non-iterator" in message:
        wanted = ["__iter__"]
    frame = context.frame
    if not wanted or frame is None:
        return
    types = {value.type.rpartition(".")[2] for value in frame.locals}
    hits = []
    for path, _text, tree in files(context.project, wanted[0]):
        source = read(context.project, path)
        for qualname, node in definitions(tree) if source is not None else ():
            owner, _, bare = qualname.rpartition(".")
            if bare == wanted[0] and isinstance(node, FunctionNode) and source is not None:
                hits.append((owner.rpartition(".")[2] in types, Found(path, qualname, node, source.text)))
    chosen = [f for known, f in hits if known] or [f for _, f in hits]
    chosen = [f for f in chosen if returns_of(f.node) is Returns.NEVER_A_VALUE]
    if len(chosen) == 1:
        yield from missing_return_of(context, chosen[0])


RULES: tuple[Rule, ...] = (Rule(NAME, ("AttributeError", "TypeError"), apply),)
