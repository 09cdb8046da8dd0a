"""A method that overrides another one and takes less than it: the parameter that callers of the interface pass.

`got an unexpected keyword argument`, `takes 2 positional arguments but 3 were given` and `missing … argument` for a method
whose base class or siblings take that argument, or have a default for it: the override is what fell behind.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules.classes import dotted, facts
from selfheal_tui.repair.rules.none_parameters import defaults_of
from selfheal_tui.repair.rules.places import Place, named
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.spans import end_of, insert_after, insert_before
from selfheal_tui.repair.rules.support import FunctionNode, edited
from selfheal_tui.source.edits import TextEdit

NAME = "override-signature"
_BASE, _SIBLING = 0.76, 0.64
_UNEXPECTED = re.compile(r"(?:[\w.<>]*?)(\w+)\(\) got an unexpected keyword argument '(\w+)'")
_TOO_MANY = re.compile(
    r"(?:[\w.<>]*?)(\w+)\(\) takes (?:from \d+ to )?(\d+) positional arguments? but (\d+) (?:was|were) given"
)
_MISSING = re.compile(
    r"(?:[\w.<>]*?)(\w+)\(\) missing 1 required (?:positional|keyword-only) argument: '(\w+)'"
)
_OWNER = re.compile(r"^([\w.<>]+)\.(\w+)\(\)")


@dataclass(frozen=True, slots=True)
class _Method:
    place: Place
    node: ast.FunctionDef | ast.AsyncFunctionDef


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields the override with the parameter that the interface has."""
    message = context.error.message
    unexpected, many, missing = _UNEXPECTED.match(message), _TOO_MANY.match(message), _MISSING.match(message)
    found = unexpected or many or missing
    if found is None:
        return
    for own in _methods(context, found[1], message):
        for other, confidence in _kin(context, own):
            edits = None
            if unexpected:
                edits = _with_keyword(own.node, other.node, unexpected[2])
            elif many:
                edits = _with_positional(own.node, other.node, int(many[3]) - int(many[2]))
            elif missing:
                edits = _with_default(own.node, other.node, missing[2])
            if edits is None:
                continue
            whose = f"`{other.place.qualname}`"
            reason = f"{whose} takes what `{own.place.qualname}` is called with, and the one stands in for the other"
            fix = edited(context, NAME, reason, confidence, {own.place.path: edits})
            if fix is not None:
                yield fix
                break


def _methods(context: RepairContext, name: str, message: str) -> Iterator[_Method]:
    """The methods that the message can be about."""
    owner = _OWNER.match(message)
    cls = owner[1].rpartition(".")[2] if owner else ""
    for place in named(context.project, name):
        holder = place.qualname.rpartition(".")[0].rpartition(".")[2]
        if isinstance(place.node, FunctionNode) and holder and cls in ("", holder):
            yield _Method(place, place.node)


def _kin(context: RepairContext, own: _Method) -> list[tuple[_Method, float]]:
    """The same method of base classes, then of classes with the same base."""
    qualname = own.place.qualname.rpartition(".")[0]
    cls = next(
        (n for n in ast.walk(own.place.tree) if isinstance(n, ast.ClassDef) and own.node in n.body), None
    )
    if cls is None:
        return []
    known = facts(context.project, Place(own.place.path, own.place.tree, qualname, cls))
    found: list[tuple[_Method, float]] = []
    for base in known.bases:
        found += [(m, _BASE) for m in _own(base, own.node.name)]
    bases = {dotted(b).rpartition(".")[2] for b in cls.bases} - {"", "object"}
    for place in named(context.project, own.node.name):
        other = next(
            (n for n in ast.walk(place.tree) if isinstance(n, ast.ClassDef) and place.node in n.body), None
        )
        if other is None or other is cls or not isinstance(place.node, FunctionNode):
            continue
        if bases & {dotted(b).rpartition(".")[2] for b in other.bases}:
            found.append((_Method(place, place.node), _SIBLING))
    return found


def _own(base: Place, name: str) -> list[_Method]:
    return [
        _Method(Place(base.path, base.tree, f"{base.qualname}.{name}", n), n)
        for n in getattr(base.node, "body", [])
        if isinstance(n, FunctionNode) and n.name == name
    ]


def _default_text(function: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> str | None:
    default = defaults_of(function).get(name)
    plain = default is not None and not any(isinstance(n, ast.Name | ast.Call) for n in ast.walk(default))
    return ast.unparse(default) if default is not None and plain else None


def _with_keyword(
    own: ast.FunctionDef | ast.AsyncFunctionDef, other: ast.FunctionDef | ast.AsyncFunctionDef, name: str
) -> list[TextEdit] | None:
    names = {a.arg for a in (*other.args.args, *other.args.kwonlyargs)}
    if name in names:
        default = _default_text(other, name)
        return _appended(own, f"{name}={default if default is not None else 'None'}")
    if other.args.kwarg is not None and own.args.kwarg is None:
        return _appended(own, f"**{other.args.kwarg.arg}", last=True)
    return None


def _with_positional(
    own: ast.FunctionDef | ast.AsyncFunctionDef, other: ast.FunctionDef | ast.AsyncFunctionDef, more: int
) -> list[TextEdit] | None:
    mine, theirs = own.args.args, other.args.args
    extra = theirs[len(mine) : len(mine) + more]
    if (
        len(extra) != more
        or more < 1
        or own.args.vararg
        or [a.arg for a in theirs[: len(mine)]] != [a.arg for a in mine]
    ):
        return None
    texts: list[str] = []
    for argument in extra:
        default = _default_text(other, argument.arg)
        if default is None and ((texts and "=" in texts[-1]) or own.args.defaults):
            default = "None"
        texts.append(f"{argument.arg}={default}" if default is not None else argument.arg)
    return _appended(own, ", ".join(texts))


def _with_default(
    own: ast.FunctionDef | ast.AsyncFunctionDef, other: ast.FunctionDef | ast.AsyncFunctionDef, name: str
) -> list[TextEdit] | None:
    default = _default_text(other, name)
    positional = own.args.args
    mine = next((a for a in (*positional, *own.args.kwonlyargs) if a.arg == name), None)
    if default is None or mine is None:
        return None
    if mine in positional:
        later = positional[positional.index(mine) + 1 :]
        if len(later) > len(own.args.defaults):
            return None  # a parameter without a default may not follow one with
    return [insert_after(mine, f" = {default}" if mine.annotation else f"={default}")]


def _appended(
    own: ast.FunctionDef | ast.AsyncFunctionDef, text: str, *, last: bool = False
) -> list[TextEdit] | None:
    """Puts parameters behind the positional ones (or at the very end)."""
    args = own.args
    if last and (args.kwonlyargs or args.vararg):
        end: ast.AST | None = (
            args.kw_defaults[-1] if args.kw_defaults and args.kw_defaults[-1] else None
        ) or (args.kwonlyargs[-1] if args.kwonlyargs else args.vararg)
        return [insert_after(end, f", {text}")] if end is not None else None
    if not args.args:
        return None
    if args.defaults and "=" not in text and not text.startswith("*"):
        return None
    ends = max([*args.args, *args.defaults], key=end_of)
    if args.vararg is not None and not text.startswith("*"):
        return [insert_before(args.kwonlyargs[0], f"{text}, ")] if args.kwonlyargs else None
    return [insert_after(ends, f", {text}")]


RULES: tuple[Rule, ...] = (Rule(NAME, ("TypeError",), apply),)
