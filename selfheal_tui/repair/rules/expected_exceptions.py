"""A test that waits for one exception and gets another: the raise, or the statement, that has to speak the other type.

Only where the traceback passes through `with raises(Expected):` of a test. What the interface promises is then written
down; the code says it where it raises by itself, or where it can turn what came from below into it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.none_guards import is_repeatable
from selfheal_tui.repair.rules.none_source import none_spot
from selfheal_tui.repair.rules.places import resolve, top_level
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.scopes import visible
from selfheal_tui.repair.rules.spans import source_of, start_of, whole
from selfheal_tui.repair.rules.support import STRONG, Site, edited, parse, read, site_of
from selfheal_tui.source.edits import TextEdit
from selfheal_tui.source.position import first_line
from selfheal_tui.source.text import dominant_newline, split_lines

NAME = "expected-exception"
_RAISES = frozenset({"raises", "assertRaises", "assertRaisesRegex", "assertRaisesRegexp"})
_TURNED = 0.66
_REFUSED = 0.74
"""A value that is refused by name says more than a failure that is told as another."""


def expected(context: RepairContext) -> str:
    """Name of the exception that the innermost test frame waits for, as the test writes it; empty when none."""
    for frame in reversed(context.error.frames):
        if frame.path is None or not context.project.protected(frame.path):
            continue
        source = read(context.project, frame.path)
        tree = parse(source.text) if source else None
        for node in ast.walk(tree) if tree is not None else ():
            if not isinstance(node, ast.With | ast.AsyncWith) or not node.lineno <= frame.line <= (
                node.end_lineno or 0
            ):
                continue
            for item in node.items:
                call = item.context_expr
                name = ast.unparse(call.func).rpartition(".")[2] if isinstance(call, ast.Call) else ""
                if (
                    isinstance(call, ast.Call)
                    and name in _RAISES
                    and call.args
                    and isinstance(call.args[0], ast.Name | ast.Attribute)
                ):
                    return ast.unparse(call.args[0]).rpartition(".")[2]
        for node in ast.walk(tree) if tree is not None else ():
            if (
                isinstance(node, ast.Call)
                and node.lineno <= frame.line <= (node.end_lineno or 0)
                and len(node.args) > 1
            ):
                name = ast.unparse(node.func).rpartition(".")[2]
                if name in _RAISES and isinstance(node.args[0], ast.Name | ast.Attribute):
                    return ast.unparse(node.args[0]).rpartition(".")[2]
    return ""


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields the raise of the expected type, at each frame of the project that knows the type."""
    wanted = expected(context)
    if not wanted or wanted == context.error.bare_type or wanted in ("Exception", "BaseException"):
        return
    known = {name.rpartition(".")[2] for name in context.error.mro}
    if wanted in known:
        return
    frames = [
        f for f in context.error.frames if f.in_app and f.path and not context.project.protected(f.path)
    ]
    for depth, frame in enumerate(reversed(frames[-3:])):
        site = site_of(context, frame)
        if site is None:
            continue
        statement = _statement(site)
        if statement is None:
            continue
        spelled = _spelled(context, site, statement, wanted)
        if not spelled:
            continue
        if isinstance(statement, ast.Raise):
            yield from _raised(context, site, statement, spelled)
        else:
            if not depth:
                yield from _refused(context, site, statement, spelled)
            yield from _turned(context, site, statement, spelled, _TURNED - 0.11 * depth)
        return


def _statement(site: Site) -> ast.stmt | None:
    line = site.frame.line
    hits = [
        n
        for n in ast.walk(site.tree)
        if isinstance(n, ast.stmt) and n.lineno <= line <= (n.end_lineno or n.lineno)
    ]
    return min(hits, key=lambda n: (n.end_lineno or n.lineno) - n.lineno, default=None)


def _spelled(context: RepairContext, site: Site, node: ast.AST, wanted: str) -> str:
    """How the type is written in that file, if it can be seen there (through a module that is imported, too)."""
    names = visible(site.tree, node)
    if wanted in names:
        return wanted
    for name, statement in top_level(site.tree).items():
        if isinstance(statement, ast.Import | ast.ImportFrom):
            place = resolve(context.project, site.path, site.tree, f"{name}.{wanted}")
            if place is not None and isinstance(place.node, ast.ClassDef):
                return f"{name}.{wanted}"
    return ""


def _raised(context: RepairContext, site: Site, statement: ast.Raise, wanted: str) -> Iterator[Finding]:
    if statement.exc is None:
        yield from _named(context, site, statement, wanted)
        return
    raised = statement.exc.func if isinstance(statement.exc, ast.Call) else statement.exc
    if not isinstance(raised, ast.Name | ast.Attribute):
        return
    old = source_of(site.text, raised)
    reason = f"a test waits for `{wanted}` here, and `{old}` is raised"
    fix = edited(context, NAME, reason, STRONG, {site.path: [whole(raised, wanted)]}, guess=True)
    if fix is not None:
        yield fix


def _named(context: RepairContext, site: Site, statement: ast.Raise, wanted: str) -> Iterator[Finding]:
    """A bare `raise` where nothing is being handled: it never raised what it was meant to."""
    if "No active exception" not in context.error.message:
        return
    function = site.function(statement)
    about = f"{function.name}() cannot go on" if function is not None else "cannot go on"
    reason = f"nothing is being handled at this `raise`, and a test waits for `{wanted}` here"
    edit = whole(statement, f"raise {wanted}({about!r})")
    fix = edited(context, NAME, reason, STRONG, {site.path: [edit]}, guess=True)
    if fix is not None:
        yield fix


def _refused(context: RepairContext, site: Site, statement: ast.stmt, wanted: str) -> Iterator[Finding]:
    """Raises the expected type where a value is None that the statement needs, and for nothing else."""
    spot = none_spot(context) if "NoneType" in context.error.message else None
    if spot is None or spot.path != site.path or not is_repeatable(spot.node):
        return
    if not flow.block_of(site, statement) or site.text.splitlines()[statement.lineno - 1].lstrip().startswith(
        "elif"
    ):
        return
    name = source_of(site.text, spot.node)
    text = f"if {name} is None:\n    raise {wanted}({f'{name} is None'!r})"
    reason = f"a test waits for `{wanted}` here, where `{name}` is None"
    edits = [flow.line_before(site, statement, text)]
    fix = edited(context, NAME, reason, _REFUSED, {site.path: edits}, guess=True)
    if fix is not None:
        yield fix


def _turned(
    context: RepairContext, site: Site, statement: ast.stmt, wanted: str, confidence: float
) -> Iterator[Finding]:
    """Puts the statement into `try`, and raises the expected type from what came."""
    if not flow.block_of(site, statement) or (isinstance(statement, ast.Return) and statement.value is None):
        return
    if _may_fail_inside(statement):
        return  # that would be told as the other type as well
    lines = split_lines(site.text)
    first, last = first_line(statement), statement.end_lineno or statement.lineno
    head = lines[first - 1]
    indent = head[: len(head) - len(head.lstrip())]
    if (
        start_of(statement)[1] != len(indent.encode())
        or _holds_text_block(statement)
        or head.lstrip().startswith("elif")
    ):
        return
    newline = dominant_newline(site.text)
    kind = context.error.bare_type
    body = "".join(f"    {line}" if line.strip() else line for line in lines[first - 1 : last])
    body = body if body.endswith(newline) else body + newline
    text = f"{indent}try:{newline}{body}{indent}except {kind} as error:{newline}{indent}    raise {wanted}(str(error)) from error{newline}"
    reason = f"a test waits for `{wanted}` here; what fails below with `{kind}` is told as that"
    end = (
        (last + 1, 0) if last < len(lines) else (last, len(lines[last - 1].encode("utf-8", "surrogatepass")))
    )
    edit = TextEdit((first, 0), end, text)
    fix = edited(context, NAME, reason, confidence, {site.path: [edit]}, guess=True)
    if fix is not None:
        yield fix


def _may_fail_inside(statement: ast.stmt) -> bool:
    """Whether a block does more than to set, leave and raise: then more can fail than what stands in its head."""
    blocks = [
        n
        for n in ast.iter_child_nodes(statement)
        if isinstance(n, ast.stmt | ast.match_case | ast.ExceptHandler)
    ]
    return any(
        isinstance(node, ast.Call | ast.Subscript | ast.Await | ast.Yield | ast.YieldFrom)
        for node in _outside_raises(blocks)
    )


def _outside_raises(nodes: Sequence[ast.AST]) -> Iterator[ast.AST]:
    for node in nodes:
        if not isinstance(node, ast.Raise):
            yield node
            yield from _outside_raises([*ast.iter_child_nodes(node)])


def _holds_text_block(statement: ast.stmt) -> bool:
    """Whether indenting would change a string that goes over lines."""
    return any(
        isinstance(n, ast.Constant | ast.JoinedStr) and n.lineno != n.end_lineno for n in ast.walk(statement)
    )


RULES: tuple[Rule, ...] = (
    Rule(
        NAME,
        (
            "TypeError",
            "AttributeError",
            "NameError",
            "KeyError",
            "IndexError",
            "ValueError",
            "LookupError",
            "OSError",
            "ArithmeticError",
            "AssertionError",
            "RuntimeError",
            "StopIteration",
        ),
        apply,
    ),
)
