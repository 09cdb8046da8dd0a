"""Keeps secrets in source code from a model, and puts them back into the code it returns.

A function whose source holds a credential can still be repaired: each secret stands as a numbered token
in what is shown, and the token becomes the secret again in the answer. Values sealed once are hidden in
every other text of the prompt too. Nothing here is stored.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from selfheal_tui.probe.redaction import MASK, mask_text

_TOKEN = "MASKED_SECRET_{}"  # noqa: S105 - the placeholder, not a password
_TOKEN_PATTERN = re.compile(r"MASKED_SECRET_(\d+)(?!\d)")
_SHORTEST = 6
"""Shorter values are not hunted for in other texts: they would hit ordinary words."""


class Seal:
    """Secrets of one prompt and the tokens that stand for them."""

    def __init__(self) -> None:
        self._secrets: list[str] = []
        self._known: set[str] = set()
        self._spans: dict[str, list[tuple[int, int]] | None] = {}

    def source(self, text: str, start: int = 0, end: int | None = None) -> str:
        """Returns a stretch of a source file with every secret replaced by its token.

        The file is searched as a whole, so that a secret whose name or beginning lies outside the stretch
        is hidden all the same.

        Args:
            text: The whole file.
            start: Character offset where the stretch begins.
            end: Offset where it ends; None for the end of the file.
        """
        stop = len(text) if end is None else end
        if text not in self._spans:
            self._spans[text] = _masked_spans(text)
            self._know(text[begin:finish] for begin, finish in self._spans[text] or ())
        spans = self._spans[text]
        if spans is None:
            return mask_text(text[start:stop])
        shown, at = [], start
        for begin, finish in spans:
            low, high = max(begin, start), min(finish, stop)
            if low < high:
                shown += [text[at:low], self._token(text[low:high])]
                at = high
        return "".join([*shown, text[at:stop]])

    def hide(self, text: str) -> str:
        """Masks any other text: by name, by shape, and every value that was sealed before.

        Args:
            text: A message, a `repr`, a diff, the output of a check.
        """
        return mask_text(self.hide_known(text))

    def hide_known(self, text: str) -> str:
        """Masks only the values that were sealed before: for texts in which tokens must survive.

        Args:
            text: An answer of the model, on its way back to it.
        """
        for secret in sorted(self._known, key=len, reverse=True):
            if len(secret) >= _SHORTEST:
                text = text.replace(secret, MASK)
        return text

    def reveal(self, code: str) -> str:
        """Puts the secrets back in place of their tokens.

        Args:
            code: Code from a model's answer.

        Raises:
            ValueError: The code holds a mask, or a token that was never given out; the message is for the model.
        """
        if MASK in code:
            raise ValueError(f"the code contains {MASK}; copy the original text or leave that line out")

        def put_back(match: re.Match[str]) -> str:
            number = int(match.group(1))
            if not 1 <= number <= len(self._secrets):
                raise ValueError(f"{match.group()} is not one of the tokens in the code that was shown")
            return self._secrets[number - 1]

        return _TOKEN_PATTERN.sub(put_back, code)

    def _know(self, values: Iterable[str]) -> None:
        """Remembers secrets, and the secrets inside them: the password of a whole connection string."""
        for value in values:
            self._known.add(value)
            self._known |= {value[begin:finish] for begin, finish in _masked_spans(value) or ()}

    def _token(self, secret: str) -> str:
        if secret not in self._secrets:
            self._secrets.append(secret)
        return _TOKEN.format(self._secrets.index(secret) + 1)


def _masked_spans(text: str) -> list[tuple[int, int]] | None:
    """Finds which stretches of a text its masked form hides; None when they cannot be told apart."""
    masked = mask_text(text)
    if masked == text:
        return []
    kept = masked.split(MASK)
    if not text.startswith(kept[0]) or not text.endswith(kept[-1]):
        return None
    spans: list[tuple[int, int]] = []
    at = len(kept[0])
    limit = len(text) - len(kept[-1])
    for part in kept[1:-1]:
        found = text.find(part, at, limit) if part else at
        if found < 0:
            return None
        spans.append((at, found))
        at = found + len(part)
    if at > limit:
        return None
    return [*spans, (at, limit)]
