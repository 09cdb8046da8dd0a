"""Values of the wrong type handed to a call: text where bytes or numbers are needed, and the reverse.

One handler per message of the interpreter or its library; each looks at the call at the failing position and
answers nothing when the argument that is meant is not evident.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.spans import source_of, whole
from selfheal_tui.repair.rules.support import PLAUSIBLE, STRONG, Site, explained
from selfheal_tui.source.edits import TextEdit

NAME = "text-values"


def _join(context: RepairContext, site: Site, found: re.Match[str]) -> Iterator[Finding]:
    if found[1] == "NoneType":
        yield explained(
            "an element of the list that is joined is None",
            "Find out why it has no value; text of None would hide that.",
        )
        return
    call = flow.only(site.nodes(ast.Call, lambda n: flow.calls(n, "join") and len(n.args) == 1))
    if call is None:
        return
    argument = call.args[0]
    if found[1] == "bytes":
        edit = whole(argument, f"(item.decode() for item in {source_of(site.text, argument)})")
        yield from flow.one_file(
            context, site, NAME, "the parts are bytes and are joined as text", PLAUSIBLE, [edit]
        )
        return
    if isinstance(argument, ast.GeneratorExp | ast.ListComp):
        edit = whole(argument.elt, f"str({source_of(site.text, argument.elt)})")
    else:
        edit = whole(argument, f"map(str, {source_of(site.text, argument)})")
    reason = f"`join()` takes only text, and the parts are {found[1]}"
    yield from flow.one_file(context, site, NAME, reason, STRONG, [edit])


def _percent(context: RepairContext, site: Site, found: re.Match[str]) -> Iterator[Finding]:
    node = flow.only(
        site.nodes(
            ast.BinOp,
            lambda n: (
                isinstance(n.op, ast.Mod)
                and isinstance(n.left, ast.Constant)
                and isinstance(n.left.value, str)
            ),
        )
    )
    if node is None or found[2] == "NoneType":
        return
    text = source_of(site.text, node.left)
    code = found[1]
    places = re.findall(r"%(?!%)[-#0 +]*\d*(?:\.\d+)?([a-zA-Z])", text.replace("%%", ""))
    values = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
    suspects = [
        v
        for p, v in zip(places, values, strict=False)
        if p == code and flow.type_of(site, v) in ("", found[2])
    ]
    value = flow.only(suspects)
    if value is not None and flow.numeric_text(site, value):
        to = flow.number_type(site, value, "float" if code in "feg" else "int")
        reason = f"`{source_of(site.text, value)}` is text that reads as a number"
        yield from flow.one_file(context, site, NAME, reason, STRONG, [flow.wrapped(site, value, to)])
    counted = found[2] in ("list", "tuple", "dict", "set", "frozenset", "deque")
    if counted and value is not None and code in "diu":
        reason = f"`%{code}` formats a number, and `{source_of(site.text, value)}` is a {found[2]}: its length is meant"
        yield from flow.one_file(context, site, NAME, reason, PLAUSIBLE, [flow.wrapped(site, value, "len")])
    if places.count(code) == 1 and code in "diu" and not counted:
        new = re.sub(rf"%([-]?\d*){code}", r"%\1s", text, count=1)
        reason = f"`%{code}` formats numbers only, and the value is {found[2]}"
        yield from flow.one_file(context, site, NAME, reason, PLAUSIBLE, [whole(node.left, new)])


def _integer(context: RepairContext, site: Site, found: re.Match[str]) -> Iterator[Finding]:
    """A float or text where an integer is needed: index, slice, `range()`, repetition."""
    from selfheal_tui.repair.rules.operand_types import floor_edits

    kind = found[1]
    for node in _integer_places(site):
        edits = floor_edits(site, node) if kind == "float" else []
        if edits:
            yield from flow.one_file(
                context, site, NAME, "an integer is needed here: divide with `//`", STRONG, edits
            )
            return
    unsure = [
        n
        for n in _integer_places(site)
        if flow.type_of(site, n) in ("", kind) and not isinstance(n, ast.Slice)
    ]
    known = [n for n in unsure if flow.type_of(site, n) == kind and not isinstance(n, ast.Constant)]
    node_or_none = flow.only(known) or flow.only([n for n in unsure if not isinstance(n, ast.Constant)])
    if node_or_none is None:
        return
    if kind == "str" and not flow.numeric_text(site, node_or_none):
        return
    reason = f"`{source_of(site.text, node_or_none)}` is {kind}, and an integer is needed here"
    confidence = STRONG if kind == "str" else PLAUSIBLE
    yield from flow.one_file(
        context, site, NAME, reason, confidence, [flow.wrapped(site, node_or_none, "int")]
    )


def _integer_places(site: Site) -> list[ast.expr]:
    places: list[ast.expr] = []
    for call in site.nodes(ast.Call, lambda n: not isinstance(n.func, ast.Attribute) or bool(n.args)):
        places += call.args
    for subscript in site.nodes(ast.Subscript):
        index = subscript.slice
        places += (
            [p for p in (index.lower, index.upper, index.step) if p]
            if isinstance(index, ast.Slice)
            else [index]
        )
    return places


def _index_type(context: RepairContext, site: Site, found: re.Match[str]) -> Iterator[Finding]:
    kind = found[2]
    if kind == "tuple":
        yield from _missing_comma(context, site)
    elif kind in ("float", "str"):
        yield from _integer(context, site, re.match(r"(\w+)", kind) or found)


def _missing_comma(context: RepairContext, site: Site) -> Iterator[Finding]:
    """`[1, 2] [3, 4]`: Python reads the second list as an index of the first."""
    node = flow.only(
        site.nodes(ast.Subscript, lambda n: isinstance(n.value, ast.List) and isinstance(n.slice, ast.Tuple))
    )
    if node is not None:
        end = (node.value.end_lineno or 0, node.value.end_col_offset or 0)
        reason = "a comma is missing between two lists: Python reads the second as an index of the first"
        yield from flow.one_file(context, site, NAME, reason, STRONG, [TextEdit(end, end, ",")])


def _string_index(context: RepairContext, site: Site, _found: re.Match[str]) -> Iterator[Finding]:
    node = flow.only(site.nodes(ast.Subscript, lambda n: isinstance(n.value, ast.Name)))
    if node is None or not isinstance(node.value, ast.Name):
        return
    name = node.value
    loop = flow.loop_source(site, name.id, node)
    if loop is not None and flow.type_of(site, loop.iter) in ("dict", "defaultdict", "OrderedDict"):
        reason = f"iterating a dictionary gives its keys; `{name.id}` is used like its values"
        edit = flow.with_suffix(site, loop.iter, ".values()")
        yield from flow.one_file(context, site, NAME, reason, STRONG, [edit])
        return
    value = flow.local(site, name)
    if loop is None and value is not None and re.match(r"""['"]\s*[\[{]""", value.repr):
        origin = flow.last_value(site, name)
        imports = () if re.search(r"^import json\b", site.text, re.MULTILINE) else ("import json",)
        reason = f"`{name.id}` is JSON text that was never parsed"
        target = origin if origin is not None else name
        edit = whole(target, f"json.loads({source_of(site.text, target)})")
        yield from flow.one_file(context, site, NAME, reason, PLAUSIBLE, [edit], imports=imports)


def _needs_bytes(context: RepairContext, site: Site, _found: re.Match[str]) -> Iterator[Finding]:
    """A text argument (or text searched in bytes) where bytes are needed."""
    compare = [n for n in site.nodes(ast.Compare) if isinstance(n.ops[0], ast.In | ast.NotIn)]
    texts: list[ast.expr] = [n.left for n in compare]
    calls = site.nodes(ast.Call, lambda n: bool(n.args or n.keywords))
    if not texts:
        texts = [a for c in calls[:1] for a in [*c.args, *(k.value for k in c.keywords)]]
    literals = [t for t in texts if isinstance(t, ast.Constant) and isinstance(t.value, str)]
    others = [t for t in texts if t not in literals and flow.type_of(site, t) in ("", "str")]
    if literals and not any(flow.type_of(site, t) == "str" for t in others):
        source = [source_of(site.text, t) for t in literals]
        if all(s[:1] in "'\"" and s.isascii() for s in source):
            edits = [whole(t, f"b{s}") for t, s in zip(literals, source, strict=True)]
            yield from flow.one_file(context, site, NAME, "bytes are needed here, not text", STRONG, edits)
            return
    known = [t for t in others if flow.type_of(site, t) == "str"]
    argument = flow.only(known) or flow.only(others)
    if argument is None:
        return
    reason = f"`{source_of(site.text, argument)}` is text, and bytes are needed here"
    yield from flow.one_file(
        context, site, NAME, reason, STRONG, [flow.with_suffix(site, argument, ".encode()")]
    )
    yield from _open_mode(context, site, calls, "b", "")


def _needs_text(context: RepairContext, site: Site, found: re.Match[str]) -> Iterator[Finding]:
    calls = site.nodes(ast.Call, lambda n: len(n.args) == 1)
    call = flow.only(calls) or (calls[0] if calls and site.frame.col is not None else None)
    if call is None or found[1] == "NoneType":
        return
    argument = call.args[0]
    text = source_of(site.text, argument)
    if found[1] == "bytes":
        reason = f"`{text}` is bytes, and text is needed here"
        yield from flow.one_file(
            context, site, NAME, reason, PLAUSIBLE, [flow.with_suffix(site, argument, ".decode()")]
        )
        yield from _open_mode(context, site, [call], "", "b")
    elif found[1] not in ("dict", "list"):
        yield from flow.one_file(
            context,
            site,
            NAME,
            f"`{text}` is {found[1]}, and text is needed here",
            STRONG,
            [flow.wrapped(site, argument, "str")],
        )
    else:
        yield explained(
            f"`{text}` is a {found[1]}, and text is needed here",
            "Choose a format, such as `json.dumps()`; `str()` cannot be read back.",
        )


def _open_mode(
    context: RepairContext, site: Site, calls: list[ast.Call], drop: str, add: str
) -> Iterator[Finding]:
    """The other way round: the file could be opened in the other mode, where `open()` stands in the same function."""
    for call in calls[:1]:
        if not (
            isinstance(call.func, ast.Attribute)
            and isinstance(call.func.value, ast.Name)
            and call.func.attr == "write"
        ):
            continue
        handle = call.func.value.id
        for node in ast.walk(flow.scope_of(site, call)):
            opened = _opened_as(node, handle)
            if opened is None or len(opened.args) < 2 or not isinstance(opened.args[1], ast.Constant):
                continue
            mode = str(opened.args[1].value)
            new = mode.replace(drop, "") if drop else mode + add
            if new != mode:
                reason = f"the file is opened with mode {mode!r}, which does not take what is written"
                yield from flow.one_file(
                    context, site, NAME, reason, PLAUSIBLE, [whole(opened.args[1], f'"{new}"')]
                )


def _opened_as(node: ast.AST, handle: str) -> ast.Call | None:
    pairs: list[tuple[ast.AST | None, ast.expr]] = []
    if isinstance(node, ast.withitem):
        pairs = [(node.optional_vars, node.context_expr)]
    elif isinstance(node, ast.Assign):
        pairs = [(t, node.value) for t in node.targets]
    for target, value in pairs:
        if (
            isinstance(target, ast.Name)
            and target.id == handle
            and isinstance(value, ast.Call)
            and flow.calls(value, "open")
        ):
            return value
    return None


def _int_of_decimal(context: RepairContext, site: Site, _found: re.Match[str]) -> Iterator[Finding]:
    call = flow.only(site.nodes(ast.Call, lambda n: flow.calls(n, "int") and len(n.args) == 1))
    if call is not None:
        reason = (
            f"`{source_of(site.text, call.args[0])}` is a number with decimals, which `int()` does not read"
        )
        note = "The decimals are cut off; use `float()` if they matter."
        edit = flow.wrapped(site, call.args[0], "float")
        yield from flow.one_file(context, site, NAME, reason, PLAUSIBLE, [edit], notes=(note,))


def _pattern_on_bytes(context: RepairContext, site: Site, _found: re.Match[str]) -> Iterator[Finding]:
    calls = site.nodes(ast.Call, lambda n: len(n.args) >= 1 and isinstance(n.func, ast.Attribute))
    for call in calls[:1]:
        known = [a for a in call.args if flow.type_of(site, a) == "bytes"]
        subject = flow.only(known) or (call.args[-1] if len(call.args) == 2 else None)
        if subject is not None:
            reason = f"`{source_of(site.text, subject)}` is bytes and is searched with a text pattern"
            yield from flow.one_file(
                context, site, NAME, reason, PLAUSIBLE, [flow.with_suffix(site, subject, ".decode()")]
            )


def _unary(context: RepairContext, site: Site, _found: re.Match[str]) -> Iterator[Finding]:
    """`abs(x)` or `-x` of text."""
    places: list[ast.expr] = [n.operand for n in site.nodes(ast.UnaryOp)]
    places += [n.args[0] for n in site.nodes(ast.Call, lambda n: flow.calls(n, "abs") and len(n.args) == 1)]
    place = flow.only(places)
    if place is not None:
        numeric = flow.numeric_text(site, place)
        reason = f"`{source_of(site.text, place)}` is text where a number is needed: read it as a number"
        edit = flow.wrapped(site, place, flow.number_type(site, place, "int"))
        yield from flow.one_file(context, site, NAME, reason, STRONG if numeric else PLAUSIBLE, [edit])


_HANDLERS: tuple[tuple[str, flow.Handler], ...] = (
    (r"sequence item \d+: expected str instance, (\w+) found", _join),
    (r"%(\w) format: (?:a number|a real number|an integer) is required, not (\w+)", _percent),
    (r"(list|tuple|string|range|bytes|bytearray|byte) indices must be integers or slices, not (\w+)", _index_type),
    (r"string indices must be integers", _string_index),
    (r"'(float|str)' object cannot be interpreted as an integer", _integer),
    (r"slice indices must be integers or None()", lambda c, s, f: _integer(c, s, re.match(r"(float)", "float") or f)),
    (r"a bytes-like object is required, not 'str'", _needs_bytes),
    (r"(?:Unicode-objects|Strings) must be encoded before hashing", _needs_bytes),
    (r"(?:startswith|endswith) first arg must be bytes", _needs_bytes),
    (r"argument should be integer or bytes-like object, not 'str'", _needs_bytes),
    (r"(?:write\(\) argument must be|string argument expected, got|can only concatenate str.*not) '?str, not (\w+)", _needs_text),
    (r"string argument expected, got '(\w+)'", _needs_text),
    (r"bad operand type for (?:abs\(\)|unary [-+~]): 'str'", _unary),
    (r"cannot use a string pattern on a bytes-like object", _pattern_on_bytes),
    (r"invalid literal for int\(\) with base 10: '\s*-?\d+\.\d*\s*'", _int_of_decimal),
)  # fmt: skip


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields conversions for the first message that fits."""
    yield from flow.by_message(context, _HANDLERS)


RULES: tuple[Rule, ...] = (Rule(NAME, ("TypeError", "ValueError", "AttributeError"), apply),)
