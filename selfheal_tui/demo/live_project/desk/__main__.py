"""Runs the agent until all tasks are done, however often one has to be tried."""

import argparse
import asyncio
import concurrent.futures
import contextlib
import logging
import sys
import time

from desk.state import DeskState
from desk.tasks import KINDS, Desk

log = logging.getLogger("desk")


async def worker(name, queue, desk, state, pool, deadline):
    loop = asyncio.get_running_loop()
    while True:
        number, tries = await queue.get()
        kind = KINDS[number % len(KINDS)]
        state.attempt()
        try:
            if kind == "review":
                result = await desk.work_async(kind, number)
            else:
                result = await loop.run_in_executor(pool, desk.work, kind, number)
        except Exception:
            log.exception("%s: task %d (%s) failed, try %d", name, number, kind, tries)
            if time.monotonic() > deadline:
                log.error("giving up on task %d", number)
            else:
                await asyncio.sleep(min(0.2 * tries, 2.0))
                queue.put_nowait((number, tries + 1))
        else:
            state.complete(number, result)
            await asyncio.sleep(0.02)
        finally:
            queue.task_done()


async def run(tasks, journal, seconds):
    desk, state = Desk(), DeskState(journal)
    queue = asyncio.Queue()
    for number in range(tasks):
        queue.put_nowait((number, 1))
    deadline = time.monotonic() + seconds
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        workers = [
            asyncio.create_task(worker(f"worker-{n}", queue, desk, state, pool, deadline)) for n in range(3)
        ]
        await queue.join()
        for each in workers:
            each.cancel()
    return state


def main():
    parser = argparse.ArgumentParser(description="Run the desk.")
    parser.add_argument("--tasks", type=int, default=60)
    parser.add_argument("--journal", help="file that gets a line per finished task")
    parser.add_argument("--seconds", type=float, default=120.0, help="when to give up on failing tasks")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    with contextlib.ExitStack() as stack:
        journal = stack.enter_context(open(options.journal, "a")) if options.journal else None
        state = asyncio.run(run(options.tasks, journal, options.seconds))
    print(f"desk: completed {state.completed} of {options.tasks} tasks in {state.attempts} attempts", flush=True)
    return 0 if state.completed == options.tasks else 1


if __name__ == "__main__":
    sys.exit(main())
