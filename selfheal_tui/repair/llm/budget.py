"""What asking a model may cost: tokens and money per incident, money per day.

Every question is charged before its answer is read, also when it failed. A price that is unknown counts
as the assumed price below when it is held against a money budget, and stays unknown on record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from selfheal_tui.model.candidate import Cost
from selfheal_tui.model.settings import ModelSettings
from selfheal_tui.repair.llm.client import ModelAnswer
from selfheal_tui.repair.llm.credentials import is_loopback

ASSUMED_USD_PER_TOKEN = 30e-6
"""Held against the money budgets where the price is unknown: what the dearest models of the big vendors
charged per token in 2025, mixed over prompt and answer. A guard rail, never shown as a price."""
CHARACTERS_PER_TOKEN = 3.0
"""English and code run at about 4 characters a token; 3 errs to the side of counting too much."""
SMALLEST_ANSWER_TOKENS = 256


@dataclass(frozen=True, slots=True)
class Allowance:
    """What the next question may use.

    Attributes:
        max_tokens: Longest answer that still fits; 0 when nothing does.
        refusal: Which budget is used up, with its remedy; empty when the question may be asked.
    """

    max_tokens: int
    refusal: str = ""


def estimate_tokens(characters: int) -> int:
    """Estimates the tokens of a text from its length, rather too many than too few."""
    return int(characters / CHARACTERS_PER_TOKEN) + 1


class Budget:
    """The tally of one incident, and of the day it happens on."""

    def __init__(
        self, settings: ModelSettings, spent_today: Callable[[], float], earlier: Iterable[Cost] = ()
    ) -> None:
        self._settings = settings
        self._spent_today = spent_today
        self._free = bool(settings.api_base) and is_loopback(settings.api_base)
        self._today_before: float | None = None
        self._tokens = 0
        self._usd = 0.0
        self._open = Cost()
        self._open_known = True
        for cost in earlier:
            self._tokens += cost.prompt_tokens + cost.completion_tokens
            self._usd += self._held(cost.usd, cost.prompt_tokens + cost.completion_tokens)
        self._before_usd = self._usd

    @property
    def tokens(self) -> int:
        """Tokens of this incident so far."""
        return self._tokens

    def allowance(self, prompt_characters: int) -> Allowance:
        """Says whether a question of that length may be asked, and how long its answer may get.

        Args:
            prompt_characters: Length of all messages.
        """
        settings = self._settings
        left = settings.tokens_per_incident - self._tokens - estimate_tokens(prompt_characters)
        if left < SMALLEST_ANSWER_TOKENS:
            return Allowance(
                0,
                f"the token budget of this incident is used up ({self._tokens} of "
                f"{settings.tokens_per_incident}; model.tokens_per_incident)",
            )
        if not self._free or self._usd > 0:
            if self._usd >= settings.usd_per_incident:
                return Allowance(
                    0,
                    f"the money budget of this incident is used up (${self._usd:.2f} of "
                    f"${settings.usd_per_incident:.2f}; model.usd_per_incident)",
                )
            # Asked once: what this session spends is on record later, and would count twice.
            if self._today_before is None:
                self._today_before = self._spent_today()
            today = self._today_before + self._usd - self._before_usd
            if today >= settings.usd_per_day:
                return Allowance(
                    0,
                    f"the money budget of today is used up (${today:.2f} of "
                    f"${settings.usd_per_day:.2f}; model.usd_per_day)",
                )
        return Allowance(min(settings.max_answer_tokens, left))

    def charge(self, answer: ModelAnswer, prompt_characters: int) -> None:
        """Books an answer; where the server did not count tokens, the estimate is booked.

        Args:
            answer: The answer, not yet parsed.
            prompt_characters: Length of all messages.
        """
        prompt = answer.prompt_tokens or estimate_tokens(prompt_characters)
        completion = answer.completion_tokens or estimate_tokens(len(answer.text))
        self._book(Cost(prompt, completion, answer.usd, answer.seconds))

    def charge_failure(self, prompt_characters: int, seconds: float) -> None:
        """Books a question that got no answer: it may well be billed all the same, at an unknown price.

        Args:
            prompt_characters: Length of all messages.
            seconds: How long it took.
        """
        self._book(Cost(estimate_tokens(prompt_characters), 0, None, seconds))

    def settle(self) -> Cost:
        """Returns what was booked since the last call, for the record of a candidate or a refusal."""
        settled = (
            self._open
            if self._open_known
            else Cost(self._open.prompt_tokens, self._open.completion_tokens, None, self._open.seconds)
        )
        self._open, self._open_known = Cost(), True
        return settled

    def _held(self, usd: float | None, tokens: int) -> float:
        if usd is not None:
            return usd
        return 0.0 if self._free else tokens * ASSUMED_USD_PER_TOKEN

    def _book(self, cost: Cost) -> None:
        tokens = cost.prompt_tokens + cost.completion_tokens
        self._tokens += tokens
        self._usd += self._held(cost.usd, tokens)
        self._open_known = self._open_known and cost.usd is not None
        self._open = Cost(
            self._open.prompt_tokens + cost.prompt_tokens,
            self._open.completion_tokens + cost.completion_tokens,
            (self._open.usd or 0.0) + (cost.usd or 0.0),
            self._open.seconds + cost.seconds,
        )
