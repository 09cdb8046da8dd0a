"""What the FactChecker counts, which fixes were bad, which held, and which edits are known to fix things."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from selfheal_tui.model.pattern import EditPattern
from selfheal_tui.model.record import Learned, ProvenFix
from selfheal_tui.model.serial import from_builtins, to_builtins
from selfheal_tui.store.masking import clean, clean_text
from selfheal_tui.store.table import HistoryDB

_log = logging.getLogger(__name__)


class LearningStore:
    """Counts, blacklist, proven fixes and mined patterns.

    Args:
        database: The history, whose tables `learned`, `blacklist`, `proven` and `patterns` are keyed by `key`.
        clock: Unix time in seconds.
    """

    def __init__(self, database: HistoryDB, clock: Callable[[], float] = time.time) -> None:
        self._learned = database.journal_table("learned")
        self._blacklist = database.journal_table("blacklist")
        self._proven = database.journal_table("proven")
        self._patterns = database.journal_table("patterns")
        self._clock = clock

    def count(self, key: str, success: bool) -> None:
        """Counts one success or failure, exactly once however many processes count.

        Args:
            key: `rule:<name>`, `model:<name>` or `fingerprint:<value>`.
            success: Which of the two.
        """
        with self._learned.journal.locked():
            before = self.get(key)
            self._learned.put(
                key,
                to_builtins(
                    Learned(
                        key,
                        before.successes + int(success),
                        before.failures + int(not success),
                        self._clock(),
                    )
                ),
            )

    def retract(self, key: str, *, success: bool) -> None:
        """Takes one count back, because what it counted was undone; never below zero.

        Args:
            key: As for `count`.
            success: Which of the two was counted.
        """
        with self._learned.journal.locked():
            before = self.get(key)
            if not (before.successes if success else before.failures):
                return
            self._learned.put(
                key,
                to_builtins(
                    replace(
                        before,
                        successes=before.successes - int(success),
                        failures=before.failures - int(not success),
                    )
                ),
            )

    def get(self, key: str) -> Learned:
        """Returns the counts of a key; zeros when it was never counted."""
        row = self._learned.find(key)
        return from_builtins(row, Learned) if row else Learned(key)

    def all(self) -> list[Learned]:
        """Returns all counts, in order of first counting."""
        return [from_builtins(row, Learned) for row in self._learned.rows()]

    def blacklist(self, fingerprint: str, ast_key: str, reason: str) -> None:
        """Bars a fix from being tried again for a crash."""
        key = f"{fingerprint} {ast_key}"
        self._blacklist.put(
            key,
            {
                "key": key,
                "fingerprint": fingerprint,
                "ast_key": ast_key,
                "reason": clean_text(reason),
                "at": self._clock(),
            },
        )

    def unbar(self, fingerprint: str, ast_key: str) -> None:
        """Lets a barred fix be tried again, because whoever barred it took that back."""
        wanted = f"{fingerprint} {ast_key}"
        self._blacklist.remove(lambda row: row["key"] == wanted)

    def blacklisted(self, fingerprint: str) -> frozenset[str]:
        """Returns the AST keys of the fixes barred for a crash."""
        return frozenset(
            row["ast_key"] for row in self._blacklist.rows() if row["fingerprint"] == fingerprint
        )

    def remember(self, fix: ProvenFix) -> None:
        """Keeps a fix that held; the same fix again replaces the one before.

        A fix whose source holds a secret is not kept: masked it would be wrong, unmasked it may not be
        stored.
        """
        if clean_text(fix.before) != fix.before or clean_text(fix.after) != fix.after:
            _log.warning("the fix of %s holds a secret and is not remembered", fix.fingerprint)
            return
        key = f"{fix.fingerprint} {fix.path} {fix.qualname}"
        cleaned = clean(replace(fix, before="", after=""))
        self._proven.put(
            key,
            {**cleaned, "fingerprint": fix.fingerprint, "before": fix.before, "after": fix.after, "key": key},
        )

    def proven(self, fingerprint: str | None = None) -> list[ProvenFix]:
        """Returns the fixes that held, of one crash or of all, oldest first."""
        return [
            from_builtins(row, ProvenFix)
            for row in self._proven.rows()
            if fingerprint is None or row["fingerprint"] == fingerprint
        ]

    def learn_patterns(self, patterns: Sequence[EditPattern], *, origins: Sequence[str]) -> int:
        """Keeps patterns, in place of those that were learnt from the same repositories before.

        A pattern whose code holds a secret is not kept.

        Args:
            patterns: What was learnt.
            origins: The repositories that it was learnt from.

        Returns:
            How many are kept.
        """
        gone = set(origins)
        safe = [
            p for p in patterns if clean_text(p.shown + p.before + p.after) == p.shown + p.before + p.after
        ]
        if len(safe) < len(patterns):
            _log.warning("%d patterns hold a secret and are not kept", len(patterns) - len(safe))
        with self._patterns.journal.locked():
            old = [
                row["key"] for row in self._patterns.rows() if {s["origin"] for s in row["sources"]} <= gone
            ]
            if old:
                self._patterns.remove(doc_ids=[self._patterns.number(key) for key in old])
            for pattern in safe:
                row = self._patterns.find(pattern.key)
                others = from_builtins(row, EditPattern).sources if row else ()
                kept = tuple(source for source in others if source.origin not in gone)
                self._patterns.put(
                    pattern.key, to_builtins(replace(pattern, sources=(*pattern.sources, *kept)))
                )
        return len(safe)

    def patterns(self) -> list[EditPattern]:
        """Returns the mined patterns, best supported first."""
        found = [from_builtins(row, EditPattern) for row in self._patterns.rows()]
        return sorted(found, key=lambda pattern: -pattern.support)
