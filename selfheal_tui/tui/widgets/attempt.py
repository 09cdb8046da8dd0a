"""A past attempt, and the success rates of many, as lines of text. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from rich.text import Text

from selfheal_tui.operations.snapshot import AttemptRow, History, Tone
from selfheal_tui.tui.looks import Looks
from selfheal_tui.tui.times import day_and_time

MOST_RATES = 4


def attempt_lines(row: AttemptRow, looks: Looks) -> list[Text]:
    """Returns an attempt: what, why, proof, and the beginning of its diff."""
    lines = [Text(row.error, "bold"), looks.badge(row.standing).append(f"{looks.dot}{row.kind}", looks.quiet)]
    facts = (
        ("when", day_and_time(row.at)),
        ("file", row.file),
        ("by", row.by or "nothing was proposed"),
        ("decided", row.decided_by or "nobody had to"),
        ("took", f"{row.seconds:.1f} s"),
        ("model", _cost(row)),
    )
    lines += [Text(f"{name:<9}", looks.quiet).append(text) for name, text in facts]
    lines.append(Text())
    lines += [Text(line) for line in row.validation] or [Text("nothing was proved", looks.quiet)]
    if row.preview:
        lines += [Text(), Text("the beginning of its diff", looks.quiet)]
        lines += [_diff_line(line, looks) for line in row.preview.splitlines()]
    return lines


def _cost(row: AttemptRow) -> str:
    if not row.tokens:
        return "none was asked"
    money = "price unknown" if row.usd is None else f"${row.usd:.4f}"
    return f"{row.tokens} tokens, {money}"


def _diff_line(line: str, looks: Looks) -> Text:
    if line.startswith("+"):
        return Text(line, looks.style(Tone.GOOD))
    if line.startswith("-"):
        return Text(line, looks.style(Tone.BAD))
    return Text(line, looks.quiet)


def rates(history: History, shown: Sequence[AttemptRow], looks: Looks) -> Text:
    """Returns the success rates of the attempts that are shown, and whether the audit trail is whole."""
    if not history.rows:
        return Text()
    ended = [row for row in shown if row.decided]
    healed = sum(row.success for row in ended)
    share = f"{100 * healed / len(ended):.0f} %" if ended else "–"
    tone = Tone.GOOD if healed else Tone.QUIET
    line = Text(f"{healed} of {len(ended)} healed ({share})", looks.style(tone))
    if len(ended) < len(shown):
        line.append(f"{looks.dot}{len(shown) - len(ended)} applied and watched", looks.quiet)
    by: dict[str, list[bool]] = defaultdict(list)
    for row in ended:
        if row.by:
            by[row.by].append(row.success)
    best = sorted(by.items(), key=lambda item: -len(item[1]))[:MOST_RATES]
    for name, results in best:
        line.append(f"{looks.dot}{name} {sum(results)}/{len(results)}", looks.quiet)
    if history.audit_ok is not None:
        good = history.audit_ok
        line.append(
            f"{looks.dot}audit trail: {history.audit_text}", looks.style(Tone.QUIET if good else Tone.BAD)
        )
    return line
