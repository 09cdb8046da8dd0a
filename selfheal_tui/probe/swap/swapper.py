"""The swap itself: plan all files, apply all or nothing, say what happened.

Reads the changed files from the disk and nowhere else. Never raises; one swap at a time. Standard library only,
CPython 3.9+.
"""

from __future__ import annotations

import gc
import linecache
import os
import sys
import threading
import time
from typing import Mapping, Optional, Sequence

from .journal import Journal
from .live import LiveFile, all_objects_visible, find_live, running_code
from .outcome import NotSwappableError, SwapOutcome
from .plan import FilePlan, plan_functions
from .sources import (
    Version,
    drop_contradicting_bytecode,
    earlier_version,
    is_below,
    read_source,
    replace_remembered,
)
from .statements import find_dirty, plan_space, unknown_constants

LOCK_SECONDS = 30.0
QUIET_SECONDS = 0.05
_lock = threading.Lock()


def _fresh_lock() -> None:
    global _lock  # noqa: PLW0603 - another thread of the parent may hold it, and does not exist in the child
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_fresh_lock)


class _RefusedError(Exception):
    """The whole swap cannot be done; the message says why."""


def swap_files(paths: Sequence[str], *, root: str, before: Optional[Mapping[str, str]] = None) -> SwapOutcome:
    """Brings the functions, classes and constants of changed files into the living program.

    Everything that refers to them follows: instances, `from m import f`, bound methods, wrappers, callbacks, caches.
    Either all files are taken over or nothing is: then `error` or `restart_needed` says why.

    Args:
        paths: The changed files. Files that the program has not loaded need nothing.
        root: The project's root; a path outside is an error.
        before: The text that each file had before the change, if the caller knows it. It is compared only, and
            believed only when it corresponds to the code that is alive.

    Returns:
        What was done.
    """
    started = time.perf_counter()
    outcome = SwapOutcome()
    lock = _lock
    if not lock.acquire(timeout=LOCK_SECONDS):
        outcome.error = "another swap is still under way"
        return outcome
    try:
        _swap(paths, os.path.realpath(root), before or {}, outcome)
    except _RefusedError as error:
        outcome.error = str(error)
    except Exception as error:
        outcome.error = f"the swap failed before it changed anything: {type(error).__name__}: {error}"
    finally:
        lock.release()
    if not outcome.ok:
        outcome.swapped = []
    outcome.seconds = time.perf_counter() - started
    return outcome


def _swap(paths: Sequence[str], root: str, before: Mapping[str, str], outcome: SwapOutcome) -> None:
    wanted = list(dict.fromkeys(os.path.realpath(path) for path in paths))
    for path in wanted:
        if not is_below(path, root):
            raise _RefusedError(f"{path} is outside of the project {root}")
    collecting = gc.isenabled()
    gc.disable()  # a collection in the middle would run finalizers of the program between two steps
    try:
        with all_objects_visible():
            alive = find_live([path for path in wanted if path.endswith((".py", ".pyw"))])
            plans = [_plan(live, before, root) for live in alive.values() if live.loaded]
            plans.sort(key=lambda plan: _depth(plan, plans))
            for plan in plans:
                outcome.restart_needed += plan.refusals
                outcome.notes += plan.notes
                outcome.swapped += plan.swapped
            if outcome.restart_needed or not plans:
                return
            codes = {code: what for plan in plans for code, what in plan.changed_codes.items()}
            _apply(plans, outcome)
    finally:
        if collecting:
            gc.enable()
    if outcome.ok:
        running = running_code(set(codes))
        outcome.notes += [
            (codes[one], f"still running old code until it returns: {at}") for one, at in running.items()
        ]
        _tidy(plans)


def _plan(live: LiveFile, before: Mapping[str, str], root: str) -> FilePlan:
    try:
        now = Version(read_source(live.path), live.filename)
    except FileNotFoundError:
        raise _RefusedError(f"{live.path} is loaded but no longer there") from None
    except (OSError, ValueError, RecursionError) as error:
        raise _RefusedError(f"{live.path} cannot be read: {error}") from error
    except SyntaxError as error:
        raise _RefusedError(f"{live.path}, line {error.lineno}: {error.msg}") from error
    plan = FilePlan(live, now, earlier_version(live, now.data, before))
    for name in live.compiled:
        plan.refuse(name, "the module is compiled to machine code")
    for space in live.spaces:
        if getattr(space.names.get("__spec__"), "_initializing", False):
            plan.refuse(space.name, "the module is just being imported")
    find_dirty(plan)
    plan_functions(plan)
    for space in live.spaces:
        plan_space(plan, space, root)
        if plan.before is None:
            differing = unknown_constants(plan, space)
            remark = "the text the program was started from is unknown: only functions and new names were taken over"
            if differing:
                remark += f"; not changed: {', '.join(differing)}"
            plan.note(space.name, remark)
    return plan


def _depth(plan: FilePlan, plans: Sequence[FilePlan]) -> int:
    """How many of the other changed files this one imports: those come first."""
    mine = set(plan.imports.values())
    text = plan.now.data
    return sum(
        any(
            name in mine or any(one.startswith(name + ".") for one in mine) or name.encode() in text
            for name in names
        )
        for names in (
            [space.name.rpartition(".")[2] for space in other.live.spaces]
            for other in plans
            if other is not plan
        )
    )


def _apply(plans: Sequence[FilePlan], outcome: SwapOutcome) -> None:
    journal = Journal()
    interval = sys.getswitchinterval()
    try:
        steps = sorted(
            ((phase, step) for plan in plans for phase, step in plan.steps), key=lambda one: one[0]
        )
        for phase, step in steps:
            if phase and sys.getswitchinterval() == interval:
                # From here on existing things change: other threads should see all of it or nothing.
                # A thread that starts to wait now waits so long even afterwards: hence not longer.
                sys.setswitchinterval(max(interval, QUIET_SECONDS))
            step(journal)
    except BaseException as error:
        problems = journal.roll_back()
        if isinstance(error, NotSwappableError):
            outcome.restart_needed.append((error.what, error.why))
        else:
            outcome.error = f"{type(error).__name__}: {error}; the program was put back as it was"
        if problems:
            outcome.error = (
                f"{outcome.error or error}; NOT everything could be put back: {'; '.join(problems)}"
            )
        if not isinstance(error, Exception):
            raise
    finally:
        sys.setswitchinterval(interval)


def _tidy(plans: Sequence[FilePlan]) -> None:
    """What is not part of the program: stale results, stale bytecode, stale lines for tracebacks."""
    for plan in plans:
        if plan.swapped:
            for cache in plan.live.caches:
                cache.cache_clear()
        drop_contradicting_bytecode(plan.live.path, plan.now)
        linecache.checkcache(plan.live.filename)
    replace_remembered({plan.live.path: plan.now.data for plan in plans})
