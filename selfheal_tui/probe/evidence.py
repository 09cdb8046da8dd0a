"""Gathers, in the failing process, what it knows about a name, attribute, key or keyword that was not there.

Objects are looked at through their `__dict__`s and base classes only, and expressions are resolved by reading
variables, never by evaluating: nothing of the program runs. Standard library only, CPython 3.9+.
"""

from __future__ import annotations

import ast
import builtins
import itertools
import re
import sys
from types import FrameType, ModuleType, TracebackType
from typing import Any, Iterable

from .frames import Sources, positions
from .redaction import mask_text
from .render import Budget, clean, instance_dict, render, type_module, type_name

MAX_NAMES = 200
MAX_KEYS = 64
_MISSING = object()
_ATTRIBUTE = re.compile(r"has no attribute '([^']{1,200})'")
_NAME = re.compile(r"(?:name|variable) '([^']{1,200})'")
_KEYWORD = re.compile(r"unexpected keyword argument '([^']{1,200})'")
_IMPORT = re.compile(
    r"cannot import name '([^']{1,200})' from (?:partially initialized module )?'([^']{1,300})'"
)
_NO_MODULE = re.compile(r"No module named '([^']{1,300})'")


def gather(
    error: BaseException, levels: list[TracebackType], sources: Sources, budget: Budget
) -> dict[str, Any]:
    """Gathers the evidence about one exception.

    Args:
        error: The live exception.
        levels: Its traceback, outermost first.
        sources: Knowledge about source files.
        budget: What the capture may still spend.

    Returns:
        A JSON-able `NameEvidence`; empty when the exception is of another kind.
    """
    if isinstance(error, AttributeError):
        return _attribute(error, levels, sources, budget)
    if isinstance(error, NameError):
        return _name(error, levels)
    if isinstance(error, ImportError):
        return _import(error)
    if isinstance(error, KeyError):
        return _key(error, levels, sources, budget)
    if isinstance(error, TypeError):
        found = _KEYWORD.search(_message(error))
        return {"name": found.group(1)} if found else {}
    return {}


def _message(error: BaseException) -> str:
    arguments = error.args
    return arguments[0][:2_000] if arguments and type(arguments[0]) is str else ""


def _recorded(error: BaseException, owner: type, name: str) -> Any:
    """Reads a field of a built-in exception past whatever a subclass made of it."""
    member = owner.__dict__.get(name)
    return member.__get__(error) if member is not None else None


def _attribute(
    error: AttributeError, levels: list[TracebackType], sources: Sources, budget: Budget
) -> dict[str, Any]:
    name = _recorded(error, AttributeError, "name")
    owner = _recorded(error, AttributeError, "obj")
    if type(name) is not str:
        found = _ATTRIBUTE.search(_message(error))
        if found is None:
            return {}
        name = found.group(1)
        owner = None
    if owner is None and levels:
        # 3.9 records nothing, and neither does an AttributeError that the program raised by itself.
        owner = _resolve_owner(name, levels[-1], sources)
    if owner is None and "'NoneType'" not in _message(error):
        return {"name": clean(name)}
    evidence: dict[str, Any] = {"name": clean(name), **describe_object(owner)}
    if isinstance(owner, dict):
        # `d.name` where `d["name"]` was meant.
        evidence["keys"] = _keys_of(owner, budget)
    return evidence


def _keys_of(mapping: dict[Any, Any], budget: Budget) -> list[str]:
    keys = list(itertools.islice(dict.keys(mapping), MAX_KEYS))
    return [render("", one, budget, limit=120) for one in keys]


def describe_object(owner: object) -> dict[str, Any]:
    """Describes the object that lacked an attribute: its type, bases and the names that it has.

    Args:
        owner: A module, a class (which then is described itself, not its metaclass), or an instance.

    Returns:
        The `obj_…` fields of a `NameEvidence`.
    """
    if issubclass(type(owner), ModuleType):
        names = instance_dict(owner)
        return {
            "obj_type": "module",
            "obj_module": _text(names.get("__name__")),
            "obj_file": _text(names.get("__file__")),
            "obj_names": _bounded(names),
        }
    kind: Any = owner if issubclass(type(owner), type) else type(owner)
    bases = type.__dict__["__mro__"].__get__(kind)
    own = {} if kind is owner else instance_dict(owner)
    inherited = itertools.chain.from_iterable(type.__dict__["__dict__"].__get__(base) for base in bases)
    module = type_module(kind)
    return {
        "obj_type": type_name(kind),
        "obj_module": module or None,
        "obj_file": _text(instance_dict(sys.modules.get(module)).get("__file__")),
        "obj_mro": [type_name(base) for base in bases[1:9] if base is not object],
        "obj_names": _bounded(itertools.chain(own, inherited)),
    }


def _text(value: object) -> str | None:
    return clean(value)[:1_000] if type(value) is str else None


def _bounded(names: Iterable[Any]) -> list[str]:
    plain = (name for name in list(names) if type(name) is str and not name.startswith("__"))
    return [clean(name)[:200] for name in itertools.islice(dict.fromkeys(plain), MAX_NAMES)]


def _name(error: NameError, levels: list[TracebackType]) -> dict[str, Any]:
    name = _recorded(error, NameError, "name")
    if type(name) is not str:
        found = _NAME.search(_message(error))
        name = found.group(1) if found else None
    if name is None or not levels:
        return {"name": name}
    frame = levels[-1].tb_frame
    return {"name": clean(name), "obj_names": _bounded(itertools.chain(frame.f_locals, frame.f_globals))}


def _import(error: ImportError) -> dict[str, Any]:
    found = _IMPORT.search(_message(error))
    if found is None:
        name = _recorded(error, ImportError, "name")
        missing = _NO_MODULE.search(_message(error))
        return {"name": _text(name) or (clean(missing.group(1)) if missing else None)}
    names = instance_dict(sys.modules.get(found.group(2)))
    return {
        "name": clean(found.group(1)),
        "obj_type": "module",
        "obj_module": clean(found.group(2)),
        "obj_file": _text(names.get("__file__")) or _text(_recorded(error, ImportError, "path")),
        "obj_names": _bounded(names),
    }


def _key(error: KeyError, levels: list[TracebackType], sources: Sources, budget: Budget) -> dict[str, Any]:
    if len(error.args) != 1:
        return {}
    key = error.args[0]
    plain = type(key) in (str, int, float, bool, bytes, type(None))
    # A string is given as it is, every other key as its `repr`.
    evidence: dict[str, Any] = {
        "name": clean(mask_text(key[:300])) if type(key) is str else render("", key, budget)
    }
    if not plain:
        return evidence
    for level in [
        *levels[-1:],
        *[one for one in levels if sources.is_in_app(one.tb_frame.f_code.co_filename)][-1:],
    ]:
        mapping = _resolve_mapping(key, level, sources)
        if mapping is not None:
            evidence["keys"] = _keys_of(mapping, budget)
            evidence["obj_type"] = type_name(type(mapping))
            break
    return evidence


def _resolve_mapping(key: Any, level: TracebackType, sources: Sources) -> Any:
    """Finds the dict on the failing line that lacks the key."""
    for node in _nodes(level, sources):
        base: ast.expr | None = None
        if isinstance(node, ast.Subscript):
            base = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "pop":
            base = node.func.value
        found = resolve(base, level.tb_frame) if base is not None else None
        if found is not None and issubclass(type(found), dict) and not dict.__contains__(found, key):
            return found
    return None


def _resolve_owner(name: str, level: TracebackType, sources: Sources) -> Any:
    """Finds the object on the failing line from which the attribute was read."""
    for node in _nodes(level, sources):
        if isinstance(node, ast.Attribute) and node.attr == name:
            return resolve(node.value, level.tb_frame)
    return None


def _nodes(level: TracebackType, sources: Sources) -> list[ast.expr]:
    """Lists the expressions of the failing line: the failing one alone where its columns are known."""
    tree = sources.tree(level.tb_frame.f_code.co_filename)
    if tree is None:
        return []
    line = level.tb_lineno or 0
    nodes = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.expr) and node.lineno <= line <= (node.end_lineno or node.lineno)
    ]
    where = positions(level)
    if where[2] is None:
        return nodes
    exact = [
        node
        for node in nodes
        if (node.lineno, node.end_lineno, node.col_offset, node.end_col_offset) == where
    ]
    return exact or nodes


def resolve(node: ast.expr, frame: FrameType) -> Any:
    """Reads the value of a simple expression from a frame's variables, running nothing.

    Args:
        node: Names, attributes kept in `__dict__`s, and items of built-in containers; nothing else resolves.
        frame: The frame.

    Returns:
        The live object, or None when it cannot be told.
    """
    found = _resolve(node, frame, 0)
    return None if found is _MISSING else found


def _resolve(node: ast.expr, frame: FrameType, depth: int) -> Any:
    if depth > 20:
        return _MISSING
    if isinstance(node, ast.Name):
        for names in (frame.f_locals, frame.f_globals, vars(builtins)):
            if node.id in names:
                return names[node.id]
        return _MISSING
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Attribute):
        return _static_attribute(_resolve(node.value, frame, depth + 1), node.attr)
    if isinstance(node, ast.Subscript):
        # Before 3.9 an index was wrapped; from then on it is an expression itself.
        return _static_item(_resolve(node.value, frame, depth + 1), _resolve(node.slice, frame, depth + 1))
    return _MISSING


def _static_attribute(owner: Any, name: str) -> Any:
    own = instance_dict(owner)
    if name in own:
        return own[name]
    kind = owner if issubclass(type(owner), type) else type(owner)
    for base in type.__dict__["__mro__"].__get__(kind):
        found = type.__dict__["__dict__"].__get__(base).get(name, _MISSING)
        if found is not _MISSING:
            # A descriptor would have to be run.
            return _MISSING if hasattr(type(found), "__get__") else found
    return _MISSING


def _static_item(owner: Any, key: Any) -> Any:
    if type(key) not in (str, int, bool, type(None)):
        return _MISSING
    if type(owner) is dict:
        return owner.get(key, _MISSING)
    if type(owner) in (list, tuple) and type(key) is int and -len(owner) <= key < len(owner):
        return owner[key]
    return _MISSING
