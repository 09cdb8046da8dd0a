"""Brings an applied fix into the process that asked for it, so that the very next call runs the new code.

It serves `detect_and_heal` alone: other living programs of the project are reached by the engine's service. It
changes nothing on disk, and what cannot be taken over without a restart it says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class TakenOver:
    """What this process made of a fix.

    Attributes:
        swapped: What runs new code now, each `module:qualname`.
        restart_needed: What does not, and why; then nothing was changed in this process.
        notes: What to know although it was done, each with its remark.
    """

    swapped: tuple[str, ...]
    restart_needed: tuple[tuple[str, str], ...]
    notes: tuple[tuple[str, str], ...] = ()

    def changes(self) -> list[dict[str, Any]]:
        """Returns the entries for `SelfHealingResult.changes`."""
        found: list[dict[str, Any]] = []
        if self.swapped:
            found.append({"type": "swapped", "definitions": list(self.swapped)})
        found += [{"type": "restart_needed", "what": what, "why": why} for what, why in self.restart_needed]
        found += [{"type": "swap_note", "what": what, "why": why} for what, why in self.notes]
        return found

    def sentence(self) -> str:
        """Returns what the operator has to do; empty when there is nothing."""
        if not self.restart_needed:
            return ""
        return "restart needed: " + "; ".join(f"{what}: {why}" for what, why in self.restart_needed)


def remember(root: Path) -> None:
    """Keeps the text of the project's loaded modules while it is on disk; a swap compares the new text with it.

    Args:
        root: The project.
    """
    from selfheal_tui.probe.swap import remember_sources

    remember_sources(str(root))


def take_over(root: Path, before: Mapping[str, str], paths: Sequence[str]) -> TakenOver:
    """Swaps changed files into this process, all of them or none.

    Args:
        root: The project.
        before: Text of the files before the change, by path relative to the root.
        paths: The changed files, relative to the root.

    Returns:
        What was done.
    """
    from selfheal_tui.probe.swap import swap_files

    files = [str(root / path) for path in paths if path.endswith(".py")]
    if not files:
        return TakenOver((), ())
    outcome = swap_files(
        files, root=str(root), before={str(root / path): text for path, text in before.items()}
    )
    needed = list(outcome.restart_needed)
    if outcome.error:
        needed.append(("program", outcome.error))
    return TakenOver(tuple(outcome.swapped), tuple(needed), tuple(outcome.notes))
