"""Uses a fix that held once for the same crash again, or for the same function elsewhere, without a model.

A remembered fix is only offered where the function is, but for layout and comments, the very one that it
was made for; the proof ladder judges it anew like any other candidate. Reads the project, never writes.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from selfheal_tui.model.candidate import Candidate, CannotFix, FileEdit
from selfheal_tui.model.diagnosis import Location
from selfheal_tui.model.incident import Attempt
from selfheal_tui.model.record import ProvenFix
from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.proven import (
    GROUP,
    GROUP_SIZE,
    IMPORTS,
    UnfitFixError,
    apply_proven,
    extract_proven,
    function_shape,
    proven_of,
    shape_of_source,
)
from selfheal_tui.source.fingerprint import fingerprint
from selfheal_tui.source.position import find_definition, qualname_at
from selfheal_tui.source.project import Project
from selfheal_tui.source.text import SourceText, UnreadableSourceError

__all__ = ["MemoryProposer", "Remembers", "extract_proven", "proven_of"]

SAME_CRASH = 0.9
"""Confidence when the fix cured this very crash before."""
SAME_FUNCTION = 0.7
"""Confidence when it cured the same function, with the same exception, in another place."""
MAX_OFFERS = 3


class Remembers(Protocol):
    """Where proven fixes are kept; the store's learning facet is one."""

    def proven(self, fingerprint: str | None = None) -> list[ProvenFix]:
        """Returns the fixes that held, of one crash or of all, oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class _Placed:
    """A remembered fix with the place where it fits now."""

    fix: ProvenFix
    source: SourceText
    qualname: str


class MemoryProposer:
    """Candidates from fixes that held.

    Args:
        learning: Where they are kept.
    """

    def __init__(self, learning: Remembers) -> None:
        self._learning = learning

    @property
    def name(self) -> str:
        """`memory`."""
        return "memory"

    def propose(self, context: RepairContext) -> Generator[Candidate | CannotFix, Attempt | None, None]:
        """Yields fixes of the same crash first, then fixes of the same function elsewhere; newest first."""
        if not context.diagnosis.is_code:
            return
        value = fingerprint(context.report).value
        kinds = {context.error.bare_type, context.report.raised.bare_type}
        found = [
            _candidate(_place_exactly(group, context.project), SAME_CRASH, "cured this very crash")
            for group in _groups(self._learning.proven(value))
        ]
        # A function that moved keeps its fix: those of this crash are tried at the frames as well.
        found += [
            _candidate(_place_at_frames(group, context), SAME_FUNCTION, "cured the same function before")
            for group in _groups(fix for fix in self._learning.proven() if fix.exception in kinds)
        ]
        offers: dict[str, Candidate] = {}
        for candidate in found:
            if candidate is not None:
                offers.setdefault(candidate.patch_sha256, candidate)
        yield from list(offers.values())[:MAX_OFFERS]


def _groups(fixes: Iterable[ProvenFix]) -> Iterator[list[ProvenFix]]:
    """Parts of one candidate belong together; a part whose others are gone is left out."""
    groups: dict[str, list[ProvenFix]] = {}
    for number, fix in enumerate(fixes):
        groups.setdefault(fix.extra.get(GROUP) or f"alone {number}", []).append(fix)
    for group in reversed(groups.values()):
        if all(fix.extra.get(GROUP_SIZE, "1") == str(len(group)) for fix in group):
            yield group


def _read(project: Project, path: str) -> SourceText | None:
    if project.protected(path):
        return None
    try:
        return project.read(path)
    except (UnreadableSourceError, OSError, ValueError):
        return None


def _fits(source: SourceText, qualname: str, fix: ProvenFix) -> bool:
    node = find_definition(source.text, qualname)
    if not fix.before:
        return node is None
    return node is not None and function_shape(node) == shape_of_source(fix.before)


def _place_exactly(group: list[ProvenFix], project: Project) -> list[_Placed]:
    placed = []
    for fix in group:
        source = _read(project, fix.path)
        if source is None or not _fits(source, fix.qualname, fix):
            return []
        placed.append(_Placed(fix, source, fix.qualname))
    return placed


def _place_at_frames(group: list[ProvenFix], context: RepairContext) -> list[_Placed]:
    """Finds the function of a one-function fix among the in-app frames, innermost first."""
    if len(group) != 1 or not group[0].before:
        return []
    fix = group[0]
    for frame in reversed(context.error.frames):
        source = _read(context.project, frame.path) if frame.in_app and frame.path else None
        if source is None:
            continue
        qualname = qualname_at(source.text, frame.line)
        if _fits(source, qualname, fix):
            return [_Placed(fix, source, qualname)]
    return []


def _candidate(placed: list[_Placed], confidence: float, why: str) -> Candidate | None:
    if not placed:
        return None
    texts: dict[str, str] = {}
    sources: dict[str, SourceText] = {}
    try:
        for item in placed:
            path = item.source.path
            sources[path] = item.source
            texts[path] = apply_proven(texts.get(path, item.source.text), item.fix, item.qualname)
    except UnfitFixError:
        return None
    edits = tuple(
        FileEdit(path, sources[path].sha256, text, sources[path].encoding)
        for path, text in texts.items()
        if text != sources[path].text
    )
    if not edits:
        return None
    first = placed[0].fix
    imports = [line for item in placed for line in item.fix.extra.get(IMPORTS, "").split("\n") if line]
    return Candidate(
        proposer="memory",
        rule=first.rule,
        reason=f"a fix by {first.rule} in {first.path} ({first.qualname}) {why} and held",
        confidence=confidence,
        edits=edits,
        targets=tuple(
            Location(
                p.source.path, p.qualname, getattr(find_definition(p.source.text, p.qualname), "lineno", 1)
            )
            for p in placed
        ),
        notes=(f"it was used {first.used + 1} times before" if first.used else "it was used once before",),
        adds_imports=tuple(dict.fromkeys(_module_of(line) for line in imports)),
    )


def _module_of(statement: str) -> str:
    words = statement.split()
    return words[1] if len(words) > 1 else statement
