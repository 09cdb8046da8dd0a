"""Operators between types that do not go together: text and number, list and tuple, path and text, Decimal and float.

The operand to convert is told by Python's message and the failing range. None is never converted: its cause lies
elsewhere, and text of it would hide that.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.spans import source_of, whole
from selfheal_tui.repair.rules.support import GUESS, PLAUSIBLE, STRONG, Site, explained, failing_site, parents
from selfheal_tui.source.edits import TextEdit

NAME = "operand-types"
_LAZY = flow.listed(
    "tuple set frozenset dict_keys dict_values dict_items generator map filter zip range list deque reversed"
)
_OPERATORS: dict[str, type[ast.operator]] = {
    "+": ast.Add, "-": ast.Sub, "*": ast.Mult, "/": ast.Div, "//": ast.FloorDiv, "%": ast.Mod, "** or pow()": ast.Pow,
    "**": ast.Pow, "|": ast.BitOr, "&": ast.BitAnd,
}  # fmt: skip
_NUMBERS = frozenset({"int", "float", "bool", "complex", "Decimal"})


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields conversions of the operand that does not fit."""
    site = failing_site(context)
    if site is None:
        return
    message = context.error.message
    pair = _pair(message)
    if pair is None or "NoneType" in pair[1:]:
        return
    operator, left_type, right_type = pair
    if operator in ("<", ">", "<=", ">="):
        yield from _compare(context, site, left_type, right_type)
        return
    for left, right, node in _places(site, operator):
        sides = _Sides(context, site, operator, left, right, left_type, right_type, node)
        yield from sides.findings()


def _pair(message: str) -> tuple[str, str, str] | None:
    """Reads operator and operand types out of Python's message."""
    found = re.match(r"unsupported operand type\(s\) for (.+?)(=?): '([^']+)' and '([^']+)'", message)
    if found:
        return found[1], found[3], found[4]
    found = re.match(r"'(<|>|<=|>=)' not supported between instances of '([^']+)' and '([^']+)'", message)
    if found:
        return found[1], found[2], found[3]
    found = re.match(r"can only concatenate (\w+) \(not \"([\w.]+)\"\) to \w+", message)
    if found:
        return "+", found[1], found[2]
    found = re.match(r"can't concat (\w+) to (\w+)", message)
    if found:
        return "+", found[2], found[1]
    found = re.match(r"can't multiply sequence by non-int of type '(\w+)'", message)
    if found:
        return "*", "sequence", found[1]
    return None


def _places(site: Site, operator: str) -> list[tuple[ast.expr, ast.expr, ast.AST]]:
    kind = _OPERATORS.get(operator)
    if kind is None:
        return []
    found: list[tuple[ast.expr, ast.expr, ast.AST]] = [
        (n.left, n.right, n) for n in site.nodes(ast.BinOp, lambda n: isinstance(n.op, kind))
    ]
    augmented = site.nodes(ast.AugAssign, lambda n: isinstance(n.op, kind))
    exact = site.frame.col is not None
    if augmented and not (found and exact and not _inside_range(site, augmented[0])):
        found = [(n.target, n.value, n) for n in augmented] + ([] if exact else found)
    return found[:1] if exact else found[:4]


def _inside_range(site: Site, node: ast.AST) -> bool:
    return getattr(node, "col_offset", -1) == site.frame.col


class _Sides:
    """One failing binary operation and the conversions that it allows."""

    def __init__(
        self, context: RepairContext, site: Site, operator: str, left: ast.expr, right: ast.expr,
        left_type: str, right_type: str, node: ast.AST,
    ) -> None:  # fmt: skip
        self.context, self.site, self.operator = context, site, operator
        self.left, self.right, self.node = left, right, node
        self.left_type, self.right_type = left_type.rpartition(".")[2], right_type.rpartition(".")[2]
        self.augmented = isinstance(node, ast.AugAssign)

    def findings(self) -> Iterator[Finding]:
        if not self._plausible():
            return
        types = {self.left_type, self.right_type}
        if "bytes" in types and "str" in types:
            yield from self._bytes_and_text()
        elif self.operator == "+" and (
            self.left_type in ("list", "tuple") or (types & _LAZY and "str" not in types)
        ):
            yield from self._sequences()
        elif self.operator == "+" and types == {"dict"}:
            text = f"{{**{self._source(self.left)}, **{self._source(self.right)}}}"
            yield from self._replace(text, "dictionaries are merged with `{**a, **b}`, not `+`", STRONG)
        elif self.operator == "+" and types <= {"set", "frozenset"}:
            text = f"{self._source(self.left)} | {self._source(self.right)}"
            yield from self._replace(text, "sets are joined with `|`, not `+`", STRONG)
        elif "Decimal" in types and "float" in types:
            yield from self._decimal()
        elif self.operator == "/" and types <= {"str", "int"} and self.right_type == "str":
            yield from self._path()
        elif self.left_type == "sequence":
            yield from self._repeat()
        elif "str" in types:
            yield from self._text_and_other()
        elif types & {"datetime", "date"} and types & {"int", "float"}:
            yield explained(
                "a date and a number cannot be combined: the unit is not evident",
                "Use `timedelta(days=…)`, `timedelta(seconds=…)` or whatever the number counts.",
            )

    def _plausible(self) -> bool:
        """Whether what is known of the operands agrees with the message (they may be of another operation on the line)."""
        for node, wanted in ((self.left, self.left_type), (self.right, self.right_type)):
            known = flow.type_of(self.site, node)
            if known and wanted != "sequence" and known != wanted:
                return False
        return True

    def _source(self, node: ast.expr) -> str:
        return source_of(self.site.text, node)

    def _emit(
        self,
        edits: list[TextEdit],
        reason: str,
        confidence: float,
        imports: tuple[str, ...] = (),
        notes: tuple[str, ...] = (),
    ) -> Iterator[Finding]:
        exact = self.site.frame.col is not None
        certain = confidence if exact else min(confidence, PLAUSIBLE)
        yield from flow.one_file(
            self.context, self.site, NAME, reason, certain, edits, imports=imports, notes=notes
        )

    def _convert(
        self, node: ast.expr, call: str, reason: str, confidence: float, imports: tuple[str, ...] = ()
    ) -> Iterator[Finding]:
        """Wraps one operand; the target of `x += y` is rewritten as `x = call(x) + y`."""
        if self.augmented and node is self.left:
            symbol = next(s for s, k in _OPERATORS.items() if isinstance(self.node.op, k) and len(s) < 3)  # type: ignore[attr-defined]  # it is an AugAssign
            text = f"{self._source(node)} = {call}({self._source(node)}) {symbol} {self._source(self.right)}"
            yield from self._emit([whole(self.node, text)], reason, confidence, imports)
            return
        yield from self._emit([flow.wrapped(self.site, node, call)], reason, confidence, imports)

    def _replace(self, text: str, reason: str, confidence: float) -> Iterator[Finding]:
        if self.augmented:
            text = f"{self._source(self.left)} = {text}"
        yield from self._emit([whole(self.node, text)], reason, confidence)

    def _text_and_other(self) -> Iterator[Finding]:
        text, other = (self.left, self.right) if self.left_type == "str" else (self.right, self.left)
        other_type = self.right_type if text is self.left else self.left_type
        number = other_type in _NUMBERS and not isinstance(text, ast.JoinedStr)
        numeric = number and flow.numeric_text(self.site, text)
        to = flow.number_type(self.site, text, other_type)
        name = self._source(text)
        if self.operator == "+":
            counter = number and self._is_counter(other)
            if numeric or counter:
                reason = f"`{name}` is text, and `{self._source(other)}` is a number: read it as a number"
                yield from self._convert(text, to, reason, STRONG if numeric else PLAUSIBLE)
            wording = self._words(text)
            if number and not (numeric or counter or wording):
                reason = f"`{name}` is text, and `{self._source(other)}` is a number: read it as a number"
                yield from self._convert(text, to, reason, PLAUSIBLE)
            if self.augmented and other is self.left:
                return  # a sum that becomes text is none any more
            reason = f"`{self._source(other)}` is {other_type}, and only text can be added to text"
            sure = STRONG if wording or not number else PLAUSIBLE
            yield from self._convert(other, "str", reason, PLAUSIBLE if numeric or counter else sure)
        elif number and self.operator in ("-", "*", "/", "//", "%", "**", "** or pow()"):
            reason = f"`{name}` is text where a number is needed: read it as a number"
            yield from self._convert(text, to, reason, STRONG if numeric else PLAUSIBLE)
        elif self.left_type == self.right_type == "str" and self.operator in ("-", "*", "//", "**"):
            both = all(flow.numeric_text(self.site, n) for n in (self.left, self.right))
            if both and not self.augmented:
                edits = [flow.wrapped(self.site, n, to) for n in (self.left, self.right)]
                yield from self._emit(edits, "both operands are text that reads as numbers", PLAUSIBLE)

    def _words(self, text: ast.expr) -> bool:
        """Whether text is being put together: a literal is added as well, or the text does not read as a number."""
        value = flow.local(self.site, text)
        if value is not None and value.type == "str":
            return not flow.numeric_text(self.site, text)
        origin = flow.last_value(self.site, text)
        if origin is not None and flow.type_of(self.site, origin) == "str":
            return not (isinstance(origin, ast.Constant) and flow.numeric_text(self.site, origin))
        top: ast.AST = self.node
        while isinstance(up := parents(self.site.tree).get(top), ast.BinOp) and isinstance(up.op, ast.Add):
            top = up
        added = flow.operands(top) if isinstance(top, ast.expr) else [text]
        return any(
            flow.type_of(self.site, part) == "str" and part is not text for part in added
        ) or isinstance(text, ast.Constant | ast.JoinedStr | ast.BinOp)

    def _is_counter(self, other: ast.expr) -> bool:
        """Whether a number was started as `0` to add things up: then the text is what is wrong."""
        value = flow.last_value(self.site, other)
        return self.augmented and isinstance(value, ast.Constant) and isinstance(value.value, int | float)

    def _sequences(self) -> Iterator[Finding]:
        left, right = self.left_type, self.right_type
        if left in ("list", "tuple") and (right in _LAZY):
            reason = f"`{self._source(self.right)}` is a {right}; only a {left} can be added to a {left}"
            yield from self._convert(self.right, left, reason, STRONG)
        elif left in ("list", "tuple") and right != "dict":
            text = self._source(self.right)
            new = f"[{text}]" if left == "list" else f"({text},)"
            reason = f"`{text}` is one {right}, not a {left}: add a {left} that holds it"
            yield from self._emit([whole(self.right, new)], reason, STRONG)
        elif right in ("list", "tuple") and left in _LAZY:
            reason = f"`{self._source(self.left)}` is a {left}; only a {right} can be added to a {right}"
            yield from self._convert(self.left, right, reason, STRONG)
        elif left in _LAZY and right in _LAZY:
            reason = f"{left} objects cannot be added; lists can"
            if not self.augmented:
                edits = [flow.wrapped(self.site, n, "list") for n in (self.left, self.right)]
                yield from self._emit(edits, reason, STRONG)

    def _bytes_and_text(self) -> Iterator[Finding]:
        text, data = (self.left, self.right) if self.left_type == "str" else (self.right, self.left)
        if isinstance(text, ast.Constant) and text is self.right:
            literal = self._source(text)
            if literal[:1] in "'\"" and literal.isascii():
                yield from self._emit(
                    [whole(text, f"b{literal}")], "bytes can only be joined with bytes", STRONG
                )
                return
        if self.left_type == "str":
            reason = f"`{self._source(data)}` is bytes: decode it before it is joined with text"
            yield from self._emit([flow.with_suffix(self.site, data, ".decode()")], reason, STRONG)
        else:
            reason = f"`{self._source(text)}` is text: encode it before it is joined with bytes"
            yield from self._emit([flow.with_suffix(self.site, text, ".encode()")], reason, STRONG)

    def _decimal(self) -> Iterator[Finding]:
        number = self.left if self.left_type == "float" else self.right
        imports = (
            () if re.search(r"\bimport\b.*\bDecimal\b", self.site.text) else ("from decimal import Decimal",)
        )
        reason = f"`{self._source(number)}` is a float, which does not mix with Decimal"
        if not (self.augmented and number is self.left):
            edit = whole(number, f"Decimal(str({self._source(number)}))")
            yield from self._emit([edit], reason, STRONG, imports)

    def _path(self) -> Iterator[Finding]:
        if self.left_type == "str" and not self.augmented:
            imports = (
                ()
                if re.search(r"\bfrom pathlib import .*\bPath\b", self.site.text)
                else ("from pathlib import Path",)
            )
            reason = f"`{self._source(self.left)}` is text; only a Path can be joined with `/`"
            confidence = PLAUSIBLE if not flow.numeric_text(self.site, self.right) else GUESS
            yield from self._convert(self.left, "Path", reason, confidence, imports)

    def _repeat(self) -> Iterator[Finding]:
        if self.right_type == "float":
            for side in (self.left, self.right):
                edits = floor_edits(self.site, side)
                if edits:
                    yield from self._emit(edits, "a count must be an integer: divide with `//`", STRONG)
                    return
        numbers = [n for n in (self.left, self.right) if flow.type_of(self.site, n) == self.right_type]
        number = flow.only(numbers)
        if number is not None and not (self.augmented and number is self.left):
            reason = f"`{self._source(number)}` is {self.right_type}; a sequence can only be repeated an integer number of times"
            if self.right_type == "float":
                other = self.right if number is self.left else self.left
                if flow.numeric_text(self.site, other):
                    yield from self._convert(
                        other, "float", "text that reads as a number is multiplied", STRONG
                    )
                    return
            yield from self._convert(number, "int", reason, PLAUSIBLE)


def floor_edits(site: Site, node: ast.expr) -> list[TextEdit]:
    """Returns edits that turn `/` into `//` in an expression, or in the assignment its variable got its value from."""
    divisions = [n for n in ast.walk(node) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Div)]
    if not divisions:
        origin = flow.last_value(site, node)
        divisions = [origin] if isinstance(origin, ast.BinOp) and isinstance(origin.op, ast.Div) else []
    edits: list[TextEdit] = []
    for division in divisions:
        left, right = source_of(site.text, division.left), source_of(site.text, division.right)
        between = source_of(site.text, division)[len(left) : len(source_of(site.text, division)) - len(right)]
        if between.count("/") != 1 or "#" in between or len(divisions) > 1:
            return []
        edits.append(whole(division, f"{left}{between.replace('/', '//')}{right}"))
    return edits


def _compare(context: RepairContext, site: Site, left_type: str, right_type: str) -> Iterator[Finding]:
    nodes = site.nodes(ast.Compare, lambda n: len(n.ops) == 1)
    node = flow.only(nodes)
    types = {left_type, right_type}
    if node is None:
        if "dict" in types and left_type == right_type:
            yield explained(
                "dictionaries have no order", "Sort or compare with `key=`, by the field that matters."
            )
        return
    if "str" in types and types & _NUMBERS:
        text, other_type = (node.left, right_type) if left_type == "str" else (node.comparators[0], left_type)
        to = flow.number_type(site, text, other_type)
        name = source_of(site.text, text)
        confidence = STRONG if flow.numeric_text(site, text) else PLAUSIBLE
        reason = f"`{name}` is text and is compared with a number: read it as a number"
        yield from flow.one_file(context, site, NAME, reason, confidence, [flow.wrapped(site, text, to)])
    elif types & {"method", "function", "builtin_function_or_method"}:
        number = (
            node.left
            if left_type in ("method", "function", "builtin_function_or_method")
            else node.comparators[0]
        )
        name = source_of(site.text, number)
        reason = f"`{name}` is compared without being called"
        yield from flow.one_file(context, site, NAME, reason, STRONG, [flow.with_suffix(site, number, "()")])
    elif types & {"list", "tuple", "dict", "set"} and types & {"int"}:
        number = node.left if left_type != "int" else node.comparators[0]
        reason = f"`{source_of(site.text, number)}` is a container; its length was meant"
        yield from flow.one_file(context, site, NAME, reason, PLAUSIBLE, [flow.wrapped(site, number, "len")])


RULES: tuple[Rule, ...] = (Rule(NAME, ("TypeError",), apply),)
