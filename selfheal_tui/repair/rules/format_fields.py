"""The rule for `"{name}".format(nmae=…)`: fields of a template and keywords that were to fill them.

Either side may be misspelt; the keyword is corrected first, unless the template is the odd one out.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.similar import near
from selfheal_tui.repair.rules.spans import rename_keyword, source_of, whole
from selfheal_tui.repair.rules.support import PLAUSIBLE, STRONG, Site, edited, failing_site
from selfheal_tui.source.identifiers import identifier_of

NAME = "misspelt-format-field"


def format_field(context: RepairContext) -> Iterator[Finding]:
    """Offers to rename the near keyword, or the field in the template's literal."""
    site = failing_site(context)
    field = identifier_of(context.error)
    if site is None or not field or not field.isidentifier():
        return
    calls = site.nodes(
        ast.Call, lambda c: isinstance(c.func, ast.Attribute) and c.func.attr == "format" and bool(c.keywords)
    )
    if len(calls) != 1:
        return
    call = calls[0]
    given = {k.arg: k for k in call.keywords if k.arg}
    if len(given) != len(call.keywords) or field in given:
        return
    template = _template(site, call)
    unused = {n: k for n, k in given.items() if template is None or not _fields(template, n)}
    for match in near(field, unused):
        fix = edited(
            context,
            NAME,
            f"the template has a field {field!r}, and the call fills {match.name!r}, which the template does not "
            f"have; the keyword is corrected.",
            min(STRONG, match.confidence),
            {site.path: [rename_keyword(unused[match.name], field)]},
        )
        if fix is not None:
            yield fix
    if template is None:
        return
    for match in near(field, given):
        source = source_of(site.text, template)
        new = re.sub(rf"(?<!{{){{{field}(?=[}}!:.\[])", "{" + match.name, source)
        if new == source:
            continue
        fix = edited(
            context,
            NAME,
            f"the call fills {match.name!r}, and the template asks for {field!r}; the template is corrected.",
            PLAUSIBLE,
            {site.path: [whole(template, new)]},
        )
        if fix is not None:
            yield fix


def _fields(template: ast.Constant, name: str) -> bool:
    return bool(re.search(rf"(?<!{{){{{re.escape(name)}[}}!:.\[]", str(template.value)))


def _template(site: Site, call: ast.Call) -> ast.Constant | None:
    """The literal that is formatted: written right there, or assigned once to the name in this file."""
    assert isinstance(call.func, ast.Attribute)
    value: ast.expr = call.func.value
    if isinstance(value, ast.Name):
        values = [
            node.value
            for node in ast.walk(site.tree)
            if isinstance(node, ast.Assign)
            and any(isinstance(t, ast.Name) and t.id == value.id for t in node.targets)
        ]
        if len(values) != 1:
            return None
        value = values[0]
    return value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None


RULES = (Rule(NAME, ("KeyError",), format_field),)
