"""Missing and superfluous `await`, and `async for` or `async with` where the plain one is needed, or the reverse."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.none_source import Spot, none_spot, producer
from selfheal_tui.repair.rules.places import files
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.spans import (
    insert_after,
    insert_before,
    line_bytes,
    needs_parentheses,
    source_of,
    start_of,
    whole,
)
from selfheal_tui.repair.rules.support import (
    CERTAIN,
    PLAUSIBLE,
    STRONG,
    FunctionNode,
    Site,
    candidate,
    edited,
    explained,
    parents,
    site_of,
)
from selfheal_tui.source.calls import CallResolver
from selfheal_tui.source.edits import TextEdit, add_import, apply_edits

NAME = "await"
_ASYNC_MANAGERS = flow.listed(
    "Lock Semaphore BoundedSemaphore Condition TaskGroup Timeout ClientSession AsyncClient Connection Pool"
)


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields the await that is missing, or takes away the one that is too many."""
    site = site_of(context)
    if site is None:
        return
    message = context.error.message.partition("\n")[0]  # in a log, "never awaited" warnings may follow
    if starred := _unstarred(site, message):
        yield from flow.one_file(context, site, NAME, *starred)
        return
    if found := re.search(
        r"object (\w+) can't be used in 'await' expression|'(\w+)' object can't be awaited", message
    ):
        yield from _extra_await(context, site, found[1] or found[2])
    elif re.search(r"'?async for'? requires an object with __aiter__ method, got (\w+)", message):
        yield from _plain_for(context, site, message.rpartition(" ")[2])
    elif "'async_generator' object is not iterable" in message:
        yield from _async_for(context, site)
    elif "asynchronous context manager" in message or message in ("__aenter__", "__aexit__"):
        yield from _plain_with(context, site, message)
    elif "context manager protocol" in message or message in ("__enter__", "__exit__"):
        yield from _async_with(context, site, message)
    elif (
        "cannot be called from a running event loop" in message or "event loop is already running" in message
    ):
        yield from _nested_run(context)
    elif "a coroutine was expected" in message or "a coroutine or an awaitable is required" in message:
        yield from _uncalled(context, site)
    elif "coroutine" in message and "never awaited" not in message:
        findings = list(_missing_await(context))
        yield from findings or _stored_coroutine(context)


def _unstarred(site: Site, message: str) -> tuple[str, float, list[TextEdit]] | None:
    """`gather(tasks)`: it takes awaitables one by one, not a collection of them."""
    if not re.search(r"awaitable is required|bad yield: <coroutine|unhashable type: 'list'", message):
        return None
    lines = range(site.frame.line, (site.frame.end_line or site.frame.line) + 1)
    calls = [
        n
        for n in ast.walk(site.tree)
        if isinstance(n, ast.Call) and flow.calls(n, "gather") and n.args and not n.keywords
        and any(n.lineno <= line <= (n.end_lineno or n.lineno) for line in lines)
    ]  # fmt: skip
    call = flow.only(calls)
    if call is None or len(call.args) != 1:
        return None
    argument = call.args[0]
    if not isinstance(argument, ast.GeneratorExp | ast.ListComp | ast.List | ast.Name):
        return None
    text = source_of(site.text, argument)
    if isinstance(argument, ast.GeneratorExp) and not text.startswith("("):
        text = f"({text})"
    reason = "`gather()` takes awaitables one by one: the collection is unpacked with `*`"
    edit = whole(argument, f"*{text}")
    if isinstance(argument, ast.GeneratorExp) and source_of(site.text, argument).startswith("("):
        inner = source_of(site.text, call.func)  # its own parentheses are those of the call
        edit = whole(call, f"{inner}(*{text})")
    return reason, STRONG, [edit]


def _stored_coroutine(context: RepairContext) -> Iterator[Finding]:
    """The coroutine came through an attribute or a container: the one call that keeps one without awaiting it."""
    kinds: dict[str, set[bool]] = {}
    calls: list[tuple[str, ast.Call, str]] = []
    for path, text, tree in files(context.project):
        if context.project.protected(path):
            continue
        up = parents(tree)
        for node in ast.walk(tree):
            if isinstance(node, FunctionNode):
                kinds.setdefault(node.name, set()).add(isinstance(node, ast.AsyncFunctionDef))
            elif isinstance(node, ast.Call) and isinstance(
                up.get(node), ast.Assign | ast.AnnAssign | ast.Return
            ):
                owner: ast.AST | None = up.get(node)
                while owner is not None and not isinstance(owner, FunctionNode | ast.Lambda):
                    owner = up.get(owner)
                if isinstance(owner, ast.AsyncFunctionDef):
                    calls.append((path, node, source_of(text, node)))
    kept = [
        (path, node, shown)
        for path, node, shown in calls
        if kinds.get(node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", ""))
        == {True}
    ]
    if len(kept) == 1:
        path, call, shown = kept[0]
        reason = f"`{ast.unparse(call.func)}()` is a coroutine function: its result must be awaited"
        found = edited(context, NAME, reason, STRONG, {path: [whole(call, f"await {shown}")]})
        if found is not None:
            yield found


def _missing_await(context: RepairContext) -> Iterator[Finding]:
    spot = none_spot(context, "coroutine")
    origin = producer(context, spot) if spot is not None else None
    if spot is None or origin is None or not isinstance(origin.node, ast.Call):
        return
    call, text = origin.node, source_of(origin.text, origin.node)
    function = origin.function
    reason = f"`{ast.unparse(call.func)}()` is a coroutine function: its result must be awaited"
    if isinstance(function, ast.AsyncFunctionDef):
        holder = parents(origin.tree).get(call)
        bare = isinstance(
            holder, ast.Assign | ast.Return | ast.AnnAssign | ast.Expr | ast.NamedExpr | ast.keyword | ast.For
        )
        bare = bare or (isinstance(holder, ast.Call) and holder.func is not call)
        new = f"await {text}" if bare else f"(await {text})"
        found = edited(
            context,
            NAME,
            reason,
            CERTAIN if _is_async(context, origin, call) else STRONG,
            {origin.path: [whole(call, new)]},
        )
        if found is not None:
            yield found
    elif function is None or not _inside_loop(context):
        changed = apply_edits(origin.text, [whole(call, f"asyncio.run({text})")])
        changed = add_import(changed, "import asyncio")
        note = "`asyncio.run()` starts an event loop of its own for this call."
        yield candidate(
            context, NAME, reason, PLAUSIBLE, {origin.path: changed}, notes=(note,), adds_imports=("asyncio",)
        )
    else:
        yield explained(
            reason, f"`{function.name}` is not `async def`: make it one, and await it where it is called."
        )


def _is_async(context: RepairContext, spot: Spot, call: ast.Call) -> bool:
    found = CallResolver(context.project, spot.path, spot.tree, spot.qualname, spot.types).resolve(call)
    return found is not None and isinstance(found.node, ast.AsyncFunctionDef)


def _inside_loop(context: RepairContext) -> bool:
    """Whether an event loop runs in this thread already: the traceback came through asyncio."""
    return any("/asyncio/" in frame.file for frame in context.error.frames)


def _extra_await(context: RepairContext, site: Site, kind: str) -> Iterator[Finding]:
    nodes = site.nodes(ast.Await)
    node = flow.only(nodes) or (nodes[0] if nodes and site.frame.col is not None else None)
    if node is None:
        return
    text = source_of(site.text, node.value)
    if isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "time.sleep":
        reason = "`time.sleep()` cannot be awaited and blocks the event loop; `asyncio.sleep()` does not"
        yield from flow.one_file(
            context,
            site,
            NAME,
            reason,
            STRONG,
            [whole(node.value.func, "asyncio.sleep")],
            imports=["import asyncio"],
        )
        return
    if kind == "async_generator":
        edit = whole(node, f"[item async for item in {text}]")
        yield from flow.one_file(
            context,
            site,
            NAME,
            f"`{text}` is an async generator: it is iterated, not awaited",
            PLAUSIBLE,
            [edit],
        )
        return
    if kind in ("function", "method") and isinstance(node.value, ast.Name | ast.Attribute):
        yield from flow.one_file(
            context,
            site,
            NAME,
            f"`{text}` is awaited without being called",
            STRONG,
            [insert_after(node.value, "()")],
        )
        return
    reason = f"`{text}` gives {kind}, which cannot be awaited: it is an ordinary call"
    yield from flow.one_file(
        context, site, NAME, reason, STRONG, [TextEdit(start_of(node), start_of(node.value), "")]
    )


def _plain_for(context: RepairContext, site: Site, kind: str) -> Iterator[Finding]:
    for loop in site.nodes(ast.AsyncFor)[:1]:
        if kind == "coroutine":
            yield from flow.one_file(
                context,
                site,
                NAME,
                "the coroutine must be awaited first",
                STRONG,
                [insert_before(loop.iter, "await ")],
            )
        else:
            reason = f"a {kind} is walked over with a plain `for`"
            yield from flow.one_file(context, site, NAME, reason, STRONG, [_drop_async(site, loop)])
        return
    for node in site.nodes(ast.ListComp)[:1]:
        raw = line_bytes(site.text, node.generators[0].target.lineno)
        at = raw.rfind(b"async for", 0, node.generators[0].target.col_offset)
        if at >= 0 and kind != "coroutine":
            line = node.generators[0].target.lineno
            edit = TextEdit((line, at), (line, at + len("async ")), "")
            yield from flow.one_file(
                context, site, NAME, f"a {kind} is walked over with a plain `for`", STRONG, [edit]
            )


def _drop_async(site: Site, node: ast.stmt) -> TextEdit:
    raw = line_bytes(site.text, node.lineno)
    found = re.compile(rb"async\s+").match(raw, node.col_offset)
    return TextEdit(
        (node.lineno, node.col_offset), (node.lineno, found.end() if found else node.col_offset), ""
    )


def _async_for(context: RepairContext, site: Site) -> Iterator[Finding]:
    reason = "an async generator is walked over with `async for`"
    for loop in [
        n for n in ast.walk(site.tree) if isinstance(n, ast.For) and n.iter.lineno == site.frame.line
    ]:
        if isinstance(site.function(loop), ast.AsyncFunctionDef):
            yield from flow.one_file(context, site, NAME, reason, CERTAIN, [insert_before(loop, "async ")])
        return
    for node in [n for n in ast.walk(site.tree) if isinstance(n, ast.ListComp | ast.SetComp | ast.DictComp)]:
        first = node.generators[0]
        if (
            first.iter.lineno == site.frame.line
            and not first.is_async
            and isinstance(site.function(node), ast.AsyncFunctionDef)
        ):
            raw = line_bytes(site.text, first.target.lineno)
            at = raw.rfind(b"for", 0, first.target.col_offset)
            if at >= 0:
                edit = TextEdit((first.target.lineno, at), (first.target.lineno, at), "async ")
                yield from flow.one_file(context, site, NAME, reason, CERTAIN, [edit])
            return
    for call in site.nodes(ast.Call, lambda n: len(n.args) == 1 and isinstance(n.func, ast.Name))[:1]:
        if isinstance(call.func, ast.Name) and isinstance(site.function(call), ast.AsyncFunctionDef):
            listed = f"[item async for item in {source_of(site.text, call.args[0])}]"
            new = listed if call.func.id == "list" else f"{call.func.id}({listed})"
            yield from flow.one_file(context, site, NAME, reason, STRONG, [whole(call, new)])


def _plain_with(context: RepairContext, site: Site, message: str) -> Iterator[Finding]:
    node = flow.only(site.nodes(ast.AsyncWith)) or next(
        (n for n in ast.walk(site.tree) if isinstance(n, ast.AsyncWith) and n.lineno == site.frame.line), None
    )
    if node is None or len(node.items) != 1:
        return
    if "'coroutine'" in message:
        edit = insert_before(node.items[0].context_expr, "await ")
        yield from flow.one_file(
            context,
            site,
            NAME,
            "the context manager comes from a coroutine, which must be awaited",
            STRONG,
            [edit],
        )
        return
    reason = "this context manager is not an asynchronous one: use a plain `with`"
    yield from flow.one_file(context, site, NAME, reason, STRONG, [_drop_async(site, node)])


def _async_with(context: RepairContext, site: Site, message: str) -> Iterator[Finding]:
    node = next(
        (
            n
            for n in ast.walk(site.tree)
            if isinstance(n, ast.With) and n.lineno <= site.frame.line <= n.body[0].lineno
        ),
        None,
    )
    if node is None or not isinstance(site.function(node), ast.AsyncFunctionDef):
        return
    found = re.match(r"'([\w.]+)' object", message)
    kind = found[1].rpartition(".")[2] if found else ""
    if "async with" in message or kind in _ASYNC_MANAGERS or _has_aenter(context, kind):
        reason = f"{kind or 'this'} is an asynchronous context manager: use `async with`"
        yield from flow.one_file(context, site, NAME, reason, STRONG, [insert_before(node, "async ")])


def _has_aenter(context: RepairContext, cls: str) -> bool:
    if cls == "_AsyncGeneratorContextManager":
        return True
    return any(
        isinstance(node, ast.ClassDef)
        and node.name == cls
        and any(isinstance(m, FunctionNode) and m.name == "__aenter__" for m in node.body)
        for _, _, tree in (files(context.project, cls) if cls else ())
        for node in ast.walk(tree)
    )


def _nested_run(context: RepairContext) -> Iterator[Finding]:
    for frame in reversed([f for f in context.error.frames if f.in_app]):
        site = site_of(context, frame)
        if site is None:
            continue
        calls = site.nodes(
            ast.Call,
            lambda n: (flow.calls(n, "run") or flow.calls(n, "run_until_complete")) and len(n.args) == 1,
        )
        call = flow.only(calls)
        if call is None:
            continue
        if isinstance(site.function(call), ast.AsyncFunctionDef):
            text = source_of(site.text, call.args[0])
            holder = parents(site.tree).get(call)
            bare = isinstance(holder, ast.Assign | ast.Return | ast.Expr | ast.AnnAssign)
            new = f"await {text}" if bare and not needs_parentheses(call.args[0]) else f"(await {text})"
            reason = "the event loop runs already here: await the coroutine instead of starting another loop"
            yield from flow.one_file(context, site, NAME, reason, STRONG, [whole(call, new)])
        else:
            yield explained(
                "an event loop is started while another one runs in this thread",
                "Make this function `async def` and await the coroutine, or run it in another thread.",
            )
        return


def _uncalled(context: RepairContext, site: Site) -> Iterator[Finding]:
    """`asyncio.run(main)`: the function itself is passed, not the coroutine that calling it gives."""
    for call in site.nodes(ast.Call, lambda n: bool(n.args))[:2]:
        resolver = CallResolver(context.project, site.path, site.tree, site.frame.qualname)
        edits: list[TextEdit] = []
        for argument in call.args:
            if not isinstance(argument, ast.Name | ast.Attribute):
                continue
            found = resolver.resolve(ast.Call(func=argument, args=[], keywords=[]))
            if found is not None and isinstance(found.node, ast.AsyncFunctionDef):
                edits.append(insert_after(argument, "()"))
        if edits:
            reason = "the coroutine function is passed, but a coroutine is needed: call it"
            yield from flow.one_file(context, site, NAME, reason, CERTAIN, edits)
            return


RULES: tuple[Rule, ...] = (Rule(NAME, ("TypeError", "AttributeError", "RuntimeError", "ValueError"), apply),)
