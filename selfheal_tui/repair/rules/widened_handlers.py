"""A call that is guarded against one exception and fails with a kindred one: the handler that has to name it, too.

The handler's author knew what to do when the call fails; Python fails it with another type for other kinds of values
(`int(None)` raises TypeError, `int("x")` ValueError). Nothing is caught where no handler stood.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules.engine import exception_names
from selfheal_tui.repair.rules.expected_exceptions import expected
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.spans import insert_after, source_of, whole
from selfheal_tui.repair.rules.support import Site, edited, site_of

NAME = "widened-handler"
_HERE = 0.6
_KIN = (
    frozenset(
        {
            "ValueError",
            "TypeError",
            "OverflowError",
            "UnicodeError",
            "UnicodeDecodeError",
            "UnicodeEncodeError",
        }
    ),
    frozenset({"AttributeError", "TypeError", "KeyError", "IndexError", "LookupError"}),
    frozenset({"ValueError", "OverflowError", "ZeroDivisionError", "ArithmeticError", "InvalidOperation"}),
    frozenset(
        {
            "FileNotFoundError",
            "NotADirectoryError",
            "IsADirectoryError",
            "PermissionError",
            "FileExistsError",
            "OSError",
        }
    ),
    frozenset({"ImportError", "ModuleNotFoundError", "AttributeError"}),
    # `datetime.fromtimestamp` and its like fail with any of these, as the platform's C library does
    frozenset({"ValueError", "OverflowError", "OSError"}),
)


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields the innermost handler around the failing statement, with the further type."""
    kind = context.error.bare_type
    # A test that waits for what a handler raises says that the handler is meant, whatever failed.
    promised = expected(context) not in ("", *exception_names(context.error))
    frames = [
        f for f in context.error.frames if f.in_app and f.path and not context.project.protected(f.path)
    ]
    for depth, frame in enumerate(reversed(frames[-2:])):
        site = site_of(context, frame)
        if site is None:
            continue
        handler = _handler(site, kind, exception_names(context.error), promised=promised)
        if handler is None or handler.type is None:
            continue
        types = handler.type
        shown = source_of(site.text, types)
        edit = (
            insert_after(types.elts[-1], f", {kind}")
            if isinstance(types, ast.Tuple) and types.elts
            else whole(types, f"({shown}, {kind})")
        )
        reason = f"the call is guarded against `{shown}`, and fails with `{kind}` for this kind of value"
        fix = edited(context, NAME, reason, _HERE - 0.11 * depth, {site.path: [edit]}, guess=True)
        if fix is not None:
            yield fix
        return


def _handler(site: Site, kind: str, caught_by: frozenset[str], *, promised: bool) -> ast.ExceptHandler | None:
    """The handler of the innermost `try` whose few lines failed, if it is for a kindred type and did not catch it."""
    line = site.frame.line
    tries = [
        n for n in ast.walk(site.tree)
        if isinstance(n, ast.Try) and n.body and n.body[0].lineno <= line <= (n.body[-1].end_lineno or 0)
    ]  # fmt: skip
    for found in sorted(tries, key=lambda n: -n.lineno):
        if len(found.body) > 3:
            continue
        if any(handler.type is None or _names(handler) & caught_by for handler in found.handlers):
            return None  # what came of it was raised in there
        for handler in found.handlers:
            names = _names(handler)
            raises = promised and any(isinstance(n, ast.Raise) for n in ast.walk(handler))
            if names and (raises or any(kind in kin and names & kin for kin in _KIN)):
                return handler
    return None


def _names(handler: ast.ExceptHandler) -> set[str]:
    if handler.type is None:
        return set()
    parts = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return {ast.unparse(p).rpartition(".")[2] for p in parts}


RULES: tuple[Rule, ...] = (
    Rule(
        NAME,
        (
            "TypeError",
            "AttributeError",
            "KeyError",
            "IndexError",
            "ValueError",
            "ArithmeticError",
            "OSError",
            "ImportError",
        ),
        apply,
    ),
)
