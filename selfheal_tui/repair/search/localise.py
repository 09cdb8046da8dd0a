"""Where the fault of a wrong answer may be: functions that the failing run executed, by how much they are to blame.

Ochiai's coefficient (Abreu, Zoeteweij, van Gemund 2006) of lines over failing against passing tests, where there are
passing ones; then how near a function is to the place that noticed, since most values are wrong where they are made.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from selfheal_tui.model.laboratory import LineTrace, TracedCall
from selfheal_tui.repair.rules.support import parse
from selfheal_tui.repair.search.generate import Target
from selfheal_tui.repair.search.place import FunctionNode

_STEP = 0.85
"""A function one call further away from the place that noticed is so much less likely the culprit."""
_OUTSIDE, _NOTICED = 0.15, 0.1
"""How likely the fault is in a function that ran without being called by the place that noticed, or is that place."""
_LONG = 60
_LEAST = 0.02


@dataclass(frozen=True, slots=True)
class Source:
    """A file of the project that may be changed.

    Attributes:
        path: Relative to the root.
        text: Its text.
        tree: Its tree.
    """

    path: str
    text: str
    tree: ast.Module


def ochiai(failing: Sequence[LineTrace], passing: Sequence[LineTrace]) -> dict[tuple[str, int], float]:
    """Weighs lines: 1 for what only failing runs execute, less the more passing ones do.

    Args:
        failing: Traces of runs that failed.
        passing: Traces of runs that passed.
    """
    bad = _counts(failing)
    good = _counts(passing)
    return {
        place: count / math.sqrt(len(failing) * (count + good.get(place, 0))) for place, count in bad.items()
    }


def _counts(traces: Iterable[LineTrace]) -> dict[tuple[str, int], int]:
    counted: dict[tuple[str, int], int] = {}
    for trace in traces:
        for path, lines in trace.lines.items():
            for line in lines:
                counted[path, line] = counted.get((path, line), 0) + 1
    return counted


def suspects(
    run: LineTrace,
    tests: Sequence[LineTrace],
    load: Callable[[str], Source | None],
    noticing: Collection[tuple[str, str]] = (),
    *,
    most: int,
) -> tuple[list[Target], dict[str, Source]]:
    """Ranks the functions that may hold the fault.

    Args:
        run: The failing run, with its calls.
        tests: The project's tests, each with its lines; none where they are not known.
        load: Reads a file that a fix may change; None for others.
        noticing: Path and bare name of the functions that noticed the fault.
        most: At most so many.

    Returns:
        Functions, most suspicious first, and the files that they are in.
    """
    failing = [run, *(t for t in tests if t.failed)]
    weights = ochiai(failing, [t for t in tests if not t.failed])
    calls = {(call.path, call.line): call for call in run.calls}
    sources = {path: source for path in run.lines if (source := load(path)) is not None}
    found: list[Target] = []
    for source in sources.values():
        for qualname, node in _functions(source.tree.body, ""):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            call = calls.get((source.path, first))
            if call is None:
                continue
            blame = 1.0 if call.below else _OUTSIDE
            if (source.path, node.name) in noticing:
                blame = _NOTICED
            span = range(node.body[0].lineno, (node.end_lineno or node.lineno) + 1)
            executed = run.lines[source.path]
            lines = {line: weights.get((source.path, line), 0.0) for line in span if line in executed}
            if lines:
                suspicion = max(lines.values()) * blame
                found.append(Target(source.path, qualname, node, suspicion, lines, call.depth))
    called = [t for t in found if calls_below(t, calls) and (t.path, t.node.name) not in noticing]
    ranked = [_weighed(target) for target in called or found]
    ranked.sort(key=lambda t: -t.suspicion)
    return ranked[:most], sources


def calls_below(target: Target, calls: Mapping[tuple[str, int], TracedCall]) -> bool:
    """Whether the place that noticed the fault called a function."""
    first = min([target.node.lineno, *(d.lineno for d in target.node.decorator_list)])
    return calls[target.path, first].below


def _weighed(target: Target) -> Target:
    length = (target.node.end_lineno or target.node.lineno) - target.node.lineno + 1
    size = 1.0 if length <= _LONG else _LONG / length
    if target.node.name == "__init__":
        size *= _STEP
    suspicion = target.suspicion * _STEP**target.depth * size
    return replace(target, suspicion=max(_LEAST, suspicion))


def _functions(body: Sequence[ast.stmt], prefix: str) -> Iterable[tuple[str, FunctionNode]]:
    for node in body:
        if isinstance(node, FunctionNode):
            yield prefix + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node.body, f"{prefix}{node.name}.")
        else:
            for name in ("body", "orelse", "finalbody"):
                inner = getattr(node, name, None)
                if isinstance(inner, list):
                    yield from _functions(inner, prefix)


def attribute_names(sources: Iterable[Source]) -> tuple[str, ...]:
    """Names of attributes that the project's own classes set, and that its code reads of variables."""
    found: dict[str, None] = {}
    for source in sources:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Attribute) and not node.attr.startswith("__"):
                found[node.attr] = None
    return tuple(found)


def source_of(path: str, text: str) -> Source | None:
    """Parses a file; None when it cannot be."""
    tree = parse(text)
    return None if tree is None else Source(path, text, tree)
