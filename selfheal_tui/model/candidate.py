"""A proposed fix: whole new contents of the files it changes, and why.

Whatever made it (rule, model, memory, a person's editor), a fix is carried as the complete new text of
each file, bound by hash to the text it was made from; diffs are only ever derived. No I/O.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from selfheal_tui.model.diagnosis import Location


def sha256_hex(data: bytes) -> str:
    """Returns the SHA-256 of bytes as lower-case hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


@dataclass(frozen=True, slots=True)
class FileEdit:
    """The new content of one file.

    Attributes:
        path: Relative to the root, forward slashes.
        before_sha256: Hash of the bytes the fix was made from; None when the file is new.
        text: New content, with the file's own newlines, without BOM.
        encoding: Codec that turns `text` into bytes (`utf-8-sig` writes a BOM).
    """

    path: str
    before_sha256: str | None
    text: str
    encoding: str = "utf-8"

    def after_bytes(self) -> bytes:
        """Encodes the new content.

        Raises:
            UnicodeEncodeError: The file's encoding has no such character.
        """
        return self.text.encode(self.encoding)


@dataclass(frozen=True, slots=True)
class Cost:
    """What asking a model cost.

    Attributes:
        prompt_tokens: Tokens sent.
        completion_tokens: Tokens received.
        usd: Money, or None when the price is unknown (unknown is not zero).
        seconds: Wall-clock time.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: float | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """One proposed fix.

    Attributes:
        proposer: `rules`, `memory`, `llm` or `operator`.
        rule: Which rule, model, or remembered fix.
        reason: Why this should help, in a sentence for the operator.
        confidence: 0 to 1, before any proof.
        edits: Files it changes.
        targets: Functions (or `<module>`) it means to change; the scope rung holds it to them.
        cost: What it cost to make.
        notes: Things the operator should know (assumptions, alternatives).
        adds_imports: Modules that the edit newly imports, so that scope and safety expect them.
        guess: Whether it was found by trying rather than derived, so that only a test can vouch for it.
        doubt: Why even a proof of it shows little, so that a person decides unless more tests vouch for it.
        sweeping: Whether it changes more than what crashed, or code beside that, so that the repaired run alone shows
            little of it.
        parts: Of how many fixes it was put together, each derived with those before in place.
    """

    proposer: str
    rule: str
    reason: str
    confidence: float
    edits: tuple[FileEdit, ...]
    targets: tuple[Location, ...] = ()
    cost: Cost = field(default_factory=Cost)
    notes: tuple[str, ...] = ()
    adds_imports: tuple[str, ...] = ()
    guess: bool = False
    doubt: str = ""
    sweeping: bool = False
    parts: int = 1

    @property
    def patch_sha256(self) -> str:
        """Hash of exactly what would be written, and over which contents.

        Raises:
            UnicodeEncodeError: An edit cannot be encoded.
        """
        digest = hashlib.sha256()
        for edit in sorted(self.edits, key=lambda e: e.path):
            for part in (
                edit.path.encode(),
                (edit.before_sha256 or "new").encode(),
                sha256_hex(edit.after_bytes()).encode(),
            ):
                digest.update(len(part).to_bytes(8, "big") + part)
        return digest.hexdigest()

    @property
    def candidate_id(self) -> str:
        """Short id: the first 12 digits of the patch hash."""
        return self.patch_sha256[:12]


@dataclass(frozen=True, slots=True)
class CannotFix:
    """A proposer's honest answer that it has nothing to offer.

    Attributes:
        proposer: Who says so.
        reason: Why, for the operator.
        explanation: A cure that only a person can bring, if one is known.
        cost: What finding out cost.
    """

    proposer: str
    reason: str
    explanation: str = ""
    cost: Cost = field(default_factory=Cost)
