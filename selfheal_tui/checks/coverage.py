"""The coverage rung: the patch has to do with this crash.

A fix elsewhere can be right, so that a miss is a question for a person and never a refusal. Looks at code
only.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from selfheal_tui.checks.base import CheckContext
from selfheal_tui.checks.definitions import MODULE, changed_definitions, definitions, plain_qualname
from selfheal_tui.checks.findings import make_report
from selfheal_tui.checks.importing import imports_of
from selfheal_tui.checks.pairs import SourcePair, UnparsableError, python_pairs
from selfheal_tui.checks.reach import made_before
from selfheal_tui.model.crash import Frame
from selfheal_tui.model.evidence import RungReport
from selfheal_tui.model.kinds import Verdict
from selfheal_tui.source.text import UnreadableSourceError


def _frames(context: CheckContext) -> Iterator[Frame]:
    for info in context.report.chain:
        yield from (f for f in info.frames if f.in_app and f.path)


def changed_by(pairs: list[SourcePair]) -> set[tuple[str, str]]:
    """Names everything that a patch changes, as path and qualified name; imports count as module code."""
    changed = set()
    for pair in pairs:
        changed |= {(pair.path, q) for q in changed_definitions(pair.before_tree, pair.after_tree)}
        before = {(i.module, i.name, i.bound) for i in imports_of(pair.before_tree)}
        if (
            before != {(i.module, i.name, i.bound) for i in imports_of(pair.after_tree)}
            or not pair.before_parsed
        ):
            changed.add((pair.path, MODULE))
    return changed


def _same_function(changed: str, frame: Frame) -> bool:
    name = plain_qualname(frame.qualname)
    if changed == name:
        return True
    # Before 3.11, code objects do not know their owners.
    return "." not in name and changed.rpartition(".")[2] == name != MODULE


def bound_names(tree: ast.Module) -> set[str]:
    """All names that a module gives a meaning to: definitions, imports, variables, attributes, parameters."""
    names = {q.rpartition(".")[2] for q in definitions(tree)}
    for item in imports_of(tree):
        names |= {item.bound, item.module, item.module.partition(".")[0]}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.add(node.id if isinstance(node, ast.Name) else node.attr)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names.add(repr(node.value))
    return names


def _defines(context: CheckContext, pairs: list[SourcePair]) -> str:
    identifier = context.diagnosis.identifier.strip("'\"")
    if not identifier:
        return ""
    for pair in pairs:
        new = bound_names(pair.after_tree) - bound_names(pair.before_tree)
        if identifier in new or repr(identifier) in new:
            return f"{pair.path} now defines `{identifier}`"
        if pair.is_new and context.project.module_name(pair.path) in {
            identifier,
            identifier.partition(".")[0],
        }:
            return f"the missing module {identifier} is there now"
    return ""


def covers(context: CheckContext, pairs: list[SourcePair]) -> str:
    """Says in what way a patch has to do with the crash.

    Returns:
        How, or an empty string when it does not seem to.
    """
    changed = changed_by(pairs)
    found = context.report.suspect()
    suspect = found[1] if found else None
    if suspect is not None and suspect.path:
        names = [q for p, q in changed if p == suspect.path and _same_function(q, suspect)]
        if names:
            return f"changes {names[0]}, where it crashed"
        if (suspect.path, MODULE) in changed and _mentions_new_import(suspect, pairs):
            return "changes an import that the failing line uses"
    defined = _defines(context, pairs)
    if defined:
        return defined
    for frame in _frames(context):
        for path, qualname in sorted(changed):
            if path == frame.path and _same_function(qualname, frame):
                return f"changes {qualname}, which is on the traceback"
    for place in context.diagnosis.trail:
        if (place.path, place.qualname) in changed:
            return f"changes {place.qualname}, through which the bad value came"
    called = set(
        re.findall(r"\w+", f"{context.diagnosis.failing_expression} {suspect.source if suspect else ''}")
    )
    for _, qualname in sorted(changed):
        owner, _, bare = qualname.rpartition(".")
        is_constructor = bare in {"__init__", "__new__", "__call__"} and owner.rpartition(".")[2] in called
        if qualname != MODULE and (bare in called or is_constructor):
            return f"changes {qualname}, which the failing line uses"
    return made_before(context, pairs, changed)


def _mentions_new_import(suspect: Frame, pairs: list[SourcePair]) -> bool:
    words = set(re.findall(r"\w+", suspect.source))
    for pair in pairs:
        if pair.path == suspect.path:
            before = {(i.module, i.name, i.bound) for i in imports_of(pair.before_tree)}
            new = {i for i in imports_of(pair.after_tree) if (i.module, i.name, i.bound) not in before}
            return any(i.bound in words for i in new) or not words
    return False


class _Coverage:
    name = "coverage"

    def run(self, context: CheckContext) -> RungReport:
        """Compares what was changed with where it crashed."""
        try:
            pairs = python_pairs(context)
        except (UnparsableError, UnreadableSourceError) as error:
            return make_report(self.name, Verdict.FAIL, f"cannot be checked: {error}")
        how = covers(context, pairs)
        if how:
            return make_report(self.name, Verdict.PASS, how)
        changed = ", ".join(sorted(q for _, q in changed_by(pairs))[:8]) or "nothing"
        text = "does not touch any function of the traceback"
        return make_report(self.name, Verdict.WARN, text, [f"it changes {changed}"])


CHECK = _Coverage()
