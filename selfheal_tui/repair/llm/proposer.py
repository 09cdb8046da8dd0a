"""Asks a language model for fixes, one at a time, each told why the ones before failed; then a stronger one.

Without a configured model it yields nothing. Whatever goes wrong (no server, no answer, nonsense, an
empty purse) ends in a `CannotFix` that says so, never in an exception. It reads the project and never
writes; a model's answer is text to be checked and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from selfheal_tui.model.candidate import Candidate, CannotFix
from selfheal_tui.model.evidence import Proof
from selfheal_tui.model.incident import Attempt
from selfheal_tui.model.laboratory import TracedCall
from selfheal_tui.model.settings import ModelSettings
from selfheal_tui.probe.redaction import mask_text
from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.llm import shown
from selfheal_tui.repair.llm.answer import Answer, MalformedAnswerError, Place, parse_answer
from selfheal_tui.repair.llm.budget import Budget
from selfheal_tui.repair.llm.client import ModelAnswer, ModelClient, ModelError
from selfheal_tui.repair.llm.credentials import key_variables
from selfheal_tui.repair.llm.excerpts import what_ran
from selfheal_tui.repair.llm.prompt import Prompt, build_prompt
from selfheal_tui.repair.llm.weave import Woven, weave
from selfheal_tui.repair.rules.engine import asserted
from selfheal_tui.source.diff import ast_key

MAX_CONFIDENCE = 0.6
"""The most that a model's own confidence counts: plausible, whatever it claims, until it is proved."""
MAX_ECHO = 20_000


class Asker(Protocol):
    """Whatever can put a question to a model; `ModelClient` does."""

    def ask(
        self,
        messages: Sequence[dict[str, str]],
        *,
        max_tokens: int = 0,
        seconds: float = 0.0,
        model: str = "",
    ) -> ModelAnswer:
        """Asks that model (empty: its own) once; raises `ModelError`."""
        ...


class LlmProposer:
    """Candidates from a language model.

    Args:
        client: Asks the model; by default a `ModelClient` is made when first needed.
        spent_today: Returns what models cost so far today, in US dollars, over all incidents.
    """

    def __init__(
        self, client: Asker | None = None, *, spent_today: Callable[[], float] = lambda: 0.0
    ) -> None:
        self._client = client
        self._own: ModelClient | None = None
        self._own_settings: ModelSettings | None = None
        self._spent_today = spent_today

    @property
    def name(self) -> str:
        """`llm`."""
        return "llm"

    def close(self) -> None:
        """Stops the worker, if this proposer started one."""
        own, self._own = self._own, None
        if own is not None:
            own.close()

    def propose(self, context: RepairContext) -> Generator[Candidate | CannotFix, Attempt | None, None]:
        """Yields one candidate after the other; see `repair.base.Proposer`."""
        settings = context.settings.model
        if not settings.name:
            return
        if not context.diagnosis.is_code:
            yield CannotFix(self.name, f"not asked: the cause is {context.diagnosis.nature.value}, not code")
            return
        earlier = [a.candidate.cost for a in context.attempts if a.candidate.proposer == self.name]
        budget = Budget(settings, self._spent_today, earlier)
        attempts = list(context.attempts)
        ran = what_ran(context)
        for model in _in_turn(settings):
            session = _Session(self._asker(model), context, ran, budget, model)
            answers: list[Attempt] = []
            for _ in range(model.candidates):
                answer = session.next_candidate(attempts)
                sent = yield answer
                if isinstance(answer, CannotFix):
                    break
                answers.append(sent or _untold(answer))
                attempts.append(answers[-1])
                # A model that is asked again is told that its fix did not work, which would not be true.
                if answers[-1].proof.proved and not answers[-1].proof.flagged:
                    return
            if session.stopped or any(attempt.proof.acceptable for attempt in answers):
                return

    def _asker(self, settings: ModelSettings) -> Asker:
        if self._client is not None:
            return self._client
        # A worker holds one provider's key, and takes seconds to start; the model is named with each question.
        held = self._own_settings
        same = held is not None and replace(held, name=settings.name) == settings
        if self._own is None or held is None or not same or key_variables(held) != key_variables(settings):
            self.close()
            self._own, self._own_settings = ModelClient(settings), settings
        return self._own


def _in_turn(settings: ModelSettings) -> Iterator[ModelSettings]:
    """The model, then the stronger one, if there is one."""
    yield settings
    if settings.escalate_to and settings.escalate_to != settings.name:
        yield replace(settings, name=settings.escalate_to)


def _untold(candidate: Candidate) -> Attempt:
    proof = Proof(candidate.candidate_id, candidate.patch_sha256)
    return Attempt(candidate=candidate, proof=proof, ast_key=_key(candidate), note="it was not accepted")


def _key(candidate: Candidate) -> str:
    return ast_key([(edit.path, edit.text) for edit in candidate.edits])


class _Session:
    """The questions about one crash to one model.

    Attributes:
        stopped: Whether it ended for a reason that holds for a stronger model as well.
    """

    def __init__(
        self,
        asker: Asker,
        context: RepairContext,
        ran: Sequence[TracedCall],
        budget: Budget,
        settings: ModelSettings,
    ) -> None:
        self._asker = asker
        self._context = context
        self._ran = ran
        self._settings = settings
        self._budget = budget
        self._wanted: list[Place] = []
        self._rounds = 0
        self.stopped = False

    def next_candidate(self, attempts: Sequence[Attempt]) -> Candidate | CannotFix:
        """Asks until there is a candidate, a refusal, or nothing left to ask with."""
        prompt = build_prompt(self._context, attempts, self._ran, self._wanted)
        if not prompt.answerable:
            self.stopped = True
            return self._refuse("no function of the project could be shown to the model as changeable")
        tried = {a.ast_key or _key(a.candidate) for a in attempts}
        messages = list(prompt.messages)
        problem = ""
        unusable = 0
        while unusable <= self._settings.reasks:
            characters = sum(len(m["content"]) for m in messages)
            allowance = self._budget.allowance(characters)
            if allowance.refusal:
                self.stopped = True
                return self._refuse(
                    allowance.refusal + (f"; its last answer was unusable: {problem}" if problem else "")
                )
            started = time.monotonic()
            try:
                said = self._asker.ask(
                    messages,
                    max_tokens=allowance.max_tokens,
                    seconds=self._settings.seconds,
                    model=self._settings.name,
                )
            except ModelError as error:
                self._budget.charge_failure(characters, time.monotonic() - started)
                return self._refuse(str(error))
            # Billed before it is read: a useless answer costs as much as a good one.
            self._budget.charge(said, characters)
            try:
                answer = _read(said)
                if answer.cannot_fix:
                    return self._refuse(f"the model sees no safe fix: {mask_text(answer.cannot_fix)}")
                if answer.wanted:
                    self._look(answer.wanted, prompt)
                    prompt = build_prompt(self._context, attempts, self._ran, self._wanted)
                    messages = list(prompt.messages)
                    continue
                woven = weave(answer, prompt.evidence, prompt.seal, self._context.project)
                _check_new(woven, tried)
            except MalformedAnswerError as error:
                problem = str(error)
                unusable += 1
                messages += _again(said, prompt, problem)
                continue
            return self._candidate(answer, woven, beside=prompt.evidence.is_beside(woven.targets))
        return self._refuse(
            f"the model's answer was unusable {self._settings.reasks + 1} times: {mask_text(problem)}"
        )

    def _look(self, wanted: Sequence[Place], prompt: Prompt) -> None:
        """Notes what the model has to see; raises `MalformedAnswerError` where it cannot be shown, or was."""
        if self._rounds >= shown.MOST_ROUNDS:
            raise MalformedAnswerError("no more code is shown; answer with what you have seen")
        known = prompt.evidence.functions | {(p.path, p.qualname) for p in self._wanted}
        new = [place for place in wanted if (place.path, place.qualname) not in known]
        if not new:
            raise MalformedAnswerError("that code is shown above already; answer with a fix of it")
        if len(self._wanted) + len(new) > shown.MOST_PLACES:
            raise MalformedAnswerError(f"at most {shown.MOST_PLACES} places are shown; ask for the likeliest")
        shown.check(new, self._context.project)
        self._wanted += new
        self._rounds += 1

    def _candidate(self, answer: Answer, woven: Woven, *, beside: bool) -> Candidate:
        notes = [f"written by {self._settings.name}, which claims a confidence of {answer.confidence:.2f}"]
        if woven.adds_imports:
            notes.append("adds imports of " + ", ".join(woven.adds_imports))
        return Candidate(
            proposer="llm",
            rule=self._settings.name,
            reason=mask_text(answer.reason) or "the model gave no reason",
            confidence=min(MAX_CONFIDENCE, answer.confidence),
            edits=woven.edits,
            targets=woven.targets,
            cost=self._budget.settle(),
            notes=tuple(notes),
            adds_imports=woven.adds_imports,
            # An answer that satisfies one assertion may satisfy it alone: tests have to vouch for it, as for a search.
            guess=asserted(self._context.report.raised),
            sweeping=beside,
        )

    def _refuse(self, reason: str) -> CannotFix:
        return CannotFix("llm", reason, cost=self._budget.settle())


def _check_new(woven: Woven, tried: set[str]) -> None:
    if ast_key([(edit.path, edit.text) for edit in woven.edits]) in tried:
        raise MalformedAnswerError("this very fix was tried before and did not work; find another")


def _read(said: ModelAnswer) -> Answer:
    if said.finish_reason == "length":
        raise MalformedAnswerError(
            "the answer was cut off; answer more briefly, with the changed functions only"
        )
    return parse_answer(said.text)


def _again(said: ModelAnswer, prompt: Prompt, problem: str) -> list[dict[str, str]]:
    """What is added to a conversation whose last answer could not be used."""
    return [
        {"role": "assistant", "content": prompt.seal.hide_known(said.text[:MAX_ECHO]) or "(no answer)"},
        {
            "role": "user",
            "content": f"That answer cannot be used: {prompt.seal.hide(problem)}\n"
            "Answer again, completely, in the format that was asked for.",
        },
    ]
