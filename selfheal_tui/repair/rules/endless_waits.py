"""Waits without end: a lock taken twice by one thread, a queue whose items are never reported as done; and what else hangs.

Yields the reentrant lock, or the missing `task_done()`; otherwise says in words what the stack shows.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.endless import (
    after_line,
    exit_tests,
    indent_text,
    own_frames,
    place,
    read_places,
    stored_places,
    stuck_loops,
)
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.spans import rename_attribute, source_of, whole
from selfheal_tui.repair.rules.support import PLAUSIBLE, STRONG, Site, explained, site_of

LOCK = "lock-reentry"
QUEUE = "queue-done"
ENDLESS = "endless"
_RETRIES = frozenset({"sleep", "retry", "connect", "request", "fetch"})


def locks(context: RepairContext) -> Iterator[Finding]:
    """Yields a reentrant lock where the thread that waits for it holds it."""
    if not context.report.stuck:
        return
    held: dict[str, int] = {}
    for frame in context.error.interrupted_frames or context.error.frames:
        if not frame.in_app or frame.path is None:
            continue
        site = site_of(context, frame)
        if site is None:
            continue
        for name in _locks_at(site):
            key = f"{frame.path}:{name}"
            if key in held:
                yield from _reentrant(context, site, name)
                return
            held[key] = frame.line


def _locks_at(site: Site) -> list[str]:
    """What the `with` statements around a frame's line hold or wait for."""
    line = site.frame.line
    return [
        place(item.context_expr)
        for node in ast.walk(site.tree)
        if isinstance(node, ast.With) and node.lineno <= line <= (node.end_lineno or line)
        for item in node.items
        if place(item.context_expr)
    ]


def _reentrant(context: RepairContext, site: Site, name: str) -> Iterator[Finding]:
    made = [
        node.value
        for node in ast.walk(site.tree)
        if isinstance(node, ast.Assign)
        and any(place(t) == name for t in node.targets)
        and isinstance(node.value, ast.Call)
        and flow.calls(node.value, "Lock")
    ]
    reason = f"the thread waits for `{name}`, which it holds itself further out"
    for call in made[:1]:
        if isinstance(call.func, ast.Attribute):
            yield from flow.one_file(
                context, site, LOCK, reason, STRONG + 0.1, [rename_attribute(call.func, "RLock")]
            )
            return
        if isinstance(call.func, ast.Name):
            imports = ["from threading import RLock"]
            yield from flow.one_file(
                context, site, LOCK, reason, STRONG + 0.1, [whole(call.func, "RLock")], imports=imports
            )
            return
    yield explained(reason, "Use threading.RLock, or do not take it again.")


def queues(context: RepairContext) -> Iterator[Finding]:
    """Yields `task_done()` in the loop that takes from a queue somebody joins."""
    if not context.report.stuck or not any(
        f.file.endswith("queue.py") and f.function == "join" for f in context.error.frames
    ):
        return
    for frame in own_frames(context):
        site = site_of(context, frame)
        if site is None or "task_done" in site.text:
            continue
        for loop in ast.walk(site.tree):
            if not isinstance(loop, ast.While | ast.For):
                continue
            gets = [
                n for n in ast.walk(loop) if isinstance(n, ast.Call) and flow.calls(n, "get") and not n.args
            ]
            last = loop.body[-1]
            indent = indent_text(site, last)
            if len(gets) == 1 and isinstance(gets[0].func, ast.Attribute) and indent is not None:
                queue = source_of(site.text, gets[0].func.value)
                reason = f"`{queue}` is never told that an item is done, so its `join()` waits on"
                edit = after_line(site, last, f"{indent}{queue}.task_done()")
                yield from flow.one_file(context, site, QUEUE, reason, PLAUSIBLE + 0.1, [edit])
                return


def explain(context: RepairContext) -> Iterator[Finding]:
    """Says what the stack of a hang shows."""
    if not context.report.stuck:
        return
    frames = context.error.interrupted_frames or context.error.frames
    innermost = frames[-1] if frames else None
    if innermost is not None and innermost.file.endswith(("/re.py", "/re/__init__.py")):
        yield explained(
            "a regular expression does not come to its end",
            "Nested repeats such as `(a+)+` try every way to split the text; make them exclude one another.",
        )
    elif innermost is not None and innermost.file.endswith(("/threading.py", "/queue.py")):
        yield explained(
            f"the program waits in `{innermost.function}` for somebody who does not come",
            "Give the wait a limit, and look at what the thread that should end it is doing.",
        )
    for stuck in stuck_loops(context):
        yield explained(
            _about(stuck.site, stuck.loop), "What ends the loop is not evident; it is not simply broken off."
        )
        return
    yield explained(
        "the program was interrupted before it came to its end, and no loop of the project is on its stack",
        "It may only be slow. Raising the limit is a decision that no rule takes.",
    )


def _about(site: Site, loop: ast.While | ast.For | ast.AsyncFor) -> str:
    tests = exit_tests(loop)
    where = f"the loop in line {loop.lineno} of {site.path}"
    if isinstance(loop, ast.While) and not tests:
        calls = {place(n.func).rpartition(".")[2] for n in ast.walk(loop) if isinstance(n, ast.Call)}
        if calls & _RETRIES:
            return f"{where} tries again without end: nothing counts its tries"
        return f"{where} has no condition and is never left"
    watched = set().union(*(read_places(t) for t in tests)) if tests else set()
    stored = set().union(*(stored_places(s) for s in loop.body))
    if watched and not watched & stored:
        return f"{where} ends when {' or '.join(f'`{n}`' for n in sorted(watched))} changes, and nothing in it does that"
    return f"{where} does not come to its end"


RULES: tuple[Rule, ...] = (
    Rule(LOCK, ("BaseException",), locks),
    Rule(QUEUE, ("BaseException",), queues),
    Rule(ENDLESS, ("BaseException",), explain),
)
