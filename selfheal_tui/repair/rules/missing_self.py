"""Rules for methods that lack the parameter which the interpreter passes by itself: `self` or `cls`.

Either the call says so ("takes 0 positional arguments but 1 was given") or the body does, by using a
`self` that is not defined.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules.calls import inside_class
from selfheal_tui.repair.rules.classes import FunctionNode, decorator_names, dotted
from selfheal_tui.repair.rules.misspelt_name import unbound_names
from selfheal_tui.repair.rules.places import Place, files, named
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.spans import line_bytes, rename_argument
from selfheal_tui.repair.rules.support import CERTAIN, PLAUSIBLE, STRONG, candidate, edited, failing_site
from selfheal_tui.source.edits import TextEdit, indent_of, insert_before_line

NAME = "missing-self-parameter"
STATIC = "missing-staticmethod"
SELF_NAME = "undefined-self"

_TAKES = re.compile(
    r"^(?P<callee>[\w.<>]+)\(\) takes (?:from \d+ to )?(?P<takes>\d+) positional arguments? but (?P<given>\d+) (?:was|were) given"
)


def parameter_edit(text: str, node: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> TextEdit | None:
    """The edit that puts a first parameter into a `def`; None when its parenthesis is not on that line."""
    raw = line_bytes(text, node.lineno)
    match = re.compile(rb"(?:async\s+)?def\s+\w+\s*(?:\[[^\]]*\]\s*)?\(").match(raw, node.col_offset)
    if match is None:
        return None
    arguments = node.args
    empty = not (
        arguments.posonlyargs or arguments.args or arguments.vararg or arguments.kwonlyargs or arguments.kwarg
    )
    at = (node.lineno, match.end())
    return TextEdit(at, at, name if empty else f"{name}, ")


def _method(context: RepairContext, message_name: str) -> Place | None:
    """The only method of the project with the name in a message."""
    parts = [part for part in message_name.split(".") if part != "<locals>"]
    found = []
    for place in named(context.project, parts[-1]):
        owner = place.qualname.rpartition(".")[0]
        if isinstance(place.node, FunctionNode) and owner and inside_class(place, owner):
            found.append(place)
    if len(parts) > 1:
        found = [
            place for place in found if place.qualname.replace(".<locals>", "").endswith(".".join(parts))
        ]
    return found[0] if len(found) == 1 else None


def missing_parameter(context: RepairContext) -> Iterator[Finding]:
    """A method was called through its instance and has no parameter to take it."""
    match = _TAKES.search(context.error.message)
    site = failing_site(context)
    if match is None or site is None or int(match["given"]) != int(match["takes"]) + 1:
        return
    place = _method(context, match["callee"])
    if place is None or not isinstance(place.node, FunctionNode):
        return
    node = place.node
    bare = node.name
    calls = site.nodes(ast.Call, lambda c: isinstance(c.func, ast.Attribute) and c.func.attr == bare)
    if not calls or "staticmethod" in decorator_names(node):
        return
    positional = [*node.args.posonlyargs, *node.args.args]
    if node.args.vararg or (positional and positional[0].arg in ("self", "cls", "mcs", "_", "_self")):
        return
    if not any(len(call.args) == int(match["takes"]) or _starred(call) for call in calls):
        return
    is_class = "classmethod" in decorator_names(node)
    me = "cls" if is_class else "self"
    names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    needs_it = me in names
    text = context.project.read(place.path).text
    owner = place.qualname.rpartition(".")[0]
    edit = parameter_edit(text, node, me)
    through_class = _called_through_class(context, owner.rpartition(".")[2], bare)
    if edit is not None:
        fix = edited(
            context,
            NAME,
            f"{place.qualname} is called through an {'class' if is_class else 'instance'} and has no parameter "
            f"that takes it; {me!r} is added.".replace("an class", "a class"),
            CERTAIN if needs_it or is_class else PLAUSIBLE if through_class else STRONG,
            {place.path: [edit]},
        )
        if fix is not None:
            yield fix
    if not needs_it and not is_class:
        line = min([node.lineno, *(d.lineno for d in node.decorator_list)])
        yield candidate(
            context,
            STATIC,
            f"{place.qualname} uses nothing of its instance and has no parameter that takes it; it is declared "
            f"a static method, so that it can be called through instance and class alike.",
            STRONG if through_class else PLAUSIBLE,
            {place.path: insert_before_line(text, line, indent_of(text, node.lineno) + "@staticmethod\n")},
        )


def _starred(call: ast.Call) -> bool:
    return any(isinstance(argument, ast.Starred) for argument in call.args)


def _called_through_class(context: RepairContext, cls: str, method: str) -> bool:
    return any(
        isinstance(node, ast.Call) and dotted(node.func).endswith(f"{cls}.{method}")
        for _path, _text, tree in files(context.project, cls, method)
        for node in ast.walk(tree)
    )


def undefined_self(context: RepairContext) -> Iterator[Finding]:
    """A method's body uses `self` (or `cls`) that its parameter list does not have."""
    found = unbound_names(context)
    if found is None:
        return
    site, nodes = found
    node = nodes[0]
    method = site.function(node)
    if node.id not in ("self", "cls") or method is None or site.method_class(node) is None:
        return
    while (outer := site.function(method)) is not None:
        method = outer
    decorators = decorator_names(method)
    if "staticmethod" in decorators or (node.id == "cls") != ("classmethod" in decorators):
        return
    positional = [*method.args.posonlyargs, *method.args.args]
    used = {part.id for part in ast.walk(method) if isinstance(part, ast.Name)}
    if positional and positional[0].arg not in used:
        edit: TextEdit | None = rename_argument(positional[0], node.id)
        what = f"its first parameter, {positional[0].arg!r}, which nothing uses, is renamed"
    else:
        edit = parameter_edit(site.text, method, node.id)
        what = "it is added as the first one"
    if edit is None:
        return
    fix = edited(
        context,
        SELF_NAME,
        f"the method {method.name} uses {node.id!r}, which its parameters do not have; {what}.",
        STRONG,
        {site.path: [edit]},
    )
    if fix is not None:
        yield fix


RULES = (
    Rule(NAME, ("TypeError",), missing_parameter),
    Rule(SELF_NAME, ("NameError",), undefined_self),
)
