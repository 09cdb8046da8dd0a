"""Methods that call themselves by what they do: a property that reads itself, `__setattr__` that sets, an override without `super()`.

Only where the class shows what was meant: the private attribute that exists, or the base whose method is overridden.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules import flow
from selfheal_tui.repair.rules.endless import function_at, own_frames, place
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.spans import insert_before, rename_attribute, source_of, whole
from selfheal_tui.repair.rules.support import CERTAIN, PLAUSIBLE, STRONG, FunctionNode, Site, site_of
from selfheal_tui.source.edits import TextEdit, add_import, apply_edits

NAME = "recursion-self"
_BY_OPERATOR = {
    "__len__": "len", "__iter__": "iter", "__repr__": "repr", "__str__": "str", "__hash__": "hash", "__bool__": "bool",
    "__next__": "next", "__reversed__": "reversed", "__int__": "int", "__float__": "float", "__abs__": "abs",
}  # fmt: skip
_CONTAINERS = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)


def apply(context: RepairContext) -> Iterator[Finding]:
    """Yields what the method was to call instead of itself."""
    if context.error.bare_type != "RecursionError":
        return
    for frame in own_frames(context)[:6]:
        site = site_of(context, frame)
        function = function_at(site) if site is not None else None
        if site is None or function is None or not function.args.args:
            continue
        owner = site.method_class(function.body[0])
        if owner is None or function not in owner.body:
            yield from _shadowed(context, site, function)
            continue
        for reason, confidence, edits in _method(site, owner, function):
            yield from flow.one_file(context, site, NAME, reason, confidence, edits)


_Idea = tuple[str, float, list[TextEdit]]


def _method(site: Site, owner: ast.ClassDef, function: FunctionNode) -> Iterator[_Idea]:
    me, name = function.args.args[0].arg, function.name
    decorators = {ast.unparse(d) for d in function.decorator_list}
    if any(d.rpartition(".")[2] in ("property", "cached_property", "setter", "getter") for d in decorators):
        yield from _property(owner, name)
    elif name == "__setattr__":
        yield from _setting(site, function, me)
    elif name == "__getattribute__":
        yield from _reading(site, function, me)
    elif name == "__getattr__":
        yield from _lacking(function, me)
    elif name in _BY_OPERATOR:
        yield from _operator(owner, function, me)
    elif name in ("__getitem__", "__setitem__", "__delitem__", "__contains__"):
        yield from _item(site, owner, function, me)
    yield from _override(owner, function, me)


def _accesses(node: ast.AST, me: str, name: str) -> list[ast.Attribute]:
    return [
        n for n in ast.walk(node) if isinstance(n, ast.Attribute) and n.attr == name and place(n.value) == me
    ]


def _property(owner: ast.ClassDef, name: str) -> Iterator[_Idea]:
    """`return self.x` in property x: the private attribute is meant, in getter and setter alike."""
    own = [f for f in owner.body if isinstance(f, ast.FunctionDef) and f.name == name and f.args.args]
    inside = [(f, a) for f in own for a in _accesses(f, f.args.args[0].arg, name)]
    if not inside:
        return
    stored = {
        n.attr for n in ast.walk(owner) if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)
    }
    private = next((n for n in (f"_{name}", f"__{name}", f"{name}_") if n in stored), "")
    has_setter = len(own) > 1
    if not private and not has_setter:
        # Nothing says where the value is; an attribute that is set from a parameter of that name would clash.
        setters = [
            a
            for f in owner.body
            if isinstance(f, ast.FunctionDef) and f.args.args
            for a in _accesses(f, f.args.args[0].arg, name)
            if isinstance(a.ctx, ast.Store)
        ]
        if not setters:
            return
        edits = [rename_attribute(a, f"_{name}") for a in (*setters, *(a for _, a in inside))]
        yield f"property `{name}` reads itself; its value is kept in `_{name}`", CERTAIN, edits
        return
    edits = [rename_attribute(a, private or f"_{name}") for _, a in inside]
    yield f"property `{name}` uses itself instead of `{private or '_' + name}`", CERTAIN, edits


def _setting(site: Site, function: FunctionNode, me: str) -> Iterator[_Idea]:
    names = [a.arg for a in function.args.args]
    edits: list[TextEdit] = []
    for node in ast.walk(function):
        if (
            isinstance(node, ast.Call)
            and place(node.func) == "setattr"
            and len(node.args) == 3
            and place(node.args[0]) == me
        ):
            rest = ", ".join(source_of(site.text, a) for a in node.args[1:])
            edits.append(whole(node, f"super().__setattr__({rest})"))
        elif isinstance(node, ast.Assign) and len(node.targets) == 1:
            target = node.targets[0]
            if isinstance(target, ast.Attribute) and place(target.value) == me:
                value = source_of(site.text, node.value)
                edits.append(whole(node, f"super().__setattr__({target.attr!r}, {value})"))
    if edits and len(names) == 3:
        yield "`__setattr__` sets an attribute and so calls itself", CERTAIN, edits


def _reading(site: Site, function: FunctionNode, me: str) -> Iterator[_Idea]:
    edits: list[TextEdit] = []
    for node in ast.walk(function):
        if (
            isinstance(node, ast.Call)
            and place(node.func) == "getattr"
            and node.args
            and place(node.args[0]) == me
        ):
            if len(node.args) == 2:
                edits.append(whole(node, f"super().__getattribute__({source_of(site.text, node.args[1])})"))
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and place(node.value) == me:
            edits.append(whole(node, f"super().__getattribute__({node.attr!r})"))
    if edits:
        yield "`__getattribute__` reads an attribute and so calls itself", CERTAIN, edits


def _lacking(function: FunctionNode, me: str) -> Iterator[_Idea]:
    """`__getattr__` that needs an attribute which is not there yet (in copies, before `__init__`)."""
    if len(function.args.args) != 2:
        return
    asked = function.args.args[1].arg
    needed = {
        n.attr
        for n in ast.walk(function)
        if isinstance(n, ast.Attribute)
        and isinstance(n.ctx, ast.Load)
        and place(n.value) == me
        and not n.attr.startswith("__")
    }
    reads = [
        n
        for n in ast.walk(function)
        if isinstance(n, ast.Attribute) and n.attr in needed and place(n.value) == me
    ]
    if reads:
        edits = [
            whole(n, f"super().__getattribute__({n.attr!r})") for n in reads if isinstance(n.ctx, ast.Load)
        ]
        yield f"`__getattr__` asks itself for `{reads[0].attr}` while that is not set", STRONG, edits
    for node in ast.walk(function):
        if not (isinstance(node, ast.Call) and place(node.func) == "getattr" and len(node.args) == 2):
            continue
        if place(node.args[0]) == me and place(node.args[1]) == asked:
            text = f"super().__getattribute__({asked})"
            yield "`__getattr__` asks itself for what it lacks", STRONG, [whole(node, text)]


def _operator(owner: ast.ClassDef, function: FunctionNode, me: str) -> Iterator[_Idea]:
    """`len(self)` in `__len__` and its kin."""
    called = _BY_OPERATOR[function.name]
    calls = [
        n
        for n in ast.walk(function)
        if isinstance(n, ast.Call) and place(n.func) == called and len(n.args) == 1 and place(n.args[0]) == me
    ]
    shown = [
        n
        for n in ast.walk(function)
        if isinstance(n, ast.FormattedValue)
        and place(n.value) == me
        and function.name == ("__repr__" if n.conversion == ord("r") else "__str__")
    ]
    if shown or (function.name in ("__repr__", "__str__") and calls):
        edits = [whole(n, f"super().{function.name}()") for n in calls]
        edits += [whole(n.value, f"super().{function.name}()") for n in shown]
        yield f"`{function.name}` shows itself", PLAUSIBLE, edits
        return
    inner = _only_container(owner, me)
    if calls and inner:
        edits = [whole(n.args[0], f"{me}.{inner}") for n in calls]
        yield f"`{function.name}` asks itself; the class keeps its items in `{inner}`", STRONG + 0.1, edits


def _only_container(owner: ast.ClassDef, me: str) -> str:
    """The one attribute that a class sets to a container, or to a parameter, in `__init__`."""
    init = next((f for f in owner.body if isinstance(f, ast.FunctionDef) and f.name == "__init__"), None)
    found: list[str] = []
    for node in ast.walk(init) if init else []:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        if (
            isinstance(target, ast.Attribute)
            and place(target.value) == me
            and isinstance(node, ast.Assign | ast.AnnAssign)
        ):
            made = isinstance(value, ast.Call) and place(value.func).rpartition(".")[2] in (
                "list", "dict", "set", "tuple", "deque", "defaultdict", "OrderedDict", "Counter", "sorted",
            )  # fmt: skip
            if isinstance(value, _CONTAINERS) or made:
                found.append(target.attr)
    return found[0] if len(set(found)) == 1 else ""


def _item(site: Site, owner: ast.ClassDef, function: FunctionNode, me: str) -> Iterator[_Idea]:
    """`self[key]` in `__getitem__` and its kin."""
    kinds = {"__getitem__": ast.Load, "__setitem__": ast.Store, "__delitem__": ast.Del}
    places: list[ast.expr] = []
    for node in ast.walk(function):
        if isinstance(node, ast.Subscript) and place(node.value) == me:
            if isinstance(node.ctx, kinds.get(function.name, ())):
                places.append(node.value)
        elif (
            function.name == "__contains__"
            and isinstance(node, ast.Compare)
            and place(node.comparators[0]) == me
        ):
            places.append(node.comparators[0])
    inner = _only_container(owner, me)
    if places and inner:
        edits = [whole(p, f"{me}.{inner}") for p in places]
        yield f"`{function.name}` asks itself; the class keeps its items in `{inner}`", STRONG + 0.1, edits
    elif len(places) == 1 and owner.bases:
        node = places[0]
        statement = flow.statement_of(site, node)
        if function.name == "__getitem__":
            up = next(
                (n for n in ast.walk(function) if isinstance(n, ast.Subscript) and n.value is node), None
            )
            if up is not None:
                text = f"super().__getitem__({source_of(site.text, up.slice)})"
                yield "`__getitem__` calls itself instead of the base class", STRONG + 0.1, [whole(up, text)]
        elif (
            function.name == "__setitem__"
            and isinstance(statement, ast.Assign)
            and len(statement.targets) == 1
        ):
            target = statement.targets[0]
            if isinstance(target, ast.Subscript):
                text = f"super().__setitem__({source_of(site.text, target.slice)}, {source_of(site.text, statement.value)})"
                yield (
                    "`__setitem__` calls itself instead of the base class",
                    STRONG + 0.1,
                    [whole(statement, text)],
                )


def _override(owner: ast.ClassDef, function: FunctionNode, me: str) -> Iterator[_Idea]:
    """`self.method(...)` in an override that passes its own arguments on: the base's method is meant."""
    if not owner.bases:
        return
    names = [a.arg for a in function.args.args[1:]]
    for node in ast.walk(function):
        if not (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == function.name
        ):
            continue
        if place(node.func.value) != me:
            continue
        passed = [place(a) for a in node.args] + [k.arg or "" for k in node.keywords]
        if passed == names[: len(passed)]:
            reason = f"`{function.name}` overrides the base's method and calls itself instead of it"
            yield reason, STRONG + 0.1, [whole(node.func.value, "super()")]


def _shadowed(context: RepairContext, site: Site, function: FunctionNode) -> Iterator[Finding]:
    """A function with the name of a built-in one which it means to call."""
    if not hasattr(builtins, function.name) or site.function(function) is not None:
        return
    calls = [n for n in ast.walk(function) if isinstance(n, ast.Call) and place(n.func) == function.name]
    if calls:
        text = apply_edits(site.text, [insert_before(n.func, "builtins.") for n in calls])
        reason = f"`{function.name}` calls itself where it means the built-in function"
        from selfheal_tui.repair.rules.support import candidate

        yield candidate(
            context,
            NAME,
            reason,
            STRONG,
            {site.path: add_import(text, "import builtins")},
            adds_imports=["builtins"],
        )


RULES: tuple[Rule, ...] = (Rule(NAME, ("RecursionError",), apply),)
