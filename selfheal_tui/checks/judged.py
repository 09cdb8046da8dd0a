"""Whether a crash broke off a test that says what the code should have done.

A program that ends without a crash has not shown that it did the right thing. A test that the crash broke off, and that
asserts something at or after the call which crashed, shows it when it runs to its end. Reads sources only.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

from selfheal_tui.checks.base import CheckContext
from selfheal_tui.checks.statements import call_name
from selfheal_tui.model.crash import Frame
from selfheal_tui.source.text import UnreadableSourceError

_RAISES = frozenset({"raises", "assertRaises", "assertRaisesRegex", "assertRaisesRegexp"})


def is_test_file(path: str) -> bool:
    """Says whether a file is one of tests, by the names that pytest and unittest go by."""
    pure = PurePosixPath(path)
    named = pure.stem.startswith("test_") or pure.stem.endswith(("_test", "_tests")) or pure.stem == "tests"
    return pure.suffix == ".py" and named


def judging_test(context: CheckContext) -> str:
    """Names the test that a crash broke off and that goes on to assert something.

    Args:
        context: The check's context.

    Returns:
        `path::function`, or an empty string when the crash was not beneath such a test.
    """
    for info in context.report.chain:
        for frame in info.frames:
            if frame.path and is_test_file(frame.path) and frame.function.lower().startswith("test"):
                function = _function(context, frame)
                if function is not None and _asserts_after(function, frame.line):
                    return f"{frame.path}::{frame.function}"
    return ""


def _function(context: CheckContext, frame: Frame) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    try:
        tree = ast.parse(context.project.read(frame.path or "").text)
    except (UnreadableSourceError, SyntaxError, ValueError, OSError, RecursionError):
        return None
    return next(
        (
            n
            for n in ast.walk(tree)
            if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
            and n.name == frame.function
            and n.lineno <= frame.line <= (n.end_lineno or n.lineno)
        ),
        None,
    )


def _asserts_after(function: ast.AST, line: int) -> bool:
    return any(
        (node.end_lineno or node.lineno) >= line and not _only_waits(node, line)
        for node in assertions(function)
    )


def _only_waits(node: ast.stmt | ast.expr, line: int) -> bool:
    """Whether the crash was inside a block that waits for any exception of a type: another way to raise it does as well."""
    if not isinstance(node, ast.With | ast.AsyncWith) or not node.body[0].lineno <= line:
        return False
    calls = [item.context_expr for item in node.items if isinstance(item.context_expr, ast.Call)]
    told = any(k.arg == "match" for call in calls for k in call.keywords)
    return not told and not any(call_name(c).endswith(("Regex", "Regexp")) for c in calls)


def assertions(function: ast.AST) -> Iterator[ast.stmt | ast.expr]:
    """Yields what judges results in a test: `assert`, calls named like an assertion, and `with raises(…)` blocks.

    Args:
        function: The test.

    Yields:
        Statements and calls; a block for raised exceptions as a whole.
    """
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            yield node
        elif isinstance(node, ast.Call):
            name = call_name(node).rpartition(".")[2] or getattr(node.func, "attr", "")
            if name not in _RAISES and name.lower().startswith(("assert", "check_", "expect")):
                yield node
        elif isinstance(node, ast.With | ast.AsyncWith) and any(
            isinstance(i.context_expr, ast.Call) and call_name(i.context_expr).rpartition(".")[2] in _RAISES
            for i in node.items
        ):
            yield node
