"""The honesty rung: the patch cures the crash rather than hiding it.

Gathers the objections of `swallowing`, `defaults`, `guards`, `failing` and `specialcase`, and adds two of
its own: comments that silence tools, and touched tests. Looks at code only; runs nothing.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections import Counter
from pathlib import PurePosixPath

from selfheal_tui.checks.base import CheckContext
from selfheal_tui.checks.defaults import default_findings
from selfheal_tui.checks.failing import failing_findings
from selfheal_tui.checks.findings import Finding, conclude, fail
from selfheal_tui.checks.guards import guard_findings
from selfheal_tui.checks.pairs import SourcePair, UnparsableError, python_pairs
from selfheal_tui.checks.specialcase import special_case_findings
from selfheal_tui.checks.swallowing import swallowing_findings
from selfheal_tui.model.evidence import RungReport
from selfheal_tui.probe.redaction import mask_text
from selfheal_tui.source.text import UnreadableSourceError, split_lines

_SILENCERS = re.compile(
    r"#\s*(type:\s*ignore|(?:ruff:\s*)?noqa|pragma:\s*no\s*cover|nosec|pylint:\s*disable|mypy:\s*ignore"
    r"|pyright:\s*ignore|pyre-ignore|pytype:\s*disable)",
    re.IGNORECASE,
)
_TEST_PATH = re.compile(r"(?:^|/)(?:tests?|testing)/|(?:^|/)(?:test_[^/]*|[^/]*_test|conftest)\.py\Z")


def _silencers(text: str) -> Counter[str]:
    found: Counter[str] = Counter()
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                found.update(re.sub(r"\s+", "", m.lower()) for m in _SILENCERS.findall(token.string))
    except (tokenize.TokenError, SyntaxError):
        return Counter(re.sub(r"\s+", "", m.lower()) for m in _SILENCERS.findall(text))
    return found


def _silenced(pair: SourcePair) -> list[Finding]:
    new = _silencers(pair.after) - _silencers(pair.before)
    return [fail(pair.path, 0, f"silences a tool: # {name}") for name in new]


def is_test_path(path: str) -> bool:
    """Says whether a file is a test by its name, whatever the project's settings say."""
    return bool(_TEST_PATH.search(PurePosixPath(path).as_posix()))


def honesty_findings(
    pair: SourcePair, *, line: int | None = None, identifier: str = "", reprs: tuple[str, ...] = ()
) -> list[Finding]:
    """Finds everything dishonest about the change of one file.

    Args:
        pair: The file.
        line: Line of the failing statement, when it is in this file.
        identifier: The missing name, attribute or key, if that is what the crash was about.
        reprs: Captured values of the failing frames.

    Returns:
        Findings.

    Raises:
        RecursionError: Code is nested too deeply to be checked.
    """
    findings = [
        *swallowing_findings(pair),
        *default_findings(pair, identifier),
        *guard_findings(pair),
        *failing_findings(pair, line),
        *special_case_findings(pair, reprs),
        *_silenced(pair),
    ]
    if is_test_path(pair.path):
        findings.append(fail(pair.path, 0, "touches a test"))
    return pair.relevant(findings)


def _failing_line(context: CheckContext, pair: SourcePair) -> int | None:
    """The line that failed, if it is in this file and still reads as it did."""
    found = context.report.suspect()
    if found is None or found[1].path != pair.path:
        return None
    frame = found[1]
    lines = split_lines(pair.before)
    if not 1 <= frame.line <= len(lines):
        return None
    there, seen = lines[frame.line - 1].strip(), frame.source.strip()
    if seen and there not in seen and seen not in there and mask_text(there) not in seen:
        return None
    return frame.line


class _Honesty:
    name = "honesty"

    def run(self, context: CheckContext) -> RungReport:
        """Looks for dishonesty in every edited file."""
        reprs = tuple(
            local.repr
            for info in context.report.chain
            for frame in info.frames
            if frame.in_app
            for local in frame.locals
        )
        findings: list[Finding] = []
        try:
            for pair in python_pairs(context):
                findings += honesty_findings(
                    pair,
                    line=_failing_line(context, pair),
                    identifier=context.diagnosis.identifier,
                    reprs=reprs,
                )
        except (UnparsableError, UnreadableSourceError, RecursionError) as error:
            findings.append(fail("", 0, f"cannot be checked: {error}"))
        return conclude(self.name, findings, "hides nothing")


CHECK = _Honesty()
