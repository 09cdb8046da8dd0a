"""Calls that do not fit the parameters of the project's function: one too few or one too many.

The right value is only taken from where it is evident: a variable of the parameter's own name, what the caller's
siblings do, or the types at the crash. Nothing is passed just to fill a gap.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.places import files
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.scopes import visible
from selfheal_tui.repair.rules.similar import distance
from selfheal_tui.repair.rules.spans import end_of, rename_keyword, source_of, start_of
from selfheal_tui.repair.rules.support import (
    GUESS,
    PLAUSIBLE,
    STRONG,
    Site,
    edited,
    explained,
    site_of,
)
from selfheal_tui.source.calls import CallResolver, Found, Function
from selfheal_tui.source.edits import TextEdit

NAME = "argument-count"
_MISSING = re.compile(
    r"(?:[\w.<>]+\.)?(\w+)\(\) missing \d+ required (positional|keyword-only) arguments?: (.+)"
)
_TOO_MANY = re.compile(
    r"(?:[\w.<>]+\.)?(\w+)\(\) takes (?:from \d+ to )?(\d+) positional arguments? but (\d+) (?:was|were) given"
)
_MULTIPLE = re.compile(r"(?:[\w.<>]+\.)?(\w+)\(\) got multiple values for argument '(\w+)'")


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields the call with the arguments that it needs."""
    site = site_of(context)
    if site is None:
        return
    message = context.error.message
    if found := _MISSING.match(message):
        yield from _missing(context, site, found[1], re.findall(r"'(\w+)'", found[3]))
    elif found := _TOO_MANY.match(message):
        yield from _too_many(context, site, found[1], int(found[3]) - int(found[2]))
    elif found := _MULTIPLE.match(message):
        yield from _multiple(context, site, found[1], found[2])


def _call(site: Site, name: str) -> ast.Call | None:
    named = site.nodes(ast.Call, lambda n: flow.calls(n, name) or (name == "__init__"))
    if len(named) > 1 and site.frame.col is not None:
        named = [n for n in named if start_of(n) == (site.frame.line, site.frame.col)]
    return flow.only(named) or (flow.only(site.nodes(ast.Call)) if not named else None)


def definition_of_call(context: RepairContext, site: Site, call: ast.Call, name: str) -> Found | None:
    """Finds the project's function that a call runs; for `__init__` the constructor of the called class."""
    resolver = CallResolver(
        context.project,
        site.path,
        site.tree,
        site.frame.qualname,
        {v.name: v.type for v in site.frame.locals},
    )
    if name == "__init__":
        return resolver.resolve(
            ast.Call(func=ast.Attribute(value=call, attr="__init__", ctx=ast.Load()), args=[], keywords=[])
        )
    return resolver.resolve(call)


def parameter_names(function: Function) -> list[str]:
    """Positional parameters of a function, without `self` and `cls`."""
    names = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def _missing(context: RepairContext, site: Site, name: str, wanted: list[str]) -> Iterator[Finding]:
    call = _call(site, name)
    if call is None or not wanted:
        return
    found = definition_of_call(context, site, call, name)
    yield from _from_scope(context, site, call, found, wanted)
    if found is not None and found.node.name == name:
        yield from _default(context, found, wanted)
    elif name == "load" and wanted == ["Loader"] and isinstance(call.func, ast.Attribute):
        edit = TextEdit(
            start_of(call.func), end_of(call.func), f"{source_of(site.text, call.func.value)}.safe_load"
        )
        yield from flow.one_file(
            context,
            site,
            NAME,
            "`yaml.load()` needs a loader since PyYAML 6; `safe_load()` reads plain data",
            STRONG,
            [edit],
        )


def _from_scope(
    context: RepairContext, site: Site, call: ast.Call, found: Found | None, wanted: list[str]
) -> Iterator[Finding]:
    """A variable (or attribute of `self`) of the parameter's own name is in the caller's reach: pass it."""
    values: dict[str, str] = {}
    for parameter in wanted:
        value, sure = _value_for(site, call, parameter)
        if not value:
            return
        values[parameter] = value if sure else ""
    if not all(values.values()):
        return
    reason = (
        ", ".join(f"`{v}`" for v in values.values())
        + f" is at hand and has the name of the missing parameter of `{ast.unparse(call.func)}()`"
    )
    edit = _insert(call, found, values)
    if edit is not None:
        yield from flow.one_file(context, site, NAME, reason, STRONG, [edit])


def _value_for(site: Site, call: ast.Call, parameter: str) -> tuple[str, bool]:
    names = visible(site.tree, call)
    bound = names.get(parameter)
    if (
        bound is not None
        and bound.where != "builtin"
        and bound.kind in ("parameter", "variable")
        and (bound.where != "local" or bound.line <= call.lineno)
    ):
        return parameter, True
    owner = site.method_class(call)
    if owner is not None and "self" in names:
        wanted = (parameter, f"_{parameter}")
        for node in ast.walk(owner):
            of_self = (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == "self"
            )
            if of_self and isinstance(node, ast.Attribute) and node.attr in wanted:
                return f"self.{node.attr}", True
    return "", False


def _insert(call: ast.Call, found: Found | None, values: dict[str, str]) -> TextEdit | None:
    """Puts the arguments where their parameters stand: in order when they come last, else by keyword."""
    if any(isinstance(a, ast.Starred) for a in call.args) or any(k.arg is None for k in call.keywords):
        return None
    positional = parameter_names(found.node) if found else []
    given = len(call.args)
    in_order = (
        bool(positional) and not call.keywords and positional[given : given + len(values)] == list(values)
    )
    text = ", ".join(v if in_order else f"{p}={v}" for p, v in values.items())
    last: ast.AST | None = call.keywords[-1] if call.keywords else (call.args[-1] if call.args else None)
    if last is not None:
        return TextEdit(end_of(last), end_of(last), f", {text}")
    line, column = end_of(call)
    return TextEdit((line, column - 1), (line, column - 1), text)


def _call_sites(context: RepairContext, name: str) -> list[ast.Call]:
    return [
        node
        for _, _, tree in files(context.project, name)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and flow.calls(node, name)
    ]


def _default(context: RepairContext, found: Found, wanted: list[str]) -> Iterator[Finding]:
    """No caller passes the parameter, and the function treats None as "not given": it lacks its default."""
    function = found.node
    for parameter in wanted:
        calls = _call_sites(context, function.name)
        names = parameter_names(function)
        position = names.index(parameter) if parameter in names else -1
        passing = [
            c for c in calls if any(k.arg == parameter for k in c.keywords) or 0 <= position < len(c.args)
        ]
        argument = next(
            (a for a in (*function.args.args, *function.args.kwonlyargs) if a.arg == parameter), None
        )
        if (
            passing
            or argument is None
            or len(wanted) > 1
            or position != len(names) - 1
            or function.args.defaults
        ):
            continue
        checked = any(
            isinstance(n, ast.Compare)
            and isinstance(n.left, ast.Name)
            and n.left.id == parameter
            and isinstance(n.ops[0], ast.Is | ast.IsNot)
            for n in ast.walk(function)
        )
        reason = f"no caller passes `{parameter}` to `{function.name}()`" + (
            ", which treats None as not given" if checked else ""
        )
        if checked:
            spaced = " = None" if argument.annotation else "=None"
            candidate = edited(
                context,
                NAME,
                reason,
                PLAUSIBLE,
                {found.path: [TextEdit(end_of(argument), end_of(argument), spaced)]},
            )
            if candidate is not None:
                yield candidate
        else:
            yield explained(
                reason,
                f"Pass it at the calls, or give `{parameter}` a default in {found.path}:{function.lineno}.",
            )


def _too_many(context: RepairContext, site: Site, name: str, surplus: int) -> Iterator[Finding]:
    call = _call(site, name)
    if call is None:
        return
    found = definition_of_call(context, site, call, name)
    if found is None:
        yield from _packed(context, site, call, name)
        return
    names, function = parameter_names(found.node), found.node
    arguments = function.args
    bound = function.args.args[:1] and function.args.args[0].arg in ("self", "cls")
    if "." in found.qualname and not bound and not arguments.posonlyargs and not function.decorator_list:
        return  # a method without self belongs to another rule
    keyword_only = [a.arg for a in arguments.kwonlyargs]
    extra = call.args[len(names) :]
    if len(extra) != surplus or any(isinstance(a, ast.Starred) for a in call.args):
        return
    if keyword_only and len(extra) <= len(keyword_only):
        edits = [
            TextEdit(start_of(a), start_of(a), f"{keyword}=")
            for a, keyword in zip(extra, _keywords_for(extra, keyword_only), strict=True)
        ]
        reason = f"`{keyword_only[0]}` of `{function.name}()` is passed by keyword only"
        yield from flow.one_file(
            context, site, NAME, reason, STRONG if len(keyword_only) == 1 else PLAUSIBLE, edits
        )
        return
    others = [
        c
        for c in _call_sites(context, function.name)
        if c.lineno != call.lineno or ast.dump(c) != ast.dump(call)
    ]
    fitting = [c for c in others if len(c.args) <= len(names)]
    if others and len(fitting) == len(others) and call.args[: len(names)]:
        start, end = end_of(call.args[len(names) - 1]), end_of(call.args[-1])
        reason = f"`{function.name}()` takes {len(names)} arguments, and every other call passes no more"
        yield from flow.one_file(
            context, site, NAME, reason, PLAUSIBLE if len(others) > 1 else GUESS, [TextEdit(start, end, "")]
        )
    else:
        yield explained(
            f"`{function.name}()` takes {len(names)} arguments, and this call passes {len(call.args)}",
            "Drop what is not needed, or add the parameter to the function.",
        )


def _keywords_for(extra: list[ast.expr], keywords: list[str]) -> list[str]:
    """Matches surplus arguments to keyword-only parameters: by name where a variable has it, else in order."""
    left = list(keywords)
    chosen: list[str] = []
    for argument in extra:
        own = argument.id if isinstance(argument, ast.Name) else getattr(argument, "attr", "")
        pick = own if own in left else left[0]
        left.remove(pick)
        chosen.append(pick)
    return chosen


def _packed(context: RepairContext, site: Site, call: ast.Call, name: str) -> Iterator[Finding]:
    """Methods of built-in containers that take one iterable: `xs.append(1, 2)`."""
    if name in ("append", "add", "appendleft") and len(call.args) > 1:
        start, end = start_of(call.args[0]), end_of(call.args[-1])
        inner = site.text and ", ".join(source_of(site.text, a) for a in call.args)
        edit = TextEdit(start, end, f"({inner})")
        yield from flow.one_file(
            context, site, NAME, f"`{name}()` takes one element: put them in a tuple", PLAUSIBLE, [edit]
        )


def _multiple(context: RepairContext, site: Site, name: str, parameter: str) -> Iterator[Finding]:
    """A parameter is given by position and by keyword: the keyword of another parameter is meant, if one is left."""
    call = _call(site, name)
    found = definition_of_call(context, site, call, name) if call is not None else None
    if call is None or found is None:
        return
    names = [*parameter_names(found.node), *(a.arg for a in found.node.args.kwonlyargs)]
    given = {k.arg for k in call.keywords} | set(names[: len(call.args)])
    free = [n for n in names if n not in given]
    keyword = next((k for k in call.keywords if k.arg == parameter), None)
    if keyword is None:
        return
    own = keyword.value.id if isinstance(keyword.value, ast.Name) else ""
    wanted = own if own in free else (free[0] if len(free) == 1 and distance(free[0], parameter) <= 2 else "")
    if wanted:
        reason = f"`{parameter}` is given twice, and `{wanted}` not at all"
        yield from flow.one_file(context, site, NAME, reason, STRONG, [rename_keyword(keyword, wanted)])
        return
    position = names.index(parameter)
    if position < len(call.args) and ast.dump(call.args[position]) == ast.dump(keyword.value):
        previous = (
            call.args[-1] if call.keywords[0] is keyword else call.keywords[call.keywords.index(keyword) - 1]
        )
        edit = TextEdit(end_of(previous), end_of(keyword), "")
        yield from flow.one_file(
            context, site, NAME, f"`{parameter}` is given twice with the same value", STRONG, [edit]
        )


RULES: tuple[Rule, ...] = (Rule(NAME, ("TypeError",), apply),)
