"""Crashes that no rule may cure: a policy that did its job, the world outside, recursion and division without a rule.

Says so in words, so that the operator knows that it was looked at. Yields explanations only.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.model.kinds import Nature
from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.spans import source_of
from selfheal_tui.repair.rules.support import Site, explained, site_of

NAME = "no-cure"
_NATURES = {
    Nature.POLICY: ("a rule of the program refused the action, and did its job", "Grant the approval or permission; the rule itself is only changed by a person."),
    Nature.TRANSIENT: ("the cause is in the world outside the program", "Nothing in the code is to be changed: try again when it is over."),
    Nature.EXTERNAL: ("the cause lies outside the project's code", "Supply what is missing, or ask whoever owns that code."),
}  # fmt: skip
_EXCEPTIONS = (
    "PermissionError",
    "TimeoutError",
    "OSError",
    "RecursionError",
    "ZeroDivisionError",
    "AssertionError",
    "NotImplementedError",
    "MemoryError",
)


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields why no code is changed."""
    nature = _NATURES.get(context.diagnosis.nature)
    if nature is not None:
        yield explained(*nature)
        return
    kind = context.error.bare_type
    site = site_of(context)
    if kind == "RecursionError" and site is not None:
        yield _recursion(site)
    elif kind == "ZeroDivisionError" and site is not None:
        yield _division(site)
    elif "Timeout" in kind:
        yield explained(
            "an operation took longer than its limit",
            "Find out what is slow; raising the limit or retrying is a decision that no rule takes.",
        )
    elif kind == "AssertionError":
        yield explained(
            "an assumption that the code states does not hold",
            "What was done before broke it, or it is wrong; it is not removed.",
        )
    elif kind == "NotImplementedError":
        yield explained("the method has no body yet", "Somebody has to write it.")


def _recursion(site: Site) -> Finding:
    name = site.frame.function
    function = next(
        (
            n
            for n in ast.walk(site.tree)
            if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
            and n.name == name
            and n.lineno <= site.frame.line <= (n.end_lineno or 0)
        ),
        None,
    )
    if function is None:
        return explained("a function calls itself without end")
    calls = [n for n in ast.walk(function) if isinstance(n, ast.Call) and flow.calls(n, name)]
    names = [a.arg for a in function.args.args if a.arg not in ("self", "cls")]
    unchanged = [
        c for c in calls if names and [ast.unparse(a) for a in c.args] == names[: len(c.args)] and c.args
    ]
    if unchanged:
        why = f"line {unchanged[0].lineno} calls `{name}` with the same arguments again"
    elif not any(
        isinstance(n, ast.If | ast.IfExp | ast.While | ast.For | ast.Match | ast.BoolOp)
        for n in ast.walk(function)
    ):
        why = f"`{name}` has no case in which it does not call itself"
    else:
        why = f"the case in which `{name}` stops was never reached: its argument does not come nearer to it, or the data is cyclic"
    return explained(
        f"`{name}` calls itself without end: {why}",
        "Which base case is meant is not evident; a higher recursion limit would only hide it.",
    )


def _division(site: Site) -> Finding:
    kinds = (ast.Div, ast.FloorDiv, ast.Mod)
    node = flow.only(site.nodes(ast.BinOp, lambda n: isinstance(n.op, kinds)))
    if node is None:
        return explained("a number is divided by zero")
    text = source_of(site.text, node.right)
    empty = isinstance(node.right, ast.Call) and flow.calls(node.right, "len")
    why = (
        f"`{source_of(site.text, node.right.args[0])}` is empty"
        if empty and isinstance(node.right, ast.Call)
        else f"`{text}` is zero"
    )
    return explained(why, "Decide what the result is then; an invented default would hide the problem.")


RULES: tuple[Rule, ...] = (Rule(NAME, _EXCEPTIONS, apply),)
