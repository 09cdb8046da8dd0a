"""Mutants of regular expressions written as literals: a quantifier too few or too many, an anchor, a flag of a group.

Only literals that `re` is given directly, and only changes that still compile. Pure.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from selfheal_tui.repair.mutations.mutant import Field, Mutant, replaced

_FUNCTIONS = frozenset(
    {"match", "search", "fullmatch", "compile", "split", "sub", "subn", "findall", "finditer"}
)
_ATOM = re.compile(r"\\[dwsDWS]|(?<!\\)\.|(?<!\\)\]|(?<!\\)\)")
_QUANTIFIER = re.compile(r"[*+?]\??|\{\d+(?:,\d*)?\}")
_MOST = 32


def of_pattern(at: Field, node: ast.Call) -> Iterator[Mutant]:
    """Everything that is done to the pattern of a call of `re`."""
    function = node.func
    if not (isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name)):
        return
    if function.value.id not in ("re", "regex") or function.attr not in _FUNCTIONS or not node.args:
        return
    literal = node.args[0]
    if not (isinstance(literal, ast.Constant) and isinstance(literal.value, str | bytes)):
        return
    source = at.source(literal)
    begun = re.match(r"[rRbB]{0,2}(?:'''|\"\"\"|'|\")", source)
    if begun is None or "r" not in begun[0].lower():
        return  # what stands in an ordinary literal is not what the pattern reads
    for new, weight in list(_varied(source, begun.end()))[:_MOST]:
        if new != source and _compiles(new):
            yield replaced(at, "pattern", literal, new, weight)


def _varied(source: str, start: int) -> Iterator[tuple[str, float]]:
    for atom in _ATOM.finditer(source, start):
        end = atom.end()
        known = _QUANTIFIER.match(source, end)
        head, tail = source[:end], source[known.end() if known else end :]
        if known is None:
            for mark, weight in (("+", 0.5), ("{1,2}", 0.4), ("*", 0.35), ("?", 0.3)):
                yield head + mark + tail, weight if atom[0].startswith("\\") else weight - 0.15
        else:
            for mark in ("+", "*", "?", ""):
                if mark != known[0]:
                    yield head + mark + tail, 0.35
    for anchor in ("^", "$"):
        at = source.find(anchor, start)
        if at >= 0 and source[at - 1] not in "\\[":
            yield source[:at] + source[at + 1 :], 0.25


def _compiles(literal: str) -> bool:
    try:
        re.compile(ast.literal_eval(literal))
    except (re.error, SyntaxError, ValueError, RecursionError, OverflowError):
        return False
    return True
