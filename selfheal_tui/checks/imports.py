"""The imports rung: what the patch imports exists in the target interpreter, and what it names is bound.

Imports are tried inside the isolated copy, with the candidate written there, so that modules of the
project itself and circular imports are seen as they would be.
"""

from __future__ import annotations

from selfheal_tui.checks.base import CheckContext
from selfheal_tui.checks.findings import Finding, conclude, fail, warn
from selfheal_tui.checks.importing import Imported, imports_of
from selfheal_tui.checks.pairs import SourcePair, UnparsableError, python_pairs
from selfheal_tui.checks.undefined import new_undefined_names
from selfheal_tui.checks.written import written
from selfheal_tui.model.evidence import RungReport
from selfheal_tui.source.text import UnreadableSourceError


def new_imports(pair: SourcePair, module_name: str) -> list[Imported]:
    """Lists imports that the file did not have before, each once."""
    package = pair.path.endswith("__init__.py")
    known = {i.statement for i in imports_of(pair.before_tree, module_name, is_package=package)}
    found: dict[str, Imported] = {}
    for item in imports_of(pair.after_tree, module_name, is_package=package):
        if item.statement not in known:
            kept = found.get(item.statement)
            if kept is None or (kept.optional and not item.optional):
                found[item.statement] = item
    return list(found.values())


def undefined_findings(pair: SourcePair) -> list[Finding]:
    """Finds names that the patch uses and nothing binds."""
    stars = any(i.name == "*" for i in imports_of(pair.after_tree))
    before = pair.before if pair.before_parsed else ""
    return [
        fail(pair.path, 0, f"`{name}` is not defined" + (f" (in {scope})" if scope else ""))
        for scope, name in new_undefined_names(before, pair.after, has_star=stars)
        if pair.before_parsed or name not in pair.before
    ]


def _resolved(context: CheckContext, pair: SourcePair, items: list[Imported]) -> list[Finding]:
    findings = []
    relative = [i for i in items if i.module.startswith(".") or not i.module]
    findings += [fail(pair.path, i.line, "a relative import leads out of the package") for i in relative]
    rest = [i for i in items if i not in relative]
    by_statement = {i.statement: i for i in rest}
    for probe in context.workspace.resolve_imports(list(by_statement), path=pair.path) if rest else ():
        item = by_statement.pop(probe.statement, None)
        if item is not None and not probe.ok:
            make = warn if item.optional else fail
            findings.append(
                make(pair.path, item.line, f"`{probe.statement}` does not resolve: {probe.problem}")
            )
    findings += [
        fail(pair.path, i.line, f"`{i.statement}` could not be tried in the target interpreter")
        for i in by_statement.values()
    ]
    return findings


def _is_project_import(context: CheckContext, item: Imported) -> bool:
    names = [item.module, f"{item.module}.{item.name}" if item.name else ""]
    return any(n and context.project.find_module(n) is not None for n in names)


def _own_import(context: CheckContext, pair: SourcePair) -> str:
    """Imports the patched module itself; returns the problem, or an empty string."""
    statement = f"import {context.project.module_name(pair.path)}"
    probes = context.workspace.resolve_imports([statement], path=pair.path)
    return "" if not probes or probes[0].ok else probes[0].problem or "it cannot be imported"


class _Imports:
    name = "imports"

    def run(self, context: CheckContext) -> RungReport:
        """Tries all new imports, and looks for undefined names."""
        try:
            pairs = python_pairs(context)
        except (UnparsableError, UnreadableSourceError) as error:
            return conclude(self.name, [fail("", 0, f"cannot be checked: {error}")], "")
        findings: list[Finding] = []
        tried = 0
        circular: list[tuple[SourcePair, str]] = []
        with written(context):
            for pair in pairs:
                findings += undefined_findings(pair)
                items = new_imports(pair, context.project.module_name(pair.path))
                tried += len(items)
                findings += _resolved(context, pair, items)
                if not pair.is_new and any(_is_project_import(context, i) for i in items):
                    problem = _own_import(context, pair)
                    if problem:
                        circular.append((pair, problem))
        for pair, problem in circular:
            is_circular = "circular" in problem or "partially initialized" in problem
            if is_circular or not _own_import(context, pair):
                findings.append(
                    fail(pair.path, 0, f"the patched module can no longer be imported: {problem}")
                )
        passed = f"{tried} new import{'s' if tried != 1 else ''} resolved" if tried else "no new imports"
        isolation = context.workspace.isolation if tried else None
        return conclude(self.name, findings, passed, isolation=isolation)


CHECK = _Imports()
