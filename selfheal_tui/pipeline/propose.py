"""Asks the proposers in turn and lets through only what was not tried before.

Order: what is known to work (memory), what can be derived (rules), what can be asked (a model). A model
is asked only when the cheaper ones have run dry.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field

from selfheal_tui.model.candidate import Candidate, CannotFix
from selfheal_tui.model.evidence import Proof
from selfheal_tui.model.incident import Attempt
from selfheal_tui.repair.base import Proposer, RepairContext
from selfheal_tui.source.diff import ast_key

RANK_WEIGHT = 0.2
"""How far a record may shift a candidate's own confidence: from -0.1 to +0.1, so that it breaks ties and
never outweighs evidence about the crash at hand."""

TRIED = "the same fix was tried before"


@dataclass(slots=True)
class Told:
    """What proposers said besides candidates.

    Attributes:
        refusals: Their honest answers.
        skipped: Candidates that were not let through, and why.
    """

    refusals: list[CannotFix] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def candidate_key(candidate: Candidate) -> str:
    """Returns the AST-normalised identity of a fix."""
    return ast_key([(edit.path, edit.text) for edit in candidate.edits])


def candidates(
    proposers: Sequence[Proposer],
    context: RepairContext,
    *,
    barred: Iterable[str],
    record: Callable[[Candidate], float],
    told: Told,
    skip: Callable[[Candidate], bool] = lambda _candidate: False,
    enough: Callable[[], bool] = lambda: False,
) -> Generator[Candidate, Attempt | None, None]:
    """Yields candidates that were not tried before, proposer by proposer.

    Args:
        proposers: In the order in which they are asked.
        context: The crash.
        barred: Keys of fixes that must not be tried (again).
        record: Share of successes of whatever proposed a candidate, 0 to 1.
        told: Collects refusals and skipped candidates.
        skip: Tells which others are not to be tried.
        enough: Whether what was judged so far needs no further proposer.

    Yields:
        Candidates; the caller sends back the attempt that came of each.
    """
    seen = set(barred)
    for proposer in proposers:
        if enough():
            return
        stream = _stream(proposer, context, record)
        answer: Attempt | None = None
        started = False
        while True:
            try:
                item = stream.send(answer) if started else next(stream)
            except StopIteration:
                break
            started = True
            answer = None
            if isinstance(item, CannotFix):
                told.refusals.append(item)
                continue
            key = candidate_key(item)
            if key in seen or skip(item):
                told.skipped.append(f"{item.proposer}/{item.rule}: {TRIED}")
                proof = Proof(item.candidate_id, item.patch_sha256)
                answer = Attempt(candidate=item, proof=proof, ast_key=key, note=TRIED)
                continue
            seen.add(key)
            answer = yield item


def _stream(
    proposer: Proposer, context: RepairContext, record: Callable[[Candidate], float]
) -> Generator[Candidate | CannotFix, Attempt | None, None]:
    if proposer.name == "llm":
        return proposer.propose(context)
    return _ranked(list(proposer.propose(context)), record)


def _ranked(
    items: list[Candidate | CannotFix], record: Callable[[Candidate], float]
) -> Generator[Candidate | CannotFix, Attempt | None, None]:
    def weight(item: Candidate | CannotFix) -> float:
        if isinstance(item, CannotFix):
            return 2.0
        return item.confidence + (record(item) - 0.5) * RANK_WEIGHT

    for item in sorted(items, key=weight, reverse=True):  # noqa: UP028 - a list takes no `send`
        yield item
