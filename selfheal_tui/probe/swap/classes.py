"""Plans changes of a class in place: the class object stays the same one, so instances and subclasses follow.

The class statement is not run again, except that a dataclass is generated anew beside the old one and its parts are
carried over. Standard library only, CPython 3.9+.
"""

from __future__ import annotations

import abc
import ast
import enum
import sys
import types
from typing import Any, Optional

from .dataclass import is_dataclass_node, plan_dataclass
from .functions import bounce, evaluate_header, make_function
from .journal import Journal
from .live import Space, instances_of
from .plan import ADD, REMOVE, RESHAPE, FilePlan, name_of
from .safety import is_plain_assignment
from .syntax import (
    FUNCTIONS,
    Change,
    Function,
    attributes_set,
    bound_names,
    decorators,
    diff_bodies,
    shape,
    touches,
    without_bodies,
)


def plan_class(
    plan: FilePlan,
    space: Space,
    owner: type,
    old: Optional[ast.ClassDef],
    new: ast.ClassDef,
    prefix: str = "",
) -> None:
    """Plans one class.

    Args:
        plan: The file's plan.
        space: The namespace the class lives in.
        owner: The class as it is alive.
        old: Its statement before; None when that is not known.
        new: Its statement now.
        prefix: The qualified name of the class around it, with a dot.
    """
    qualname = prefix + new.name
    what = name_of(space, qualname)
    if sys.version_info >= (3, 13):
        line = min([new.lineno, *(one.lineno for one in new.decorator_list)])
        plan.add(RESHAPE, lambda journal: journal.set_class(owner, "__firstlineno__", line))
    changes = diff_bodies(old.body if old else None, new.body, vars(owner))
    if old is None:
        changes += [
            Change(None, one)
            for one in new.body
            if isinstance(one, ast.ClassDef) and isinstance(vars(owner).get(one.name), type)
        ]
    else:
        changed = {id(change.new) for change in changes}
        changes += [
            Change(one, one) for one in new.body if id(one) not in changed and touches(one, plan.dirty)
        ]
        if [shape(one) for one in old.keywords] != [shape(one) for one in new.keywords]:
            plan.refuse(what, "its metaclass or class arguments changed")
        if is_dataclass_node(old, plan.imports) or is_dataclass_node(new, plan.imports):
            changes = plan_dataclass(plan, space, owner, old, new, changes, what)
        elif decorators(old) != decorators(new):
            plan.refuse(what, "its class decorators changed")
        if [shape(one) for one in old.bases] != [shape(one) for one in new.bases]:
            _plan_bases(plan, space, owner, new, what)
    provided = {name for one in new.body for name in bound_names(one)}
    for change in changes:
        _plan_member(plan, space, owner, change, qualname, provided)
    if isinstance(owner, abc.ABCMeta) and changes:
        plan.add(REMOVE, lambda journal: _recount_abstract(journal, owner))


def _plan_bases(plan: FilePlan, space: Space, owner: type, new: ast.ClassDef, what: str) -> None:
    def step(journal: Journal) -> None:
        bases = tuple(plan.value(one, space.names) for one in new.bases) or (object,)
        resolved = types.resolve_bases(bases)
        if resolved != owner.__bases__:
            journal.set_class(owner, "__bases__", resolved)

    def guarded(journal: Journal) -> None:
        from .outcome import NotSwappableError

        try:
            step(journal)
        except TypeError as error:
            raise NotSwappableError(what, f"its base classes changed: {error}") from error

    plan.add(RESHAPE, guarded, what)


def _plan_member(
    plan: FilePlan, space: Space, owner: type, change: Change, qualname: str, provided: set[str]
) -> None:
    old, new = change
    node = new if new is not None else old
    assert node is not None
    names = bound_names(node)
    what = name_of(space, f"{qualname}.{names[0]}" if names else qualname)
    if isinstance(new, FUNCTIONS):
        if new.name == "__init__":
            _check_new_attributes(plan, owner, old, new, provided, what)
        _plan_method(plan, space, owner, old, new, qualname)
    elif isinstance(new, ast.ClassDef):
        current = vars(owner).get(new.name)
        if isinstance(current, type) and (old is None or isinstance(old, ast.ClassDef)):
            plan_class(plan, space, current, old, new, qualname + ".")
        elif old is None and new.name not in vars(owner):
            plan.add(ADD, lambda journal: _add_nested(journal, plan, space, owner, new, qualname), what)
        else:
            plan.refuse(what, "it is a class now and was something else")
    elif isinstance(node, ast.Pass):
        return
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        text = ast.get_docstring(ast.Module([new], []), clean=sys.version_info >= (3, 13)) if new else None
        if owner.__doc__ != text:
            plan.add(RESHAPE, lambda journal: journal.set_class(owner, "__doc__", text), what)
    elif new is None and isinstance(node, FUNCTIONS):
        key = _mangled(owner, names[0])
        plan.add(REMOVE, lambda journal: _drop(journal, plan, owner, key, what), what)
    elif is_plain_assignment(node, plan.imports):
        _plan_attribute(plan, space, owner, old, new, names, what)
    elif old is None or new is None or without_bodies(old) != without_bodies(new):
        plan.refuse(what, "this statement of the class body runs only when the class is made")


def _plan_attribute(
    plan: FilePlan,
    space: Space,
    owner: type,
    old: Optional[ast.stmt],
    new: Optional[ast.stmt],
    names: list[str],
    what: str,
) -> None:
    if "__slots__" in names:
        plan.refuse(what, "__slots__ changed, and living instances cannot change their layout")
        return
    if issubclass(owner, enum.Enum):
        plan.refuse(what, "the members of an enum changed")
        return
    kind = type(owner)
    annotated = isinstance(old, ast.AnnAssign) or isinstance(new, ast.AnnAssign)
    if kind not in (type, abc.ABCMeta) or (
        annotated and hasattr(owner, "_fields") and issubclass(owner, tuple)
    ):
        reason = (
            f"the metaclass {kind.__name__} made the class" if kind is not type else "it is a named tuple"
        )
        plan.refuse(what, f"a field changed, and {reason} once and for all")
        return
    value = getattr(old, "value", None)
    if old is not None and new is not None and old is not new and without_bodies(old) == without_bodies(new):
        return
    keys = [_mangled(owner, name) for name in names]
    if value is not None and not (
        len(keys) == 1
        and keys[0] in vars(owner)
        and plan.is_unmodified(value, vars(owner)[keys[0]], space.names, dict(vars(owner)))
    ):
        plan.refuse(
            what, "the program has changed this class attribute since it was set, or it cannot be compared"
        )
        return

    def step(journal: Journal) -> None:
        scope = {**vars(owner), "__annotations__": {}}
        if new is None:
            for key in keys:
                _drop(journal, plan, owner, key, what)
            return
        plan.run(new, space.names, scope)
        for name, key in zip(names, keys):  # noqa: B905 - `strict` is 3.10+
            if getattr(new, "value", None) is not None:
                _bind(journal, owner, key, scope[name])
        if scope["__annotations__"]:
            merged = {**vars(owner).get("__annotations__", {}), **scope["__annotations__"]}
            journal.set_class(owner, "__annotations__", merged)

    fresh = old is None and new is not None and not touches(new, plan.dirty)
    plan.add(ADD if fresh else REMOVE if new is None else RESHAPE, step, what)


def _drop(journal: Journal, plan: FilePlan, owner: type, name: str, what: str) -> None:
    if not plan.leaves(what):
        journal.drop_class(owner, name)


def _mangled(owner: type, name: str) -> str:
    if name.startswith("__") and not name.endswith("__"):
        return f"_{owner.__name__.lstrip('_')}{name}"
    return name


def _bind(journal: Journal, owner: type, name: str, value: Any) -> None:
    journal.set_class(owner, name, value)
    introduce = getattr(type(value), "__set_name__", None)
    if introduce is not None:
        introduce(value, owner, name)


def _plan_method(
    plan: FilePlan, space: Space, owner: type, old: Optional[ast.stmt], new: Function, qualname: str
) -> None:
    what = name_of(space, f"{qualname}.{new.name}")
    if isinstance(old, FUNCTIONS):
        dirty = any(touches(one, plan.dirty) for one in new.decorator_list)
        if decorators(old) == decorators(new) and not dirty:
            return
    elif old is not None:
        plan.refuse(what, "it is a method now and was something else")
        return

    def step(journal: Journal) -> None:
        made = _make_method(plan, space, owner, new, f"{qualname}.{new.name}")
        before = vars(owner).get(_mangled(owner, new.name))
        if type(before) is types.FunctionType and type(made) is types.FunctionType:
            bounce(journal, before, made)
        _bind(journal, owner, _mangled(owner, new.name), made)

    absent = new.name not in vars(owner) or plan.is_left_over(what)
    fresh = old is None and not touches(new, plan.dirty) and absent
    plan.add(ADD if fresh else RESHAPE, step, what)


def _make_method(plan: FilePlan, space: Space, owner: type, node: Function, qualname: str) -> Any:
    scope = dict(vars(owner))
    head = evaluate_header(node, plan.live.filename, plan.now.flags, space.names, scope)
    function = make_function(plan.code_of(node, qualname), space.names, owner, {})
    function.__defaults__, function.__kwdefaults__ = head.defaults, head.kwdefaults
    function.__annotations__, function.__doc__ = head.annotations, head.doc
    function.__qualname__ = qualname
    made: Any = function
    if node.name in ("__init_subclass__", "__class_getitem__") and not node.decorator_list:
        made = classmethod(function)
    elif node.name == "__new__" and not node.decorator_list:
        made = staticmethod(function)
    for one in reversed(node.decorator_list):
        made = plan.value(one, space.names, scope)(made)
    return made


def _add_nested(
    journal: Journal, plan: FilePlan, space: Space, owner: type, node: ast.ClassDef, qualname: str
) -> None:
    inner: ast.stmt = node
    parts = qualname.split(".")
    for part in reversed(parts):
        # Plain shells around it give the nested class and its methods their qualified names.
        shell = ast.parse(f"class {part}: pass").body[0]
        assert isinstance(shell, ast.ClassDef)
        shell.body = [inner]
        inner = shell
    scope: dict[str, Any] = {}
    plan.run(inner, space.names, scope, len(parts))
    made = scope[parts[0]]
    for part in [*parts[1:], node.name]:
        made = vars(made)[part]
    journal.set_class(owner, node.name, made)


def _check_new_attributes(
    plan: FilePlan, owner: type, old: Optional[ast.stmt], new: Function, provided: set[str], what: str
) -> None:
    """Refuses when `__init__` sets attributes that living instances do not have."""
    before = attributes_set(old) if isinstance(old, FUNCTIONS) else set()
    gained = {
        name for name in attributes_set(new) - before - provided if not hasattr(owner, _mangled(owner, name))
    }
    if (
        not gained
        or hasattr(owner, "__getattr__")
        or (plan.before is None and old is None and "__init__" not in vars(owner))
    ):
        return
    for one in instances_of(owner):
        lacking = sorted(name for name in gained if not _has(one, _mangled(owner, name)))
        if lacking:
            plan.refuse(what, f"living instances lack the new attribute {', '.join(map(repr, lacking))}")
            return


def _has(one: Any, name: str) -> bool:
    try:
        object.__getattribute__(one, name)
    except AttributeError:
        return False
    return True


def _recount_abstract(journal: Journal, owner: type) -> None:
    """Works out again which methods of an abstract class are missing, as `abc` does when it makes one."""
    candidates = {name for base in owner.__bases__ for name in getattr(base, "__abstractmethods__", ())}
    candidates |= set(vars(owner))
    missing = frozenset(
        name for name in candidates if getattr(getattr(owner, name, None), "__isabstractmethod__", False)
    )
    if missing != getattr(owner, "__abstractmethods__", frozenset()):
        journal.set_class(owner, "__abstractmethods__", missing)
