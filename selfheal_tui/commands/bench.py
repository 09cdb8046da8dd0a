"""`selfheal bench`: how many faults of a directory of cases are healed, how many wrongly, at what cost."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from selfheal_tui.commands import exits
from selfheal_tui.commands.common import Options, emit_json, fail, project_options, say

if TYPE_CHECKING:
    from selfheal_tui.supervisor.bench.result import CaseResult, Record, With
    from selfheal_tui.supervisor.bench.tally import Tally

WIDTH = 132
"""Columns of the table; on narrower terminals its lines are broken rather than its numbers."""


@click.command("bench")
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--with",
    "modes",
    type=click.Choice(["rules", "model", "both"]),
    multiple=True,
    default=("rules",),
    show_default=True,
    help="Who is asked for fixes: everything offline, the configured model alone, or both in turn; repeatable.",
)
@click.option("--jobs", type=click.IntRange(1, 64), default=1, show_default=True, help="Cases at once.")
@click.option("--only", multiple=True, metavar="PATTERN", help="Ids, kinds, splits or origins; repeatable.")
@click.option(
    "--hide-tests", is_flag=True, help="Take the tests away from the healer; they score all the same."
)
@click.option(
    "--seconds",
    type=click.FloatRange(1),
    default=300.0,
    show_default=True,
    help="Time limit of healing a case.",
)
@click.option(
    "--python", default="", metavar="PATH", help="Python of all cases, in place of their environments."
)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Keep the results in this JSON file."
)
@click.option("--resume", is_flag=True, help="Go on with --out: skip what has a result there.")
@click.option(
    "--plot", type=click.Path(dir_okay=False, path_type=Path), help="Draw the results into this SVG file."
)
@project_options
def bench_command(
    *,
    options: Options,
    directory: Path,
    modes: tuple[str, ...],
    jobs: int,
    only: tuple[str, ...],
    hide_tests: bool,
    seconds: float,
    python: str,
    out: Path | None,
    resume: bool,
    plot: Path | None,
) -> None:
    """Measure repair on the cases in DIRECTORY.

    Each case is healed in a fresh copy, by `selfheal run` in the environment `local`, without anybody to ask. The
    sources that it changed are carried into another fresh copy, where the case's own repro and tests decide:
    healed, plausible (the repro passes, a test fails), unhealed, broke-it, or no-change. False fixes are all
    changes that were applied and are not healed. Cases need environments (see their README), found in
    $BENCH_ENVS; only run cases that you trust as much as any other program.

    Exit code 0 when every case could be scored, 1 when one could not.
    """
    from selfheal_tui.supervisor.bench.cases import BenchError

    if resume and out is None:
        raise click.UsageError("--resume needs --out, the file to go on with")
    try:
        record = _run(options, directory, modes, jobs, only, hide_tests, seconds, python, out, resume=resume)
    except BenchError as error:
        fail(str(error), exits.BAD_INPUT)
    _report(options, record, plot)
    if any(result.score in ("error", "bad-case") for result in record.results):
        raise click.exceptions.Exit(exits.NOT_HEALED)


def _run(
    options: Options,
    directory: Path,
    modes: Sequence[str],
    jobs: int,
    only: Sequence[str],
    hide_tests: bool,
    seconds: float,
    python: str,
    out: Path | None,
    *,
    resume: bool,
) -> Record:
    from dataclasses import replace
    from importlib.metadata import version

    from selfheal_tui.config import load_settings
    from selfheal_tui.supervisor.bench.cases import BenchError, Case, find_cases, harness_of, interpreter_of
    from selfheal_tui.supervisor.bench.healing import Healer
    from selfheal_tui.supervisor.bench.processes import Processes
    from selfheal_tui.supervisor.bench.result import FORMAT, Record, With, earlier_results, write_record
    from selfheal_tui.supervisor.bench.running import run_cases
    from selfheal_tui.supervisor.bench.scoring import Bench

    loaded = load_settings(options.root, environ=os.environ, flags=options.flags, env_file=options.env_file)
    model = loaded.settings.model
    asked = [With(mode) for mode in dict.fromkeys(modes)]
    if not model.name and asked != [With.RULES]:
        raise BenchError("no model is configured; set model.name, or run --with rules")
    cases = find_cases(directory, only)
    pythons = {case.case_id: interpreter_of(case, os.environ, python) for case in cases}
    harness = harness_of(directory)

    def make(case: Case, mode: With, processes: Processes) -> Bench:
        healer = Healer(mode, model, os.environ, seconds)
        return Bench(case, pythons[case.case_id], harness, healer, processes, hide_tests)

    name = model.name if asked != [With.RULES] else ""
    record = Record(FORMAT, version("selfheal-tui"), name, hide_tests, ())
    done = earlier_results(out, record) if resume and out is not None else ()
    record = replace(record, results=done)
    total = len(cases) * len(asked)
    for result in run_cases(cases, asked, make, jobs=jobs, done=done):
        record = replace(record, results=(*record.results, result))
        if out is not None:
            write_record(out, record)
        if not options.as_json:
            _tell(len(record.results), total, result)
    wanted = {(case.case_id, mode) for case in cases for mode in asked}
    order = sorted(record.results, key=lambda r: (r.mode, r.case_id))
    return replace(record, results=tuple(r for r in order if (r.case_id, r.mode) in wanted))


def _tell(number: int, total: int, result: CaseResult) -> None:
    by = ", ".join(result.rules)
    note = result.note or by
    say(
        f"{number:>4}/{total} {result.case_id:<36} {result.mode.value:<5} {result.score.value:<10} "
        f"{result.seconds:6.1f} s  {note}".rstrip()
    )


def _report(options: Options, record: Record, plot: Path | None) -> None:
    from selfheal_tui.supervisor.bench.chart import chart
    from selfheal_tui.supervisor.bench.tally import tallies

    sums = tallies(record.results)
    if plot is not None:
        hidden = ", tests hidden" if record.hide_tests else ""
        plot.write_text(
            chart(sums, f"selfheal {record.version}: repair by kind of fault{hidden}"), encoding="utf-8"
        )
    if options.as_json:
        emit_json({"record": record, "tallies": sums})
        return
    _table(sums)


def _table(sums: Sequence[Tally]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Repair", box=None, pad_edge=False)
    table.add_column("cases of", no_wrap=True)
    for title in (
        "with",
        "cases",
        "healed",
        "95 %",
        "false",
        "no change",
        "tries",
        "tokens",
        "US $",
        "median s",
        "p95 s",
        "lines",
    ):
        table.add_column(title, justify="left" if title == "with" else "right", no_wrap=True)
    for item in sums:
        name = {"all": "all", "split": f"split {item.name}"}.get(item.group, f"  {item.name}")
        table.add_row(
            name,
            item.mode.value,
            str(item.cases),
            f"{item.scores.get('healed', 0)} ({item.repair_rate:.0%})",
            f"{item.repair_low:.0%}–{item.repair_high:.0%}",
            f"{item.false_fix_rate:.1%}",
            str(item.scores.get("no-change", 0)),
            f"{item.attempts:.1f}",
            str(item.tokens),
            "unknown" if item.usd is None else f"{item.usd:.2f}",
            f"{item.seconds_median:.1f}",
            f"{item.seconds_p95:.1f}",
            "–" if item.diff_median is None else f"{item.diff_median:g}",
            end_section=item.group == "all",
        )
    console = Console()
    Console(width=max(WIDTH, console.width)).print(table)
