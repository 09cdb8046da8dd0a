"""Runs many cases, a few at once, and hands each result on as soon as it is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from selfheal_tui.supervisor.bench.cases import Case
from selfheal_tui.supervisor.bench.processes import Processes
from selfheal_tui.supervisor.bench.result import CaseResult, With
from selfheal_tui.supervisor.bench.scoring import Bench

MakeBench = Callable[[Case, With, Processes], Bench]


def run_cases(
    cases: Sequence[Case],
    modes: Sequence[With],
    make: MakeBench,
    *,
    jobs: int,
    done: Sequence[CaseResult] = (),
) -> Iterator[CaseResult]:
    """Scores every case in every mode that is not done yet.

    Args:
        cases: The cases.
        modes: Who is asked, one after the other.
        make: Makes the bench of a case.
        jobs: Cases at once.
        done: Results that are there already.

    Yields:
        Results as they come; closing the generator ends what still runs.
    """
    have = {(result.case_id, result.mode) for result in done}
    todo = [(case, mode) for mode in modes for case in cases if (case.case_id, mode) not in have]
    processes = Processes()
    with ThreadPoolExecutor(jobs, thread_name_prefix="bench") as pool:
        waiting: set[Future[CaseResult]] = set()
        try:
            for case, mode in todo:
                waiting.add(pool.submit(make(case, mode, processes).score))
            while waiting:
                finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield future.result()
        finally:
            for future in waiting:
                future.cancel()
            processes.end()
