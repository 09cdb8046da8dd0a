"""Two arguments of one call in each other's place, told by their names: `area(height, width)` for `area(width, height)`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.arguments import definition_of_call, parameter_names
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.scopes import BUILTIN_NAMES
from selfheal_tui.repair.rules.spans import source_of, whole
from selfheal_tui.repair.rules.support import GUESS, STRONG, Site, failing_site, site_of
from selfheal_tui.repair.rules.target import is_stdlib

NAME = "swapped-arguments"
LIBRARY = "swapped-library-arguments"


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields the call with two arguments exchanged, where their names say that they are in each other's place."""
    frames = [f for f in context.error.frames if f.in_app]
    for caller in reversed(frames[:-1]):
        inner = frames[frames.index(caller) + 1]
        site = site_of(context, caller)
        if site is None:
            continue
        call = _only_call(site, inner.function)
        found = definition_of_call(context, site, call, inner.function) if call is not None else None
        if call is None or found is None:
            continue
        pair = _swapped_pair(call, parameter_names(found.node))
        if pair is not None:
            one, other = call.args[pair[0]], call.args[pair[1]]
            edits = [whole(one, source_of(site.text, other)), whole(other, source_of(site.text, one))]
            reason = f"`{ast.unparse(one)}` and `{ast.unparse(other)}` are passed in each other's place to `{inner.function}()`"
            yield from flow.one_file(context, site, NAME, reason, STRONG, edits)
            return


def apply_library(context: RepairContext) -> Iterator[Finding]:
    """Yields a library call with its two arguments exchanged, if one is a literal and the call itself refused them."""
    site = failing_site(context)
    if site is None or not re.search(
        r"must be|invalid|expected|arg \d|not (?:iterable|callable)", context.error.message
    ):
        return
    call = flow.only(site.nodes(ast.Call, lambda n: len(n.args) == 2 and not n.keywords))
    if call is None or sum(isinstance(a, ast.Constant) for a in call.args) != 1:
        return
    name = ast.unparse(call.func)
    module = name.rpartition(".")[0]
    if not (
        is_stdlib(context.interpreter, module) if module else name in BUILTIN_NAMES
    ) or definition_of_call(context, site, call, name):
        return
    one, other = call.args
    edits = [whole(one, source_of(site.text, other)), whole(other, source_of(site.text, one))]
    reason = f"`{name}()` refused its arguments; in the other order they may fit"
    yield from flow.one_file(context, site, LIBRARY, reason, GUESS, edits)


def _only_call(site: Site, name: str) -> ast.Call | None:
    return flow.only(site.nodes(ast.Call, lambda n: flow.calls(n, name)))


def _swapped_pair(call: ast.Call, names: list[str]) -> tuple[int, int] | None:
    said = [a.id if isinstance(a, ast.Name) else getattr(a, "attr", "") for a in call.args]
    for i in range(len(said)):
        for j in range(i + 1, min(len(said), len(names))):
            if (
                said[i]
                and said[i] == names[j]
                and said[j] != names[j]
                and (said[j] == names[i] or said[j] not in names)
            ):
                return i, j
            if said[j] and said[j] == names[i] and said[i] != names[i] and said[i] not in names:
                return i, j
    return None


RULES: tuple[Rule, ...] = (
    Rule(LIBRARY, ("TypeError", "ValueError"), apply_library),
    Rule(NAME, ("TypeError", "AttributeError", "ValueError", "KeyError", "IndexError"), apply),
)
