"""Rules for calls with a keyword that the callee does not take.

`misspelt-keyword` finds the parameter that was meant by its spelling or meaning; `renamed-keyword`
finds in git's history what the parameter of that name is called now, and follows it to every caller.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules.calls import Callee, callee_of
from selfheal_tui.repair.rules.classes import FunctionNode, dotted
from selfheal_tui.repair.rules.places import files, named, resolve, top_level
from selfheal_tui.repair.rules.redirect import Redirection
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.similar import kindred, near
from selfheal_tui.repair.rules.spans import rename_keyword
from selfheal_tui.repair.rules.support import CERTAIN, PLAUSIBLE, STRONG, Site, edited, failing_site, site_of
from selfheal_tui.repair.rules.target import call_parameters
from selfheal_tui.source.githistory import GitHistory

MISSPELT = "misspelt-keyword"
RENAMED = "renamed-keyword"

_UNEXPECTED = re.compile(r"^(?P<callee>[\w.<>]+)\(\) got an unexpected keyword argument '(?P<name>\w+)'")
_INVALID = re.compile(r"'(?P<name>\w+)' is an invalid keyword argument for (?P<callee>[\w.]+)")
_MISSING = re.compile(
    r"^(?P<callee>[\w.<>]+)\(\) missing 1 required (?:positional|keyword-only) argument: '(?P<name>\w+)'"
)


def _failing_call(context: RepairContext) -> tuple[Site, ast.Call, ast.keyword, str] | None:
    """The call with the unwelcome keyword.

    A library function may have handed the keyword on, so its frames may lie between; then the call is
    found by the keyword alone.
    """
    match = _UNEXPECTED.search(context.error.message) or _INVALID.search(context.error.message)
    if match is None:
        return None
    bare = match["callee"].rpartition(".")[2]
    for frame in reversed(context.error.frames):  # a decorator's wrapper may have handed it on as well
        site = site_of(context, frame) if frame.in_app else None
        if site is None:
            continue
        calls = site.nodes(ast.Call, lambda call: any(k.arg == match["name"] for k in call.keywords))
        exact = [call for call in calls if dotted(call.func).rpartition(".")[2] == bare]
        calls = exact or calls
        if len(calls) == 1:
            keyword = next(k for k in calls[0].keywords if k.arg == match["name"])
            return site, calls[0], keyword, match["callee"]
        if calls:
            return None
    return None


def free_keywords(call: ast.Call, parameters: tuple[str, ...], keywords: tuple[str, ...]) -> list[str]:
    """Keywords of a callee that a call does not fill already, by position or by name."""
    given = {k.arg for k in call.keywords}
    if any(isinstance(a, ast.Starred) for a in call.args):
        filled: set[str] = set()
    else:
        filled = set(parameters[: len(call.args)])
    return [name for name in keywords if name not in given and name not in filled]


def misspelt_keyword(context: RepairContext) -> Iterator[Finding]:
    """Offers the callee's free parameters that are near the keyword, or mean the same."""
    found = _failing_call(context)
    if found is None:
        yield from _misspelt_into_kwargs(context)
        return
    site, call, keyword, message_name = found
    callee = callee_of(context, site, call, message_name)
    free = (
        free_keywords(call, callee.parameters, callee.keywords)
        if callee is not None
        else free_keywords(call, *_library_parameters(context, site, call)[:2])
    )
    name = keyword.arg or ""
    matches = [(m.name, m.confidence, "is spelt nearly so") for m in near(name, free)]
    if not matches:
        alike = [other for other in free if _same_meaning(name, other)]
        matches = [(other, PLAUSIBLE, "means the same") for other in alike] if len(alike) == 1 else []
    for new, confidence, why in matches:
        redirection = _same_calls(context, site, call, keyword, callee, new)
        fix = edited(
            context,
            MISSPELT,
            f"{message_name}() takes no {name!r}, but its parameter {new!r} {why}; the call is corrected.",
            confidence,
            redirection.edits,
            notes=redirection.notes,
        )
        if fix is not None:
            yield fix


def _same_meaning(left: str, right: str) -> bool:
    return kindred(left, right) or _one_contains_other(left, right) or _abbreviates(left, right)


def _abbreviates(left: str, right: str) -> bool:
    """`msg` and `message`: the letters of the short one come in the long one in that order, the first first."""
    short, long = sorted((left, right), key=len)
    rest = iter(long)
    return 2 <= len(short) < len(long) and short[0] == long[0] and all(letter in rest for letter in short)


def _one_contains_other(left: str, right: str) -> bool:
    """`timeout` and `timeout_seconds`: one is the other with a unit or qualifier."""
    a, b = left.split("_"), right.split("_")
    short, long = (a, b) if len(a) < len(b) else (b, a)
    return len(short) < len(long) and (long[: len(short)] == short or long[-len(short) :] == short)


def _misspelt_into_kwargs(context: RepairContext) -> Iterator[Finding]:
    """A misspelt keyword can vanish in `**kwargs`, and then the right one is missing."""
    site = failing_site(context)
    match = _MISSING.search(context.error.message)
    if site is None or match is None:
        return
    bare = match["callee"].rpartition(".")[2]
    calls = site.nodes(ast.Call, lambda call: bool(call.keywords))
    calls = [c for c in calls if dotted(c.func).rpartition(".")[2] == bare or bare == "__init__"]
    if len(calls) != 1:
        return
    callee = callee_of(context, site, calls[0], match["callee"])
    keywords, star = (
        (callee.keywords, callee.star) if callee else _library_parameters(context, site, calls[0])[1:]
    )
    if not star:
        return
    extra = {k.arg: k for k in calls[0].keywords if k.arg and k.arg not in keywords}
    for found in near(match["name"], extra):
        fix = edited(
            context,
            MISSPELT,
            f"{match['callee']}() lacks {match['name']!r} and was given {found.name!r}, which is spelt nearly so; "
            f"the call is corrected.",
            min(found.confidence, STRONG),
            {site.path: [rename_keyword(extra[found.name], match["name"])]},
        )
        if fix is not None:
            yield fix


def _library_parameters(
    context: RepairContext, site: Site, call: ast.Call
) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """Positional names, keywords, and whether any keyword goes, of a callee of the standard library."""
    written = dotted(call.func)
    head, _, rest = written.partition(".")
    node = top_level(site.tree).get(head)
    module = ""
    qualname = written
    if isinstance(node, ast.ImportFrom) and not node.level:
        alias = next(a for a in node.names if (a.asname or a.name) == head)
        module, qualname = node.module or "", ".".join(filter(None, (alias.name, rest)))
    elif isinstance(node, ast.Import):
        alias = next(a for a in node.names if (a.asname or a.name.partition(".")[0]) == head)
        full = f"{alias.name if alias.asname else head}.{rest}"
        module, _, qualname = full.rpartition(".")
    elif node is None and written and "." not in written:
        module = "builtins"
    if not module or not qualname:
        return (), (), False
    parameters = call_parameters(context.interpreter, module, qualname)
    positional = tuple(n for n, kind in parameters if kind in ("POSITIONAL_ONLY", "POSITIONAL_OR_KEYWORD"))
    keywords = tuple(n for n, kind in parameters if kind in ("POSITIONAL_OR_KEYWORD", "KEYWORD_ONLY"))
    return positional, keywords, any(kind == "VAR_KEYWORD" for _, kind in parameters)


def _same_calls(
    context: RepairContext, site: Site, call: ast.Call, keyword: ast.keyword, callee: Callee | None, new: str
) -> Redirection:
    """All calls of the project's callee with the same wrong keyword; they must all crash."""
    result = Redirection()
    result.add(context, site.path, rename_keyword(keyword, new))
    if callee is None or callee.star:
        return result
    bare = dotted(call.func).rpartition(".")[2]
    if not bare or not keyword.arg:
        return result
    only = (
        len([p for p in named(context.project, bare) if isinstance(p.node, FunctionNode | ast.ClassDef)]) == 1
    )
    for path, _text, tree in files(context.project, bare, keyword.arg):
        for other in ast.walk(tree):
            if not isinstance(other, ast.Call) or dotted(other.func).rpartition(".")[2] != bare:
                continue
            given = {k.arg: k for k in other.keywords}
            if keyword.arg not in given or new in given or new in callee.parameters[: len(other.args)]:
                continue
            place = resolve(context.project, path, tree, dotted(other.func))
            reached = (
                place is not None
                and (place.node is callee.place.node or isinstance(place.node, ast.ClassDef))
                and place.path == callee.place.path
            )
            if reached or (place is None and only and isinstance(other.func, ast.Attribute)):
                result.add(context, path, rename_keyword(given[keyword.arg], new))
    return result


def renamed_keyword(context: RepairContext) -> Iterator[Finding]:
    """Finds what a parameter is called since a commit renamed it."""
    found = _failing_call(context)
    if found is None:
        return
    site, call, keyword, message_name = found
    callee = callee_of(context, site, call, message_name)
    if callee is None or not isinstance(callee.place.node, FunctionNode):
        return
    now = [a.arg for a in (*callee.place.node.args.args, *callee.place.node.args.kwonlyargs)]
    for commit, old in GitHistory(context.project).earlier(callee.place.path, callee.place.qualname):
        if not isinstance(old, FunctionNode):
            continue
        then = [a.arg for a in (*old.args.args, *old.args.kwonlyargs)]
        if keyword.arg not in then:
            continue
        new = _successor(then, now, keyword.arg or "")
        if new is None or new not in free_keywords(call, callee.parameters, callee.keywords):
            return
        redirection = _same_calls(context, site, call, keyword, callee, new)
        fix = edited(
            context,
            RENAMED,
            f"{message_name}() had a parameter {keyword.arg!r} until {commit.short}; it is called {new!r} now, "
            f"and the callers that were left behind are corrected.",
            CERTAIN,
            redirection.edits,
            notes=redirection.notes,
        )
        if fix is not None:
            yield fix
        return


def _successor(then: list[str], now: list[str], name: str) -> str | None:
    """The one parameter that came when this one went, at the same position or as the only new one."""
    gone = [n for n in then if n not in now]
    new = [n for n in now if n not in then]
    if len(gone) == len(new) == 1:
        return new[0]
    index = then.index(name)
    if len(then) == len(now) and now[index] in new:
        return now[index]
    return None


RULES = (
    Rule(RENAMED, ("TypeError",), renamed_keyword),
    Rule(MISSPELT, ("TypeError",), misspelt_keyword),
)
