"""Step two: says what kind of crash it is, whose fault, why, and where the bad value came from.

Reads the report and the project, and answers with a `Diagnosis`. It never runs code, never writes, and
never fails: what it cannot find out stays empty.
"""

from __future__ import annotations

import ast
from dataclasses import replace

from selfheal_tui.model.crash import CrashReport
from selfheal_tui.model.diagnosis import Diagnosis, Location
from selfheal_tui.model.kinds import Nature
from selfheal_tui.pipeline.facts import Facts
from selfheal_tui.pipeline.signals import SIGNALS, Signal, classify
from selfheal_tui.pipeline.wording import explanation, root_cause
from selfheal_tui.source.origins import NoneTrace, NoneTracer, none_expression
from selfheal_tui.source.position import enclosing_function, failing_expression, failing_node
from selfheal_tui.source.project import Project

_FOREIGN_REASON = "no frame of the traceback is the project's own code"
_SAME_LINE = 500  # longer "expressions" are whole statements and tell the operator nothing


def analyze(report: CrashReport, project: Project) -> Diagnosis:
    """Diagnoses one crash.

    Args:
        report: The crash; frames are localised here if they were not.
        project: The live project, read only.

    Returns:
        The diagnosis. A crash without any in-app frame is `external`, whatever its kind, unless the report
        has no frames at all.
    """
    if not any(frame.in_app or frame.path for info in report.chain for frame in info.frames):
        report = project.localise(report)
    facts = _facts(report, project)
    signal = _judge(facts)
    expression = _expression(facts)
    trace = _none_trace(facts) if signal.id == "none-value" else None
    trail = tuple(Location(s.path, s.qualname, s.line) for s in trace.steps) if trace else ()
    extra = _trace_sentences(trace)
    return Diagnosis(
        signal=signal.id,
        issue_type=signal.issue_type,
        severity=signal.severity,
        nature=signal.nature,
        reason=signal.reason,
        root_cause=root_cause(signal, facts, expression, trace.expression if trace else ""),
        suspect=_location(facts),
        failing_expression=expression,
        identifier=facts.identifier,
        explanation=explanation(signal, facts, extra),
        trail=trail,
    )


def _facts(report: CrashReport, project: Project) -> Facts:
    """Picks the exception to explain: a policy's refusal is never explained away by what caused it."""
    facts = Facts.of(report, project)
    raised = facts.about(report.raised)
    if classify(raised).nature is Nature.POLICY or classify(raised).id == "control-flow":
        return raised
    return facts


def _judge(facts: Facts) -> Signal:
    signal = classify(facts)
    if signal.nature is not Nature.CODE or facts.frame is not None or not facts.error.frames:
        return signal
    if any(frame.in_app for info in facts.report.chain for frame in info.frames):
        return signal
    return replace(signal, nature=Nature.EXTERNAL, reason=f"{signal.reason}; {_FOREIGN_REASON}")


def _location(facts: Facts) -> Location | None:
    frame = facts.frame
    if frame is None or frame.path is None:
        return None
    return Location(frame.path, frame.qualname, frame.line)


def _expression(facts: Facts) -> str:
    if facts.frame is None or not facts.text or not _source_is_current(facts):
        return ""
    try:
        found = failing_expression(facts.text, facts.frame, facts.error)
    except (SyntaxError, ValueError, RecursionError):
        return ""
    return found if len(found) <= _SAME_LINE else ""


def _source_is_current(facts: Facts) -> bool:
    """Whether the file still has the line that crashed, so that positions may be trusted."""
    frame = facts.frame
    if frame is None:
        return False
    lines = facts.text.splitlines()
    return not frame.source or (
        0 < frame.line <= len(lines) and lines[frame.line - 1].strip() == frame.source.strip()
    )


def _none_trace(facts: Facts) -> NoneTrace | None:
    frame = facts.frame
    if frame is None or frame.path is None or not facts.text or not _source_is_current(facts):
        return None
    try:
        tree = ast.parse(facts.text)
        node = failing_node(facts.text, frame, facts.error) or _statement_at(tree, frame.line)
        if node is None:
            return None
        expression = none_expression(node, facts.message, facts.identifier)
        if expression is None and (statement := _statement_at(tree, frame.line)) is not None:
            expression = none_expression(statement, facts.message, facts.identifier)
        if expression is None:
            return None
        types = {local.name: local.type for local in frame.locals}
        tracer = NoneTracer(facts.project, frame.path, facts.text, types)
        steps = tracer.trace(expression, enclosing_function(tree, frame.line), frame.qualname)
    except (SyntaxError, ValueError, RecursionError):
        return None
    return NoneTrace(ast.unparse(expression), tuple(steps))


def _statement_at(tree: ast.Module, line: int) -> ast.stmt | None:
    """Returns the smallest statement on a line; of a compound one only the head counts."""
    hits = [
        n
        for n in ast.walk(tree)
        if isinstance(n, ast.stmt) and n.lineno <= line <= (n.end_lineno or n.lineno)
    ]
    if not hits:
        return None
    smallest = min(hits, key=lambda n: (n.end_lineno or n.lineno) - n.lineno)
    return smallest if not getattr(smallest, "body", None) else None


def _trace_sentences(trace: NoneTrace | None) -> tuple[str, ...]:
    if trace is None:
        return ()
    if not trace.steps:
        return (f"`{trace.expression}` is None; the source does not show where that came from.",)
    steps = "; ".join(f"{s.path}:{s.line} {s.why}" for s in trace.steps)
    return (f"`{trace.expression}` is None. Where it came from: {steps}.",)


__all__ = ["SIGNALS", "analyze"]
