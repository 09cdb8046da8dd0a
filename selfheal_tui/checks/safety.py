"""The safety rung: what the patched code can do to the world that the original could not.

A delta, not a ban: code that already ran programs may go on running the same ones. Aliases are resolved
(see `aliases`), and the table of capabilities is `capabilities`. Looks at code only; runs nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict

from selfheal_tui.checks import capabilities as table
from selfheal_tui.checks.aliases import Names
from selfheal_tui.checks.base import CheckContext
from selfheal_tui.checks.findings import Finding, conclude
from selfheal_tui.checks.pairs import SourcePair, UnparsableError, python_pairs
from selfheal_tui.checks.recorder import Use
from selfheal_tui.checks.uses import uses_of
from selfheal_tui.model.evidence import RungReport
from selfheal_tui.model.kinds import Verdict
from selfheal_tui.source.text import UnreadableSourceError

_NO_SECOND_LOOK = frozenset({table.EXEC, table.DYNAMIC, table.PROCESS, table.DELETE, table.DESERIALISE})


def safety_findings(pair: SourcePair) -> list[Finding]:
    """Compares what a file can do before and after.

    Args:
        pair: The file.

    Returns:
        A finding for each new capability, and for each known one that is used differently in a way
        that matters.

    Raises:
        RecursionError: Code is nested too deeply to be checked.
    """
    after_names = Names(pair.after_tree)
    before = uses_of(pair.before_tree, Names(pair.before_tree, fallback=after_names))
    after = uses_of(pair.after_tree, after_names)
    findings = _delta(pair.path, before, after)
    known_stars = set(Names(pair.before_tree).stars())
    findings += [
        Finding(Verdict.FAIL, pair.path, 0, f"imports everything of {module}")
        for module in after_names.stars()
        if module in table.POWERFUL_MODULES and module not in known_stars
    ]
    return pair.relevant(findings)


def _delta(path: str, before: list[Use], after: list[Use]) -> list[Finding]:
    same = Counter((u.scope, u.target, u.code) for u in before)
    unmatched = []
    for use in after:
        if same[use.scope, use.target, use.code] > 0:
            same[use.scope, use.target, use.code] -= 1
        else:
            unmatched.append(use)
    known_in_scope = {(u.scope, u.target, u.code) for u in before}
    gone: dict[tuple[str, str], list[Use]] = defaultdict(list)
    moved: Counter[tuple[str, str]] = Counter()
    for use in before:
        if same[use.scope, use.target, use.code] > 0:
            same[use.scope, use.target, use.code] -= 1
            gone[use.scope, use.target].append(use)
            moved[use.target, use.code] += 1
    in_file = {(u.target, u.code) for u in before}
    kinds = {u.capability.kind for u in before}
    findings = []
    for use in unmatched:
        if (use.scope, use.target, use.code) in known_in_scope:
            continue
        if moved[use.target, use.code] > 0:
            moved[use.target, use.code] -= 1
            continue
        partners = gone[use.scope, use.target]
        if partners:
            finding = _altered(path, partners.pop(0), use)
        elif (use.target, use.code) in in_file:
            finding = _finding(
                path, use, Verdict.WARN, f"{use.capability.kind} in one more place: {use.target}"
            )
        else:
            finding = _new(path, use, kinds)
        if finding is not None:
            findings.append(finding)
    return findings + _guessed(path, before, after)


def _finding(path: str, use: Use, verdict: Verdict, message: str) -> Finding:
    where = "" if use.scope == "<module>" else f" in {use.scope}"
    return Finding(verdict, path, use.line, message + where)


def _new(path: str, use: Use, kinds: set[str]) -> Finding:
    verdict = use.capability.verdict
    if use.capability == table.WRITE and table.WRITE.kind not in kinds and not _makes_only(use):
        verdict = Verdict.FAIL
    return _finding(path, use, verdict, f"{use.capability.kind}, which it did not before: {use.target}")


def _makes_only(use: Use) -> bool:
    """Making a directory loses nothing, unlike writing over a file."""
    return use.target in {"os.mkdir", "os.makedirs", ".mkdir()", ".makedirs()", ".touch()"}


def _altered(path: str, old: Use, new: Use) -> Finding | None:
    """Judges a known use whose arguments changed.

    A keyword more (a timeout, say) is no news; other arguments of calls that run, delete or load are.
    """
    if old.positional == new.positional or new.capability not in _NO_SECOND_LOOK:
        if new.capability == table.NETWORK and _new_text(old.positional, new.positional):
            return _finding(path, new, Verdict.WARN, f"asks another address: {new.target}")
        return None
    return _finding(path, new, Verdict.WARN, f"{new.capability.kind} with other arguments: {new.target}")


def _new_text(old: str, new: str) -> bool:
    """Whether arguments hold a string constant that the old ones did not."""
    return any(part not in old for part in new.split("Constant(")[1:] if part[:7] == "value='")


def _guessed(path: str, before: list[Use], after: list[Use]) -> list[Finding]:
    """Names that meant nothing before and now are bound straight to something powerful."""
    guessed = {(u.scope, u.target, u.code) for u in before if u.guessed}
    return [
        _finding(path, use, Verdict.WARN, f"gives an undefined name a powerful meaning: {use.target}")
        for use in after
        if (use.scope, use.target, use.code) in guessed
    ]


class _Safety:
    name = "safety"

    def run(self, context: CheckContext) -> RungReport:
        """Compares capabilities of every edited file."""
        findings: list[Finding] = []
        try:
            for pair in python_pairs(context):
                findings += safety_findings(pair)
        except (UnparsableError, UnreadableSourceError, RecursionError) as error:
            findings.append(Finding(Verdict.FAIL, "", 0, f"cannot be checked: {error}"))
        return conclude(self.name, findings, "nothing new that it can do")


CHECK = _Safety()
