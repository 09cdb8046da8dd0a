"""Gives living functions new code: everyone who holds the function object then calls the new code.

Where the new code needs other closure cells than the function has, a new function is made and the old object becomes
a trampoline to it. Every write goes through the journal. Standard library only, CPython 3.9+.
"""

from __future__ import annotations

import ast
import copy
import inspect
import keyword
import sys
from types import CellType, CodeType, FunctionType
from typing import Any, Mapping, NamedTuple, Optional

from .codes import MARKED_LATER
from .journal import Journal
from .outcome import NotSwappableError
from .syntax import Function

TRAMPOLINE = "<selfheal trampoline>"
_TARGET = "_selfheal_target"


class Header(NamedTuple):
    """What `def` works out when it runs."""

    defaults: Optional[tuple[Any, ...]]
    kwdefaults: Optional[dict[str, Any]]
    annotations: dict[str, Any]
    doc: Optional[str]


def evaluate_header(
    node: Function, filename: str, flags: int, names: dict[str, Any], scope: Mapping[str, Any]
) -> Header:
    """Runs a `def` without its decorators and body, and returns what it worked out.

    Args:
        node: The function.
        filename: The file's name, for tracebacks.
        flags: The `__future__` flags of the file.
        names: The module's namespace.
        scope: The names of the class in which it stands, if it does.
    """
    bare = copy.copy(node)
    bare.decorator_list = []
    first = node.body[0]
    has_doc = ast.get_docstring(node, clean=False) is not None
    bare.body = [first if has_doc else ast.copy_location(ast.Pass(), first)]
    code = compile(ast.Module([bare], []), filename, "exec", flags=flags, dont_inherit=True)
    local = dict(scope)
    exec(code, names, local)  # noqa: S102 - the header of a function, from the file on disk
    made = local[node.name]
    return Header(made.__defaults__, made.__kwdefaults__, dict(made.__annotations__), made.__doc__)


def check_cells(function: FunctionType, code: CodeType, owner: Optional[type], qualname: str) -> None:
    """Raises NotSwappableError when the function cannot be given this code."""
    have = set(function.__code__.co_freevars)
    missing = [name for name in code.co_freevars if name not in have and not (name == "__class__" and owner)]
    if missing:
        raise NotSwappableError(
            qualname, f"a closure that was made before has no variable {', '.join(map(repr, missing))}"
        )
    if function.__code__.co_freevars != code.co_freevars and not _can_bounce(function):
        raise NotSwappableError(qualname, "its closure cannot be replaced")


def _can_bounce(function: FunctionType) -> bool:
    return all(name.isidentifier() and not keyword.iskeyword(name) for name in function.__code__.co_freevars)


def give_code(
    journal: Journal, function: FunctionType, code: CodeType, owner: Optional[type], header: Optional[Header]
) -> FunctionType:
    """Lets a function run other code, and returns the function object that really has it."""
    marks = function.__code__.co_flags & MARKED_LATER
    if marks:
        code = code.replace(co_flags=code.co_flags | marks)
    if function.__code__.co_freevars == code.co_freevars:
        # Never fewer defaults than the code at any moment needs: another thread may be calling it.
        growing = header is not None and len(header.defaults or ()) >= len(function.__defaults__ or ())
        if header is not None and growing:
            give_header(journal, function, header)
        journal.set_attribute(function, "__code__", code)
        if header is not None and not growing:
            give_header(journal, function, header)
        return function
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or ()))  # noqa: B905 - `strict` is 3.10+
    made = make_function(code, function.__globals__, owner, cells)
    made.__defaults__, made.__kwdefaults__ = function.__defaults__, function.__kwdefaults__
    made.__annotations__, made.__doc__ = function.__annotations__, function.__doc__
    made.__module__, made.__qualname__ = function.__module__, function.__qualname__
    made.__dict__.update(function.__dict__)
    if header is not None:
        give_header(Journal(), made, header)
        journal.set_attribute(function, "__annotations__", header.annotations)
        journal.set_attribute(function, "__doc__", header.doc)
    bounce(journal, function, made)
    return made


def give_header(journal: Journal, function: FunctionType, header: Header) -> None:
    """Sets defaults, annotations and docstring."""
    journal.set_attribute(function, "__defaults__", header.defaults)
    journal.set_attribute(function, "__kwdefaults__", header.kwdefaults)
    journal.set_attribute(function, "__annotations__", header.annotations)
    journal.set_attribute(function, "__doc__", header.doc)


def make_function(
    code: CodeType, names: dict[str, Any], owner: Optional[type], cells: Mapping[str, CellType]
) -> FunctionType:
    """Makes a function from code, with the cells that there are and `__class__` for its class."""
    closure = []
    for name in code.co_freevars:
        if name in cells:
            closure.append(cells[name])
        elif name == "__class__" and owner is not None:
            closure.append(CellType(owner))
        else:
            raise NotSwappableError(code.co_name, f"it needs the variable {name!r} of a call that is over")
    return FunctionType(code, names, code.co_name, None, tuple(closure) or None)


def bounce(journal: Journal, function: FunctionType, target: Any) -> None:
    """Turns a function object that is held somewhere into a trampoline to another callable."""
    code = _trampoline_code(function, target)
    if code is None:
        raise NotSwappableError(function.__qualname__, "its closure cannot be replaced")
    journal.set_attribute(function, "__code__", code)
    journal.set_attribute(function, "__wrapped__", target)


def _trampoline_code(function: FunctionType, target: Any) -> Optional[CodeType]:
    free = function.__code__.co_freevars
    if not _can_bounce(function):
        return None
    flags = target.__code__.co_flags if type(target) is FunctionType else 0
    call = f"{_TARGET}(*_selfheal_args, **_selfheal_kwargs)"
    prefix = ""
    if flags & inspect.CO_ASYNC_GENERATOR:
        prefix, body = "async ", f"async for _selfheal_item in {call}: yield _selfheal_item"
    elif flags & inspect.CO_COROUTINE:
        prefix, body = "async ", f"return await {call}"
    elif flags & inspect.CO_GENERATOR:
        body = f"return (yield from {call})"
    else:
        body = f"return {call}"
    # The last line is never reached: it makes the code refer to the cells that the old object has.
    source = (
        f"def outer({', '.join(free)}):\n"
        f"    {prefix}def inner(*_selfheal_args, **_selfheal_kwargs):\n"
        f"        {_TARGET} = {_TARGET!r}\n"
        f"        {body}\n"
        f"        ({''.join(name + ', ' for name in free)})\n"
    )
    outer = next(one for one in compile(source, TRAMPOLINE, "exec").co_consts if isinstance(one, CodeType))
    inner = next(one for one in outer.co_consts if isinstance(one, CodeType))
    constants = tuple(target if one == _TARGET else one for one in inner.co_consts)
    code = inner.replace(co_consts=constants, co_name=function.__code__.co_name)
    if sys.version_info >= (3, 11):
        code = code.replace(co_qualname=function.__code__.co_qualname)
    return code


def class_at(names: Mapping[str, Any], qualname: str) -> Optional[type]:
    """Returns the class of that qualified name in a namespace, or None when there is none."""
    found: Optional[type] = None
    scope: Mapping[str, Any] = names
    for part in qualname.split("."):
        value = scope.get(part)
        if not isinstance(value, type):
            return None
        found, scope = value, vars(value)
    return found
