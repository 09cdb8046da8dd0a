"""The scope rung: the patch changes what it said it would, and nothing else.

Allowed files, unchanged originals, bounded size, declared definitions and imports, and nothing lost on
which other code relies. Looks at code only.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.checks.base import CheckContext
from selfheal_tui.checks.definitions import MODULE, changed_definitions, definitions, own_key, own_nodes
from selfheal_tui.checks.findings import Finding, conclude, fail, warn
from selfheal_tui.checks.importing import imports_of
from selfheal_tui.checks.pairs import SourcePair, UnparsableError, is_python, python_pairs, source_before
from selfheal_tui.checks.signatures import contract_findings
from selfheal_tui.model.candidate import Candidate, FileEdit, sha256_hex
from selfheal_tui.model.evidence import RungReport
from selfheal_tui.source.diff import changed_line_count
from selfheal_tui.source.project import OutsideRootError
from selfheal_tui.source.text import UnreadableSourceError

_OPERATOR = "operator"


def file_findings(context: CheckContext, edit: FileEdit) -> Iterator[Finding]:
    """Checks that a file may be touched, and is still what the patch was made from."""
    path = edit.path
    try:
        inside = context.project.relative(context.project.absolute(path))
    except (OutsideRootError, ValueError) as error:
        yield fail(path, 0, f"is outside the project: {error}")
        return
    if inside != path:
        yield fail(path, 0, "is not a plain path inside the project")
        return
    reason = context.project.protected(path)
    if reason:
        yield fail(path, 0, f"may not be touched: {reason}")
    data = context.before.get(path)
    if (sha256_hex(data) if data is not None else None) != edit.before_sha256:
        yield fail(path, 0, "changed since the patch was made; propose anew")
    if not is_python(path):
        yield warn(path, 0, "is not Python, so that nothing can be said about it")
    if data is None and not any(t.path == path for t in context.candidate.targets):
        yield fail(path, 0, "is a new file that the patch does not declare")


def _form_findings(context: CheckContext, edit: FileEdit) -> Iterator[Finding]:
    before = source_before(context, edit)
    if before is None:
        return
    if before.encoding.replace("_", "-").lower() != edit.encoding.replace("_", "-").lower():
        yield fail(edit.path, 0, f"changes the encoding from {before.encoding} to {edit.encoding}")
    if before.newline == "\r\n" and "\r\n" not in edit.text and "\n" in edit.text:
        yield fail(edit.path, 0, "changes the newlines of the file")
    if before.newline == "\n" and "\r\n" in edit.text and "\r\n" not in before.text:
        yield fail(edit.path, 0, "changes the newlines of the file")


def size_findings(context: CheckContext) -> list[Finding]:
    """Holds the patch to the limits; an operator's own edit may exceed them with a warning."""
    candidate, limits = context.candidate, context.settings.limits
    make = warn if candidate.proposer == _OPERATOR else fail
    findings = []
    paths = [e.path for e in candidate.edits]
    if len(set(paths)) != len(paths):
        findings.append(fail("", 0, "edits the same file twice"))
    if len(paths) > limits.changed_files:
        findings.append(
            make("", 0, f"changes {len(paths)} files; limits.changed_files is {limits.changed_files}")
        )
    lines = 0
    for edit in candidate.edits:
        before = source_before(context, edit)
        lines += changed_line_count(before.text if before else "", edit.text)
    if lines > limits.changed_lines:
        findings.append(make("", 0, f"changes {lines} lines; limits.changed_lines is {limits.changed_lines}"))
    return findings


def _is_declared(qualname: str, targets: frozenset[str]) -> bool:
    """Whether a definition is a target, or lies inside one."""
    return qualname in targets or any(
        qualname.startswith((f"{target}.<locals>.", f"{target}.")) for target in targets if target != MODULE
    )


def target_findings(pair: SourcePair, candidate: Candidate) -> list[Finding]:
    """Holds the changed definitions to the declared ones."""
    targets = frozenset(t.qualname for t in candidate.targets if t.path == pair.path)
    changed = changed_definitions(pair.before_tree, pair.after_tree)
    if not candidate.targets:
        if candidate.proposer == _OPERATOR or not changed:
            return []
        return [warn(pair.path, 0, "the patch does not say which functions it means to change")]
    if pair.is_new:
        return []
    old, new = definitions(pair.before_tree), definitions(pair.after_tree)
    findings = []
    for qualname in sorted(changed):
        if _is_declared(qualname, targets) or (qualname == MODULE and _only_definitions_moved(pair)):
            continue
        if qualname not in old and MODULE in targets:
            continue
        what = "adds" if qualname not in old and qualname in new else "changes"
        line = new[qualname][0].node.lineno if qualname in new else 0
        shown = "code of the module" if qualname == MODULE else qualname
        findings.append(fail(pair.path, line, f"{what} {shown}, which it did not declare"))
    return findings


def _only_definitions_moved(pair: SourcePair) -> bool:
    def body(tree: ast.Module) -> str:
        return own_key(tree, skip_imports=True)

    return body(pair.before_tree) == body(pair.after_tree)


def import_findings(pair: SourcePair, candidate: Candidate) -> list[Finding]:
    """Holds new imports to the declared ones."""
    known = {i.module for i in imports_of(pair.before_tree)}
    if pair.is_new or candidate.proposer == _OPERATOR:
        return []
    if any(t.path == pair.path and t.qualname == MODULE for t in candidate.targets):
        return []
    findings = []
    for item in imports_of(pair.after_tree):
        names = {item.module, f"{item.module}.{item.name}".rstrip(".")}
        if item.module in known or any(_declares(entry, names) for entry in candidate.adds_imports):
            continue
        findings.append(fail(pair.path, item.line, f"imports {item.module}, which it did not declare"))
    return findings


def _declares(entry: str, names: set[str]) -> bool:
    """Whether a declared import, a module or a whole statement, covers one of some dotted names."""
    words = entry.replace(",", " ").split()
    if words[:1] == ["from"] and "import" in words:
        modules = {words[1], *(f"{words[1]}.{name}" for name in words[words.index("import") + 1 :])}
    elif words[:1] == ["import"]:
        modules = set(words[1:])
    else:
        modules = set(words[:1])
    return any(
        name.lstrip(".") == module.lstrip(".")
        or module.endswith("." + name.lstrip("."))
        or module.startswith(name + ".")
        for name in names
        for module in modules
    )


def _assigned(owner: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in own_nodes(owner):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


def lost_findings(pair: SourcePair, candidate: Candidate, identifier: str) -> list[Finding]:
    """Finds names, signatures, decorators and bases that others rely on and that are gone."""
    old, new = definitions(pair.before_tree), definitions(pair.after_tree)
    findings: list[Finding] = []
    for qualname, entries in old.items():
        there = new.get(qualname, [])
        for before, after in zip(entries, there, strict=False):
            findings += contract_findings(pair.path, before, after)
        if len(there) < len(entries) and not entries[0].is_nested:
            findings.append(fail(pair.path, 0, f"{qualname} is lost"))
        elif there and not entries[0].is_function and not entries[0].is_nested:
            gone = _assigned(entries[0].node) - _assigned(there[0].node)
            lost = [g for g in sorted(gone) if f"{qualname}.{g}" not in new]
            findings += [fail(pair.path, 0, f"{qualname}.{name} is lost") for name in lost]
    bound_after = {i.bound for i in imports_of(pair.after_tree)} | _assigned(pair.after_tree) | new.keys()
    for name in sorted(_assigned(pair.before_tree) - bound_after):
        findings.append(fail(pair.path, 0, f"{name} is lost"))
    findings += _lost_imports(pair, candidate, identifier, frozenset(bound_after))
    return findings


def _lost_imports(
    pair: SourcePair, candidate: Candidate, identifier: str, bound: frozenset[str]
) -> Iterator[Finding]:
    used = {n.id for n in ast.walk(pair.after_tree) if isinstance(n, ast.Name)}
    exported = {n.value for n in ast.walk(pair.after_tree) if isinstance(n, ast.Constant)}
    may = any(t.path == pair.path and t.qualname == MODULE for t in candidate.targets)
    for item in imports_of(pair.before_tree):
        if item.bound in bound or item.name == "*":
            continue
        failed = bool(identifier) and identifier in {item.name, item.module, item.module.partition(".")[0]}
        if item.bound in used or (item.bound in exported and not failed):
            yield fail(pair.path, 0, f"the import of {item.bound} is lost")
        elif not (failed or may):
            yield warn(pair.path, 0, f"no longer imports {item.bound}, which others may take from here")


def scope_findings(pair: SourcePair, candidate: Candidate, identifier: str = "") -> list[Finding]:
    """Finds everything about one file's change that goes beyond what was declared."""
    if not pair.before_parsed:
        text = "the original does not parse, so that its definitions cannot be compared"
        return [warn(pair.path, 0, text)]
    return [
        *target_findings(pair, candidate),
        *import_findings(pair, candidate),
        *(lost_findings(pair, candidate, identifier) if not pair.is_new else ()),
    ]


class _Scope:
    name = "scope"

    def run(self, context: CheckContext) -> RungReport:
        """Checks files, size, declared targets, and losses."""
        candidate = context.candidate
        findings = [f for edit in candidate.edits for f in file_findings(context, edit)]
        try:
            findings += size_findings(context)
            for edit in candidate.edits:
                findings += _form_findings(context, edit)
            pairs = python_pairs(context)
            for pair in pairs:
                findings += scope_findings(pair, candidate, context.diagnosis.identifier)
            same = [p for p in pairs if p.before_parsed and not p.is_new and _same(p)]
            if same and len(same) == len(candidate.edits):
                findings.append(fail("", 0, "changes nothing but layout or comments"))
            else:
                findings += [warn(p.path, 0, "changes nothing but layout or comments") for p in same]
        except (UnparsableError, UnreadableSourceError, RecursionError) as error:
            findings.append(fail("", 0, f"cannot be checked: {error}"))
        count = len(candidate.edits)
        return conclude(self.name, findings, f"{count} file{'s' if count != 1 else ''}, nothing else")


def _same(pair: SourcePair) -> bool:
    return ast.dump(pair.before_tree) == ast.dump(pair.after_tree)


CHECK = _Scope()
