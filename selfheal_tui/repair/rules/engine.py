"""Runs the rules that fit an exception and hands their fixes on, best first.

The engine trusts no rule: what does not parse, touches a protected file, changes nothing or was
tried before never leaves it, and a rule that raises is reported by name while the others go on.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace

from selfheal_tui.model.candidate import Candidate, CannotFix
from selfheal_tui.model.crash import ExceptionInfo
from selfheal_tui.model.incident import Attempt
from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules.registry import all_rules
from selfheal_tui.repair.rules.rule import Rule
from selfheal_tui.source.diff import ast_key
from selfheal_tui.source.text import UnreadableSourceError

PROPOSER = "rules"
MAX_CHAIN = 6
"""How many exceptions of one chain are looked at."""


def exception_names(error: ExceptionInfo) -> frozenset[str]:
    """Returns the bare names of an exception's type and all its bases.

    A traceback text carries no bases; for built-in exceptions they are known all the same.
    """
    names = {error.bare_type, *(name.rpartition(".")[2] for name in error.mro)}
    known = getattr(builtins, error.type.removeprefix("builtins."), None)
    if isinstance(known, type) and issubclass(known, BaseException):
        names.update(base.__name__ for base in known.__mro__ if base is not object)
    return frozenset(names)


def asserted(error: ExceptionInfo) -> bool:
    """Whether an exception is a failed assertion: an answer was wrong, rather than something impossible."""
    return "AssertionError" in exception_names(error)


class RuleProposer:
    """The offline proposer.

    Args:
        rules: Rules to run; by default all that are registered.
    """

    def __init__(self, rules: Sequence[Rule] | None = None) -> None:
        self._rules = rules

    @property
    def name(self) -> str:
        """Always `rules`."""
        return PROPOSER

    def propose(self, context: RepairContext) -> Generator[Candidate | CannotFix, Attempt | None, None]:
        """Yields every distinct fix, most confident first, then what was found but cannot be fixed.

        Args:
            context: The crash and the project.

        Yields:
            Candidates in order of confidence, then explanations and failures of rules. Never nothing.
        """
        rules = all_rules() if self._rules is None else self._rules
        candidates: list[Candidate] = []
        refusals: list[CannotFix] = []
        seen = {attempt.ast_key or _key(attempt.candidate) for attempt in context.attempts}
        for view in _views(context):
            wanted = exception_names(view.error)
            for rule in rules:
                if wanted.intersection(rule.exceptions):
                    found, refused = _run(rule, view)
                    refusals.extend(refused)
                    candidates.extend(found)
        candidates.sort(key=lambda candidate: -candidate.confidence)  # stable: the registry breaks ties
        offered = 0
        for candidate in candidates:
            key = _key(candidate)
            if key in seen:
                continue
            seen.add(key)
            offered += 1
            yield candidate
        yield from dict.fromkeys(refusals)
        if not offered and not refusals:
            tried = " that was not tried before" if context.attempts else ""
            yield CannotFix(PROPOSER, f"no offline rule has a fix for this {context.error.bare_type}{tried}")


def _views(context: RepairContext) -> Iterator[RepairContext]:
    """The context itself, then one for each other exception of the chain with a frame of the project.

    The deepest cause is the likeliest culprit, but an `except` block that crashes by itself is the
    later one.
    """
    yield context
    for info in context.report.chain[:MAX_CHAIN]:
        if info is not context.error and any(frame.in_app for frame in info.frames):
            yield replace(context, report=context.report.with_chain((info,)))


def _run(rule: Rule, context: RepairContext) -> tuple[list[Candidate], list[CannotFix]]:
    found: list[Candidate] = []
    refused: list[CannotFix] = []
    try:
        for finding in rule.apply(context):
            if isinstance(finding, CannotFix):
                refused.append(finding)
                continue
            problem = _problem(finding, context)
            if problem:
                refused.append(CannotFix(PROPOSER, f"{rule.name}: {problem}", finding.reason))
            else:
                found.append(finding)
    except RecursionError as error:
        refused.append(
            CannotFix(PROPOSER, f"rule {rule.name} gave up: {error}; the source is nested too deeply")
        )
    except Exception as error:  # noqa: BLE001 - a bug of one rule is reported and must not cost the others
        refused.append(CannotFix(PROPOSER, f"rule {rule.name} failed: {type(error).__name__}: {error}"))
    return found, refused


def _problem(candidate: Candidate, context: RepairContext) -> str:
    """Says why a candidate may not be offered, or returns an empty text."""
    changes = 0
    for edit in candidate.edits:
        reason = context.project.protected(edit.path)
        if reason:
            return f"the fix would change {edit.path}, which no fix may touch: {reason}"
        try:
            ast.parse(edit.text)
            edit.after_bytes()
        except (SyntaxError, ValueError) as error:
            return f"the fix for {edit.path} is not valid Python: {error}"
        try:
            changes += context.project.read(edit.path).text != edit.text
        except (OSError, UnreadableSourceError):
            changes += 1
    return "" if changes else "the fix would change nothing"


def _key(candidate: Candidate) -> str:
    return ast_key([(edit.path, edit.text) for edit in candidate.edits])
