"""Code objects: which function each belongs to, whether two do the same, and which follows which.

The identity of a function over a change of its file is its qualified name; where several share one (overloads,
the parts of a property, lambdas), equal code is paired first and the rest in order. Reads only; standard library
only, CPython 3.9+.
"""

from __future__ import annotations

import inspect
import sys
from types import CodeType, FunctionType
from typing import Any, Iterable, Iterator, Optional, Sequence

# `types.coroutine` sets this flag on the code of a function that is there already.
MARKED_LATER = inspect.CO_ITERABLE_COROUTINE
_HAS_QUALNAME = sys.version_info >= (3, 11)


def walk_codes(code: CodeType) -> Iterator[tuple[str, CodeType]]:
    """Yields (qualified name, code) of all code below a module's code, as the compiler nests it."""
    todo = [("", False, code)]
    while todo:
        prefix, inside_function, outer = todo.pop()
        for inner in reversed(outer.co_consts):
            if isinstance(inner, CodeType):
                if _HAS_QUALNAME:
                    name: str = inner.co_qualname  # type: ignore[attr-defined,unused-ignore]  # 3.11+
                else:
                    name = (
                        prefix + (".<locals>." if inside_function else "." if prefix else "") + inner.co_name
                    )
                todo.append((name, bool(inner.co_flags & inspect.CO_OPTIMIZED), inner))
        if outer is not code:
            yield prefix, outer


def codes_by_name(code: CodeType) -> dict[str, list[CodeType]]:
    """Returns the code of functions below a module's code by qualified name, in the order of the source."""
    found: dict[str, list[CodeType]] = {}
    for name, inner in walk_codes(code):
        if inner.co_flags & inspect.CO_OPTIMIZED:
            found.setdefault(name, []).append(inner)
    for codes in found.values():
        codes.sort(key=lambda one: one.co_firstlineno)
    return found


def code_key(code: CodeType) -> tuple[Any, ...]:
    """Returns what the code does, without where it stands: equal keys mean interchangeable code."""
    return (
        code.co_name,
        code.co_code,
        code.co_names,
        code.co_varnames,
        code.co_freevars,
        code.co_cellvars,
        code.co_flags & ~MARKED_LATER,
        code.co_argcount,
        code.co_posonlyargcount,
        code.co_kwonlyargcount,
        getattr(code, "co_exceptiontable", b""),
        tuple(map(_constant_key, code.co_consts)),
    )


def _constant_key(value: Any) -> Any:
    if isinstance(value, CodeType):
        return code_key(value)
    if type(value) is tuple:
        return tuple(map(_constant_key, value))
    if type(value) is frozenset:
        return frozenset(map(_constant_key, value))
    # 1, 1.0 and True are equal, 0.0 and -0.0 too; programs tell them apart.
    return (type(value), repr(value))


def pair(old: Sequence[CodeType], new: Sequence[CodeType]) -> list[tuple[CodeType, CodeType]]:
    """Pairs the codes of one qualified name before and after a change."""
    if len(old) == 1 and len(new) == 1:
        return [(old[0], new[0])]
    pairs: list[tuple[CodeType, CodeType]] = []
    waiting = [(code_key(code), code) for code in new]
    rest = []
    for code in old:
        key = code_key(code)
        match = next((entry for entry in waiting if entry[0] == key), None)
        if match is None:
            rest.append(code)
        else:
            waiting.remove(match)
            pairs.append((code, match[1]))
    pairs.extend(zip(rest, (code for _, code in waiting)))  # noqa: B905 - `strict` is 3.10+
    return pairs


def with_codes_of(code: CodeType, module: CodeType, shells: int = 0) -> CodeType:
    """Returns the code of a statement that was compiled alone, with the inner code of the whole module's compilation.

    Args:
        code: The statement's code.
        module: The module's code.
        shells: How many levels of the statement are not of the module.
    """
    known = {(one.co_name, one.co_firstlineno, one.co_varnames): one for _, one in walk_codes(module)}

    def exchanged(outer: CodeType, depth: int) -> CodeType:
        constants = []
        for one in outer.co_consts:
            if isinstance(one, CodeType):
                if depth:
                    one = exchanged(one, depth - 1)  # noqa: PLW2901 - the constant that goes in
                else:
                    one = known.get((one.co_name, one.co_firstlineno, one.co_varnames), one)  # noqa: PLW2901
            constants.append(one)
        return outer.replace(co_consts=tuple(constants))

    return exchanged(code, shells)


class Names:
    """Finds the qualified names of live functions, also on 3.9 and 3.10 where code does not carry them."""

    def __init__(self, known: Optional[CodeType], functions: Iterable[FunctionType]) -> None:
        """Prepares the search.

        Args:
            known: The module's code from before the change, when it is known.
            functions: All live functions of the file.
        """
        self._by_line: dict[tuple[str, int], list[tuple[str, CodeType]]] = {}
        self._nested: dict[int, str] = {}
        if _HAS_QUALNAME:
            return
        if known is not None:
            for name, code in walk_codes(known):
                self._by_line.setdefault((code.co_name, code.co_firstlineno), []).append((name, code))
            return
        # Functions are found inside the code of those that made them; `__qualname__` may have been
        # overwritten by `functools.wraps`, but not on those which the nesting knows.
        pending = list(functions)
        for function in sorted(pending, key=lambda one: one.__code__.co_firstlineno):
            prefix = self.of(function)
            for name, code in walk_codes(function.__code__):
                self._nested.setdefault(id(code), f"{prefix}.<locals>.{name}")

    def of(self, function: FunctionType) -> str:
        """Returns the name under which the compiler knows the function."""
        code = function.__code__
        if _HAS_QUALNAME:
            return str(code.co_qualname)  # type: ignore[attr-defined,unused-ignore]  # 3.11+
        if id(code) in self._nested:
            return self._nested[id(code)]
        candidates = self._by_line.get((code.co_name, code.co_firstlineno), [])
        if len(candidates) > 1:
            key = code_key(code)
            candidates = [entry for entry in candidates if code_key(entry[1]) == key] or candidates
        if candidates:
            return candidates[0][0]
        qualname = str(function.__qualname__)
        return qualname if qualname.rpartition(".")[2] == code.co_name else code.co_name
