"""`selfheal insights`: what became of all incidents, and what was learned, in numbers."""

from __future__ import annotations

import time

import click

from selfheal_tui.commands.common import Options, emit, emit_json, opened, project_options


@click.command("insights")
@click.option(
    "--days", type=click.IntRange(0), default=30, show_default=True, help="Days to tell of; 0 for all."
)
@project_options
def insights_command(*, options: Options, days: int) -> None:
    """Count incidents a day, outcomes, time to heal, success by rule and model, and money.

    With --json everything is given, whatever --days says.
    """
    from selfheal_tui.operations.histories import HistoryReader
    from selfheal_tui.operations.insights import Ledger, insights_of

    with opened(options) as project:
        store = project.engine.store
        ledger = Ledger()
        ledger.read(store.trail)
        found = insights_of(
            [store.incidents.gist(head)[1].first_seen for head in store.incidents.heads()],
            HistoryReader().rows(store.attempts),
            learned=store.learning.all(),
            proven=store.learning.proven(),
            ledger=ledger,
            now=time.time(),
        )
    if options.as_json:
        emit_json(found)
        return
    width = max(len(name) for name in found.totals)
    for name, text in found.totals.items():
        emit(f"{name:<{width}}  {text}")
    for series in (found.outcomes, found.by_rule, found.by_rule_counts):
        if series.labels:
            emit(f"\n{series.name} ({series.unit})")
        for label, value in zip(series.labels, series.values, strict=True):
            emit(f"  {label:<40} {value:g}")
    for series in (found.per_day, found.time_to_heal, found.money):
        points = list(zip(series.labels, series.values, strict=True))[-days if days else 0 :]
        if any(value for _, value in points):
            emit(f"\n{series.name} ({series.unit})")
        for label, value in points:
            if value:
                emit(f"  {label}  {value:g}")
    if found.learned:
        emit("\nlearned")
    for sentence in found.learned:
        emit(f"  {sentence}")
