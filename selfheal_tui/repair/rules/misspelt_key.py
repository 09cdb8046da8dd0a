"""Rules for dict keys that are written one way where they are put in and another where they are asked for.

The keys that the mapping has come from the live evidence or from dict literals in the source.
`misspelt-key` corrects the question; `misspelt-key-definition` corrects the one literal that disagrees
with everybody else.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules.classes import dotted
from selfheal_tui.repair.rules.dict_sources import Spot, literal_keys, makers, project_keys
from selfheal_tui.repair.rules.places import files
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.similar import near
from selfheal_tui.repair.rules.spans import rename_string, whole
from selfheal_tui.repair.rules.support import (
    PLAUSIBLE,
    STRONG,
    Site,
    ancestors,
    edited,
    explained,
    failing_site,
    read,
    site_of,
)
from selfheal_tui.source.identifiers import identifier_of

USE = "misspelt-key"
DEFINITION = "misspelt-key-definition"


def _question(context: RepairContext) -> tuple[Site, ast.Constant, ast.expr] | None:
    """The constant key that was asked for, and the expression of the mapping."""
    site = failing_site(context)
    key = identifier_of(context.error)
    if site is None or key is None or context.error.bare_type != "KeyError":
        return None

    def asks(node: ast.expr) -> bool:
        return isinstance(node, ast.Constant) and str(node.value) == key

    found: list[tuple[ast.expr, ast.expr]] = [
        (node.slice, node.value)
        for node in site.nodes(ast.Subscript, lambda n: not isinstance(n.ctx, ast.Store))
        if asks(node.slice) or isinstance(node.slice, ast.Name)
    ]
    if not any(asks(k) for k, _ in found):
        for call in site.nodes(ast.Call, lambda c: isinstance(c.func, ast.Attribute) and len(c.args) == 1):
            if isinstance(call.func, ast.Attribute) and call.func.attr == "pop" and asks(call.args[0]):
                found.append((call.args[0], call.func.value))  # noqa: PERF401 - narrowing needs the statement
    exact = [(k, value) for k, value in found if asks(k)]
    if len({(k.lineno, k.col_offset) for k, _ in exact}) == 1 and isinstance(exact[0][0], ast.Constant):
        return site, exact[0][0], exact[0][1]
    if not exact and len(found) == 1 and isinstance(found[0][0], ast.Name):
        constant = _assigned(site, found[0][0], key)
        return (site, constant, found[0][1]) if constant is not None else None
    return None


def _assigned(site: Site, name: ast.Name, key: str) -> ast.Constant | None:
    """The only string literal of the file that can have become the value of a variable used as a key."""
    found = [node for node in ast.walk(site.tree) if isinstance(node, ast.Constant) and node.value == key]
    if len(found) != 1 or any(isinstance(up, ast.JoinedStr) for up in ancestors(site.tree, found[0])):
        return None
    scope = site.function(name)
    if scope is None or any(up is scope for up in ancestors(site.tree, found[0])):
        return found[0]
    given = next((up for up in ancestors(site.tree, found[0]) if isinstance(up, ast.Call)), None)
    called = given is not None and dotted(given.func).rpartition(".")[2] == scope.name
    return found[0] if called else None


def misspelt_key(context: RepairContext) -> Iterator[Finding]:
    """Offers the mapping's own keys that are near the one that was asked for."""
    found = _question(context)
    if found is None:
        return
    site, constant, mapping = found
    if isinstance(constant.value, str):
        yield from _string_key(context, site, constant, mapping)
    yield from _other_type(context, site, constant)


def _string_key(
    context: RepairContext, site: Site, constant: ast.Constant, mapping: ast.expr
) -> Iterator[Finding]:
    key = str(constant.value)
    keys = known_keys(context, site, mapping)
    told = bool(keys)
    if not told:  # a text names no keys: what the project calls its keys elsewhere is all there is
        keys = [name for name in project_keys(context.project) if name != key]
    if key in keys:
        return
    for match in near(key, keys):
        literals = _literals(context, match.name)
        asked = _literals(context, key)
        odd = len(literals) == 1 and len(asked) > 1 and literals[0][2]
        if odd:
            path, node, _ = literals[0]
            source = read(context.project, path)
            fix = edited(
                context,
                DEFINITION,
                f"the key {match.name!r} is only ever written, once, and never asked for, while {key!r} is used in "
                f"{len(asked)} places; the literal that puts it in is corrected.",
                STRONG if match.confidence >= STRONG else PLAUSIBLE,
                {path: [rename_string(source.text if source else "", node, key)]},
            )
            if fix is not None:
                yield fix
        same = _same_question(site, constant, mapping)
        fix = edited(
            context,
            USE,
            f"the mapping has no key {key!r}, but {'it has' if told else 'other code and data of the project say'} "
            f"{match.name!r}; the key is corrected where it is asked for.",
            match.confidence if told and not odd else min(PLAUSIBLE, match.confidence),
            {site.path: [rename_string(site.text, node, match.name) for node in same]},
        )
        if fix is not None:
            yield fix


def _same_question(site: Site, constant: ast.Constant, mapping: ast.expr) -> list[ast.Constant]:
    """The same wrong key asked of the same variable elsewhere in the function."""
    if not isinstance(mapping, ast.Name | ast.Attribute):
        return [constant]
    scope: ast.AST = site.function(constant) or site.tree
    wanted = ast.dump(mapping)
    found = [
        node.slice
        for node in ast.walk(scope)
        if isinstance(node, ast.Subscript)
        and isinstance(node.slice, ast.Constant)
        and node.slice.value == constant.value
        and isinstance(node.ctx, ast.Load)
        and ast.dump(node.value) == wanted
    ]
    return found if constant in found else [constant]


def _other_type(context: RepairContext, site: Site, constant: ast.Constant) -> Iterator[Finding]:
    """The key is there as a number where a string was asked for, or the other way round."""
    values = []
    for text in context.error.evidence.keys:
        try:
            values.append(ast.literal_eval(text))
        except (ValueError, SyntaxError):
            continue
    value = constant.value
    if (
        any(type(v) is type(value) for v in values)
        or not isinstance(value, str | int)
        or isinstance(value, bool)
    ):
        return
    twin = next((v for v in values if str(v) == str(value) and isinstance(v, str | int)), None)
    if twin is None:
        return
    fix = edited(
        context,
        USE,
        f"all keys of the mapping are of type {type(twin).__name__}: it has {twin!r}, not {value!r}.",
        STRONG,
        {site.path: [whole(constant, repr(twin))]},
    )
    if fix is not None:
        yield fix


def known_keys(context: RepairContext, site: Site, mapping: ast.expr) -> list[str]:
    """String keys that a mapping has: from the live object, else from the literals that make it."""
    keys: list[str] = []
    for text in context.error.evidence.keys:
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            continue
        if isinstance(value, str):
            keys.append(value)
    if isinstance(mapping, ast.Name):
        keys.extend(key for local in site.frame.locals if local.name == mapping.id for key in local.keys)
    if not keys:
        for literal in makers(context.project, Spot(site.path, site.tree, mapping)):
            keys.extend(literal_keys(literal))
    return list(dict.fromkeys(keys))


def _literals(context: RepairContext, key: str) -> list[tuple[str, ast.Constant, bool]]:
    """All string literals equal to a key, with whether they put it in (dict display, subscript store)."""
    found: list[tuple[str, ast.Constant, bool]] = []
    words = [word for word in key.replace("-", " ").split() if word.isidentifier()]
    for path, _text, tree in files(context.project, *words):
        stores: set[ast.AST] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Dict):
                stores.update(k for k in node.keys if k is not None)
            elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
                stores.add(node.slice)
        found.extend(
            (path, node, node in stores)
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and node.value == key
        )
    return found


def unset_variable(context: RepairContext) -> Iterator[Finding]:
    """Explains that `os.environ[…]` asked for a variable that is not set; no default is invented."""
    site = site_of(context)
    name = identifier_of(context.error)
    if site is None or not name:
        return
    asked = site.nodes(
        ast.Subscript,
        lambda node: (
            dotted(node.value) in ("os.environ", "environ")
            and isinstance(node.slice, ast.Constant)
            and node.slice.value == name
        ),
    )
    if asked:
        yield explained(
            f"the environment variable {name!r} is not set.",
            f"Set {name} before the program starts; no default is invented for it.",
        )


RULES = (
    Rule(USE, ("KeyError",), misspelt_key),
    Rule("unset-environment-variable", ("KeyError",), unset_variable),
)
