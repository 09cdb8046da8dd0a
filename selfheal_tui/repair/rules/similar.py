"""How alike two identifiers are, and how sure one may be that the one was meant for the other.

Distance is Optimal String Alignment (Damerau-Levenshtein with adjacent transpositions, restricted),
by rapidfuzz. The limits follow CPython's own suggestions (a third of the length) made stricter for
short names, where everything is near everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from rapidfuzz.distance import OSA

MAX_OFFERS = 4


@dataclass(frozen=True, slots=True)
class Match:
    """A name that may have been meant.

    Attributes:
        name: The name.
        distance: Edit distance; 0 when only case or underscores differ.
        confidence: How sure one may be, on the scale of the house.
    """

    name: str
    distance: int
    confidence: float


def fold(name: str) -> str:
    """The name without case, underscores and hyphens: what spellings of one name have in common."""
    return re.sub(r"[_\-\s]", "", name).casefold()


def limit(name: str) -> int:
    """Largest distance at which another name may still have been meant."""
    length = len(fold(name))
    if length <= 2:
        return 0
    return 1 if length <= 5 else 2 if length <= 9 else 3


def distance(left: str, right: str) -> int:
    """Edit distance of two names; 0 when they differ only in case, underscores or hyphens."""
    return 0 if fold(left) == fold(right) else int(OSA.distance(left.casefold(), right.casefold()))


def near(name: str, choices: Iterable[str]) -> list[Match]:
    """Finds the names that may have been meant by a misspelt one.

    Args:
        name: The name that does not exist.
        choices: Names that do.

    Returns:
        Best first, at most four; one clear best is CERTAIN (distance ≤ 1) or STRONG, several equally
        near ones are PLAUSIBLE, and what is behind the best is a GUESS.
    """
    private = name.startswith("__") and name.endswith("__")
    scored = []
    for choice in dict.fromkeys(choices):
        if choice == name or (choice.startswith("__") and choice.endswith("__")) != private:
            continue
        away = distance(name, choice)
        if away <= min(limit(name), limit(choice)):
            scored.append((away, int(OSA.distance(name, choice)), choice))
    scored.sort()
    if not scored:
        return []
    best = scored[0][:2]
    ties = sum(1 for item in scored if item[:2] == best)
    matches = []
    for away, exact, choice in scored[:MAX_OFFERS]:
        if (away, exact) != best:
            confidence = 0.4
        elif ties > 1:
            confidence = 0.6
        else:
            # a three-letter word has too many neighbours for certainty
            confidence = 0.95 if away == 0 or (away == 1 and len(fold(name)) > 3) else 0.8
        matches.append(Match(choice, away, confidence))
    return matches


def tokens(name: str) -> frozenset[str]:
    """The words of an identifier, in lower case (`hasSecrets` and `has_secrets` give the same)."""
    return frozenset(
        word.casefold() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name.replace("_", " "))
    )


_SYNONYMS: tuple[frozenset[str], ...] = (
    frozenset({"has", "contains", "includes", "is", "have", "contain", "include"}),
    frozenset({"get", "fetch", "load", "read", "retrieve", "find", "lookup"}),
    frozenset({"find", "search", "lookup", "query", "locate", "seek", "select"}),
    frozenset({"set", "put", "store", "save", "write", "update"}),
    frozenset({"remove", "delete", "drop", "discard", "del", "erase"}),
    frozenset({"add", "append", "insert", "push", "register"}),
    frozenset({"run", "execute", "invoke", "call", "perform", "exec", "start"}),
    frozenset({"make", "create", "build", "new", "generate", "construct"}),
    frozenset({"check", "validate", "verify", "ensure", "test"}),
    frozenset({"compute", "calculate", "calc", "eval", "evaluate"}),
    frozenset({"send", "emit", "publish", "dispatch", "post"}),
    frozenset({"clean", "sanitize", "sanitise", "scrub", "redact", "mask"}),
    frozenset({"close", "shutdown", "stop", "end", "finish", "terminate"}),
    frozenset({"count", "size", "length", "len", "num", "number"}),
    frozenset({"parse", "decode", "loads", "deserialize"}),
    frozenset({"format", "render", "encode", "dumps", "serialize", "dump"}),
    frozenset({"list", "all", "items", "entries"}),
    frozenset({"handle", "process", "on"}),
    frozenset({"init", "initialize", "initialise", "setup", "prepare"}),
)
"""Verbs that programmers exchange when they rename a function."""


def kindred(name: str, other: str) -> bool:
    """Whether two names say the same thing in other words (`has_secrets`, `contains_secrets`).

    All words but one must be shared and the remaining ones be synonyms, or one name must be the other
    with one word more.
    """
    left, right = tokens(name), tokens(other)
    if left != right and left - {"get"} == right - {"get"}:
        return True
    shared = left & right
    if not shared or left == right:
        return bool(shared)
    rest_left, rest_right = left - right, right - left
    if len(rest_left) == len(rest_right) == 1:
        pair = rest_left | rest_right
        return any(pair <= group for group in _SYNONYMS)
    return (
        min(len(rest_left), len(rest_right)) == 0
        and max(len(rest_left), len(rest_right)) == 1
        and len(shared) >= 2
    )
