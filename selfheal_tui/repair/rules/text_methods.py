"""A method that only text has, called on a path, a number or another plain value: its text is meant.

Text of None, of a container or of an object of the project would hide another fault and is never made. Whether a number
is meant as text only a test can tell; a path stands for its text by definition (`os.fspath`, PEP 519).
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.none_guards import is_repeatable
from selfheal_tui.repair.rules.places import named
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.scopes import parameters, visible
from selfheal_tui.repair.rules.spans import source_of, whole
from selfheal_tui.repair.rules.support import FunctionNode, Site, ancestors, edited, failing_site

NAME = "text-method"
_PATHS = flow.listed("PosixPath WindowsPath PurePosixPath PureWindowsPath DirEntry")
_PLAIN = flow.listed("int float bool complex Decimal Fraction UUID date datetime time timedelta")
_TEXT = frozenset(name for name in dir(str) if not name.startswith("_"))
_PATH, _PARAMETER, _VALUE = 0.74, 0.56, 0.5
_LACKS = re.compile(r"'([\w.]+)' object has no attribute '(\w+)'")


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields the text of the value, where it is used and where the function begins."""
    site, found = failing_site(context), _LACKS.match(context.error.message)
    if site is None or found is None or found[2] not in _TEXT:
        return
    kind, method = found[1].rpartition(".")[2], found[2]
    if kind not in _PATHS | _PLAIN or not _is_standard(context, kind):
        return
    nodes = site.nodes(ast.Attribute, lambda n: n.attr == method)
    node = flow.only(nodes)
    if node is None:
        return
    call = "str" if kind in _PLAIN or "os" not in visible(site.tree, node) else "os.fspath"
    text = source_of(site.text, node.value)
    reason = f"`{text}` is a {kind}, and only text has `{method}()`"
    confidence = _PATH if kind in _PATHS else _VALUE
    guess = kind in _PLAIN
    fix = edited(
        context, NAME, reason, confidence, {site.path: [whole(node.value, f"{call}({text})")]}, guess=guess
    )
    if fix is not None:
        yield fix
    yield from _at_the_beginning(context, site, node.value, call, reason, guess=guess)


def _is_standard(context: RepairContext, kind: str) -> bool:
    """Whether a type is the standard library's, and not a class of the project that goes by the same name."""
    module = context.error.evidence.obj_module
    if module:
        return module.partition(".")[0] in sys.stdlib_module_names
    return not any(isinstance(place.node, ast.ClassDef) for place in named(context.project, kind))


def _at_the_beginning(
    context: RepairContext, site: Site, value: ast.expr, call: str, reason: str, *, guess: bool
) -> Iterator[Finding]:
    """A parameter that is used as text more than once is made text once."""
    function = next((up for up in ancestors(site.tree, value) if isinstance(up, FunctionNode)), None)
    if function is None or not isinstance(value, ast.Name) or not is_repeatable(value):
        return
    if value.id not in {parameter.arg for parameter in parameters(function)}:
        return
    uses = [n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == value.id]
    if len(uses) < 2:
        return
    first = flow.body_start(function)
    edit = flow.line_before(site, first, f"{value.id} = {call}({value.id})")
    confidence = _VALUE * 0.8 if guess else _PARAMETER
    fix = edited(context, NAME, reason, confidence, {site.path: [edit]}, guess=guess)
    if fix is not None:
        yield fix


RULES: tuple[Rule, ...] = (Rule(NAME, ("AttributeError",), apply),)
