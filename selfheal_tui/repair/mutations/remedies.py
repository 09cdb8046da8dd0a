"""Remedies for a crash where it showed: guards, defaults, bounds and clamps that real projects add. Guesses, all of them.

Each is a change that only a test (or a person) can tell from the others; nothing is decided here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from selfheal_tui.repair.mutations import remedy_bounds, remedy_lookups, remedy_texts, remedy_values
from selfheal_tui.repair.mutations.mutant import Mutant
from selfheal_tui.repair.mutations.remedy_steps import only_if, present
from selfheal_tui.repair.mutations.spot import Spot, answers
from selfheal_tui.repair.rules.engine import exception_names

_MAKERS: tuple[tuple[frozenset[str], Callable[[Spot], Iterator[Mutant]]], ...] = (
    (frozenset({"KeyError"}), remedy_lookups.of_lookups),
    (frozenset({"IndexError"}), remedy_bounds.of_bounds),
    (frozenset({"StopIteration", "RuntimeError"}), remedy_lookups.of_exhausted),
    (frozenset({"ValueError", "OverflowError"}), remedy_values.of_values),
    (frozenset({"ZeroDivisionError"}), remedy_values.of_divisions),
    (frozenset({"UnicodeError"}), remedy_texts.of_codecs),
    (frozenset({"error", "PatternError"}), remedy_texts.of_patterns),
    (frozenset({"FileExistsError", "FileNotFoundError"}), remedy_texts.of_files),
)
"""By the bare names of an exception's type and its bases."""


BROAD_GUARD = "broad-guard"
"""Kind of a guard for values that are empty when it crashes, where emptiness is not known to be what it crashed of."""
_GUARDS = frozenset({"guard", "condition"})
_OF_NOTHING = frozenset({"IndexError", "ZeroDivisionError", "StopIteration"})
_ABOUT_NOTHING = re.compile(r"NoneType|empty|at least one|not enough values")


def remedies(spot: Spot) -> Iterator[Mutant]:
    """Makes what may help at one frame of a crash.

    Args:
        spot: The frame's place.

    Yields:
        Mutants, unordered.
    """
    names = exception_names(spot.error)
    if spot.depth == 0:
        for wanted, make in _MAKERS:
            if names & wanted:
                yield from make(spot)
    yield from _guards(spot)


def _guards(spot: Spot) -> Iterator[Mutant]:
    """The function answers at once for a value that is empty, None or zero now."""
    if spot.function is None:
        return
    falsy = _falsy(spot)
    telling = spot.depth == 0 and (
        bool(exception_names(spot.error) & _OF_NOTHING) or bool(_ABOUT_NOTHING.search(spot.error.message))
    )
    weight = 0.9 if spot.depth == 0 else 0.75
    for condition in falsy[:4]:
        for mutant in _against(spot, condition, weight):
            yield replace(mutant, kind=BROAD_GUARD) if mutant.kind in _GUARDS and not telling else mutant


def _against(spot: Spot, condition: str, weight: float) -> Iterator[Mutant]:
    """Answers at once, leaves the round of a loop, or leaves the statement out when a condition holds."""
    for answer, worth in answers(spot):
        yield from present(spot.guard(condition, answer, worth * weight, early=_is_given(spot, condition)))
    yield from spot.skips(condition)
    if isinstance(spot.statement, ast.Expr | ast.AugAssign) and condition.startswith("not "):
        yield from only_if(spot, condition.removeprefix("not "), 0.35)


def _is_given(spot: Spot, condition: str) -> bool:
    """Whether a condition is about a parameter or an attribute, which are known from the start."""
    assert spot.function is not None
    name = re.split(r"\W", condition.removeprefix("not "), maxsplit=1)[0]
    arguments = spot.function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every += [a for a in (arguments.vararg, arguments.kwarg) if a is not None]
    return any(a.arg == name for a in every)


def _falsy(spot: Spot) -> list[str]:
    """Conditions that hold now, about variables and attributes that the statement reads."""
    found: dict[str, None] = {}
    for node in spot.parts():
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            value = spot.local(node.id)
            if value is None:
                continue
            if value.repr == "None":
                found[f"{node.id} is None"] = None
            if value.size == 0 or value.repr in ("0", "0.0", "False", "None"):
                found[f"not {node.id}"] = None
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
            # What an attribute holds is not captured; that the function answers early for an empty one is tried.
            called = isinstance(spot.at.up.get(node), ast.Call)
            if not called:
                found[f"not self.{node.attr}"] = None
    return list(found)
