"""Rules for methods and functions that the project had and lost: renamed, moved, or deleted.

Git's history tells what took their place: a definition that the same commit added and whose body is
the same, or nearly. Without a successor the lost text is brought back, if all it uses still exists.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules.misspelt_name import unbound_names
from selfheal_tui.repair.rules.places import exports, module_file, top_level
from selfheal_tui.repair.rules.redirect import Redirection, attribute_uses, module_uses, spread
from selfheal_tui.repair.rules.restore import class_with, module_with, needs_of, unmet
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.scopes import loads, visible
from selfheal_tui.repair.rules.spans import whole
from selfheal_tui.repair.rules.subject import Subject, subject_of
from selfheal_tui.repair.rules.support import CERTAIN, PLAUSIBLE, STRONG, candidate, edited, explained, parse
from selfheal_tui.repair.rules.wrong_import import failing_from
from selfheal_tui.source.githistory import GitHistory, Removed, parsed_definitions
from selfheal_tui.source.position import Definition

RENAMED = "renamed-in-history"
DELETED = "deleted-in-history"
ALIKE = 0.75
"""Share of equal syntax from which a changed body still counts as the same function."""
MAX_HOPS = 3


@dataclass(frozen=True, slots=True)
class Lost:
    """A name that code still uses, where it was looked for, and what that place has now."""

    name: str
    subject: Subject | None
    module_path: str | None
    owners: frozenset[str]
    names: frozenset[str]
    label: str


def lost_name(context: RepairContext) -> Lost | None:
    """Works out what is missing from where, for AttributeError, ImportError and NameError."""
    if context.error.bare_type == "NameError":
        unbound = unbound_names(context)
        if unbound is None:
            return None
        site, nodes = unbound
        names = frozenset(top_level(site.tree))
        return Lost(nodes[0].id, None, site.path, frozenset(), names, site.path)
    subject = subject_of(context) if context.error.bare_type == "AttributeError" else None
    if subject is not None and subject.cls is not None:
        owners = {subject.cls.place.qualname, *(base.qualname for base in subject.cls.bases)}
        return Lost(
            subject.name, subject, None, frozenset(owners), frozenset(subject.names), subject.described
        )
    if subject is not None and subject.module_path is not None:
        names = frozenset(exports(context.project, subject.module_path))
        return Lost(subject.name, subject, subject.module_path, frozenset(), names, subject.described)
    found = failing_from(context) if subject is None else None
    if found is None or "partially initialized" in context.error.message:
        return None
    site, _node, alias, module = found
    path = module_file(context.project, module, site.path)
    if path is None:
        return None
    return Lost(
        alias.name, None, path, frozenset(), frozenset(exports(context.project, path)), f"module {module}"
    )


def removals(history: GitHistory, lost: Lost) -> Iterator[Removed]:
    """Yields the removals that are about the lost name in its own place."""
    for removed in history.removals(lost.name):
        if lost.module_path is not None:
            if removed.path == lost.module_path and not removed.owner:
                yield removed
        elif removed.owner and removed.owner in lost.owners:
            yield removed


def renamed(context: RepairContext) -> Iterator[Finding]:
    """Redirects uses to the name that took the lost one's place."""
    lost = lost_name(context)
    if lost is None or lost.name in lost.names:
        return
    history = GitHistory(context.project)
    for removed in removals(history, lost):
        for successor, likeness in successors(history, removed, lost.names):
            redirection = _redirect(context, lost, successor)
            if not redirection.edits:
                continue
            sure = CERTAIN if likeness == 1.0 else STRONG
            same = "with the same body" if likeness == 1.0 else f"with {likeness:.0%} of its body"
            fix = edited(
                context,
                RENAMED,
                f"{lost.label} had {lost.name!r} until {removed.commit.short}, which put {successor!r} in its place "
                f"{same}; {spread(redirection.edits)} redirected.",
                sure,
                redirection.edits,
                notes=redirection.notes,
            )
            if fix is not None:
                yield fix
            return
        break


def _redirect(context: RepairContext, lost: Lost, new: str) -> Redirection:
    if lost.module_path is not None:
        result = module_uses(context, lost.module_path, lost.name, new)
        source = context.project.read(lost.module_path)
        tree = parse(source.text)
        if tree is not None:
            for use in loads(tree, lost.name):
                if lost.name not in visible(tree, use):
                    result.add(context, lost.module_path, whole(use, new))
        return result
    assert lost.subject is not None
    return attribute_uses(context, lost.subject, new)


def successors(
    history: GitHistory, removed: Removed, names: frozenset[str], hops: int = MAX_HOPS
) -> list[tuple[str, float]]:
    """Finds what took a definition's place, in the same owner, and still exists.

    Args:
        history: Git.
        removed: The removal.
        names: Names that exist now.
        hops: How many later renames are followed.

    Returns:
        Names with likeness of the bodies (1.0 is the same syntax), best first; empty when none is alike
        or two are equally so.
    """
    after = next((c.after for c in removed.changes if c.old_path == removed.path), None)
    before = {qualname for qualname, _ in parsed_definitions(removed.text)}
    prefix = f"{removed.owner}." if removed.owner else ""
    scored = []
    for qualname, node in parsed_definitions(after):
        new = qualname not in before and qualname == f"{prefix}{node.name}"
        if new and type(node) is type(removed.node):
            scored.append((likeness(removed.node, node), node.name))
    scored = sorted((item for item in scored if item[0] >= ALIKE), reverse=True)
    if not scored or (len(scored) > 1 and scored[0][0] == scored[1][0]):
        return []
    score, name = scored[0]
    if name in names:
        return [(name, score)]
    for later in history.removals(name) if hops else ():
        if later.path == removed.path and later.owner == removed.owner:
            return [(n, min(s, score)) for n, s in successors(history, later, names, hops - 1)]
    return []


def likeness(old: Definition, new: Definition) -> float:
    """How alike two definitions are by their syntax, apart from their names and docstrings: 0 to 1."""
    left, right = _shape(old), _shape(new)
    if left == right:
        return 1.0
    ratio = SequenceMatcher(None, left.split(), right.split(), autojunk=False).ratio()
    return min(ratio, 0.99)


def _shape(node: Definition) -> str:
    body = node.body
    if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:] or body
    parts = [ast.dump(statement) for statement in body]
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        parts.insert(0, ast.dump(node.args))
    text = " ".join(parts).replace("(", " ( ").replace(")", " ) ").replace(",", " ")
    return text.replace(f"'{node.name}'", "'@'")  # recursion names the function itself


def deleted(context: RepairContext) -> Iterator[Finding]:
    """Brings back a definition that was deleted and that nothing took the place of."""
    lost = lost_name(context)
    if lost is None or lost.name in lost.names or hasattr(builtins, lost.name):
        return
    history = GitHistory(context.project)
    for removed in removals(history, lost):
        if successors(history, removed, lost.names):
            return
        missing = unmet(
            context, lost.subject.cls if lost.subject else None, lost.module_path, needs_of(removed.node)
        )
        if missing:
            yield explained(
                f"{lost.label} had {lost.name!r} until {removed.commit.short} deleted it; it cannot be brought back "
                f"as it was, because it used {', '.join(missing)}, which is gone as well.",
                f"See `git show {removed.commit.sha[:9]} -- {removed.path}` for what it did.",
            )
            return
        yield _restored(context, lost, removed)
        return


def _restored(context: RepairContext, lost: Lost, removed: Removed) -> Finding:
    if lost.module_path is not None:
        path = lost.module_path
        text = module_with(context.project.read(path).text, removed.text, removed.node)
    else:
        assert lost.subject is not None
        assert lost.subject.cls is not None
        cls = lost.subject.cls
        owner = next((base for base in (cls.place, *cls.bases) if base.qualname == removed.owner), cls.place)
        path = owner.path
        text = class_with(context.project.read(path).text, owner.node, removed.text, removed.node)
    message = f" (“{removed.commit.summary}”)" if removed.commit.summary else ""
    return candidate(
        context,
        DELETED,
        f"{lost.label} had {lost.name!r} until {removed.commit.short}{message} deleted it, while it is still used; "
        f"it is brought back as it was.",
        STRONG if does_something(removed.node) else PLAUSIBLE,
        {path: text},
        notes=("The deletion may have been meant; then the use should go instead.",),
    )


def does_something(node: Definition) -> bool:
    """Whether a definition does anything: a stub brought back would only hide the crash."""
    body = [s for s in node.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
    return bool(body) and not all(isinstance(s, ast.Pass | ast.Raise) for s in body)


RULES = (
    Rule(RENAMED, ("AttributeError", "ImportError", "NameError"), renamed),
    Rule(DELETED, ("AttributeError", "ImportError", "NameError"), deleted),
)
