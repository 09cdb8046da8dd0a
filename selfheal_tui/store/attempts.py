"""The healing history: one record per attempt, in the seed's format, never changed."""

from __future__ import annotations

from selfheal_tui.model.record import HealingAttempt
from selfheal_tui.model.serial import from_builtins
from selfheal_tui.store.masking import clean
from selfheal_tui.store.table import JournalTable


class AttemptStore:
    """`healing_history` on disk.

    Args:
        table: Any table.
    """

    def __init__(self, table: JournalTable) -> None:
        self._table = table

    def append(self, attempt: HealingAttempt) -> None:
        """Records an attempt, masked; it is on the disk when this returns."""
        self._table.insert(clean(attempt))

    def all(self, *, after: int = 0) -> list[HealingAttempt]:
        """Returns all attempts, oldest first.

        Args:
            after: Leave out so many of the oldest, which are known already.
        """
        return [from_builtins(row, HealingAttempt) for row in self._table.rows()[after:]]

    def count(self) -> int:
        """Returns how many attempts are on record."""
        return len(self._table.rows())
