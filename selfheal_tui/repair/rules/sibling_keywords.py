"""A call that fails where the other calls of the same function pass a keyword that this one leaves out.

`json.dumps(value)` beside `json.dumps(value, cls=Encoder)`, `open(path)` beside `open(path, encoding=ENCODING)`. Only what
all the other calls in the file agree on, and whose names can be seen at the failing call.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.scopes import visible
from selfheal_tui.repair.rules.spans import insert_after, insert_before, source_of
from selfheal_tui.repair.rules.support import Site, edited, site_of
from selfheal_tui.source.edits import TextEdit

NAME = "sibling-keyword"
_CONFIDENCE = 0.7


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields the call with the keywords of the others."""
    site = site_of(context)
    if site is None:
        return
    for call in site.nodes(ast.Call)[:2]:
        called = ast.unparse(call.func)
        others = [
            n for n in ast.walk(site.tree)
            if isinstance(n, ast.Call) and n is not call and ast.unparse(n.func) == called
        ]  # fmt: skip
        own = {k.arg for k in call.keywords}
        if not others or None in own or "<" in called:
            continue
        counts = Counter(
            (k.arg, ast.unparse(k.value)) for o in others for k in o.keywords if k.arg and k.arg not in own
        )
        seen = visible(site.tree, call).keys()
        for (name, value), count in counts.most_common(3):
            used = {n.id for n in ast.walk(ast.parse(value, mode="eval")) if isinstance(n, ast.Name)}
            if not used <= seen or (used & {"self", "cls"} and site.method_class(call) is None):
                continue
            if count != len(others):
                continue  # the others do not agree
            reason = f"other calls of `{called}` pass `{name}={value}`, and this one fails without"
            fix = edited(
                context,
                NAME,
                reason,
                _CONFIDENCE,
                {site.path: [_added(site, call, f"{name}={value}")]},
                guess=True,
            )
            if fix is not None:
                yield fix


def _added(site: Site, call: ast.Call, text: str) -> TextEdit:
    values = [*call.args, *(k.value for k in call.keywords)]
    if values:
        last = max(values, key=lambda n: (n.end_lineno or 0, n.end_col_offset or 0))
        if isinstance(last, ast.GeneratorExp) and not source_of(site.text, last).startswith("("):
            return insert_before(last, f"{text}, ")
        return insert_after(last, f", {text}")
    end = (call.end_lineno or call.lineno, (call.end_col_offset or 1) - 1)
    return TextEdit(end, end, text)


RULES: tuple[Rule, ...] = (
    Rule(NAME, ("TypeError", "ValueError", "UnicodeDecodeError", "UnicodeEncodeError"), apply),
)
