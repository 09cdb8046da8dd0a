"""The syntax rung: the patched files are Python for the interpreter that will run them.

The target interpreter compiles them in the isolated copy, without running anything. The tool's own parser
must be able to read them as well, since all later rungs look through it.
"""

from __future__ import annotations

import platform

from selfheal_tui.checks.base import CheckContext
from selfheal_tui.checks.findings import Finding, conclude, fail
from selfheal_tui.checks.pairs import UnparsableError, is_python, parse
from selfheal_tui.checks.written import written
from selfheal_tui.model.evidence import RungReport
from selfheal_tui.source.text import UnreadableSourceError, decode_source


def own_findings(context: CheckContext) -> list[Finding]:
    """Encodes, decodes and parses every edited file with the tool's own interpreter."""
    findings = []
    for edit in context.candidate.edits:
        try:
            data = edit.after_bytes()
        except (UnicodeEncodeError, LookupError) as error:
            text = (
                f"cannot be written as {edit.encoding}: {error}; use characters that the file's encoding has"
            )
            findings.append(fail(edit.path, 0, text))
            continue
        if not is_python(edit.path):
            continue
        try:
            if decode_source(data, edit.path).text != edit.text:
                findings.append(
                    fail(edit.path, 0, f"would not read back as it was written in {edit.encoding}")
                )
            parse(edit.text)
        except UnreadableSourceError as error:
            findings.append(fail(edit.path, 0, str(error)))
        except UnparsableError as error:
            findings.append(fail(edit.path, error.line, f"{error} (Python {platform.python_version()})"))
    return findings


class _Syntax:
    name = "syntax"

    def run(self, context: CheckContext) -> RungReport:
        """Compiles the edited files with the target interpreter."""
        findings = own_findings(context)
        isolation = context.workspace.isolation
        if not context.candidate.edits:
            findings.append(fail("", 0, "the patch changes no file"))
        if not findings:
            with written(context):
                paths = [e.path for e in context.candidate.edits if is_python(e.path)]
                problems = context.workspace.compile(paths) if paths else []
            findings += [fail(p.path, p.line, p.message) for p in problems]
        return conclude(self.name, findings, "compiles", isolation=isolation)


CHECK = _Syntax()
