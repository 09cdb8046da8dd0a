"""Names that a patch uses and nothing binds.

By the interpreter's own symbol tables, and conservative: where a name could come from anywhere (a star
import, `exec`), nothing is said. Pure functions.
"""

from __future__ import annotations

import builtins
import symtable
import warnings

_ALWAYS = frozenset(dir(builtins)) | {
    *("__file__", "__name__", "__doc__", "__package__", "__spec__", "__loader__", "__path__", "__dict__"),
    *(
        "__annotations__",
        "__builtins__",
        "__class__",
        "__module__",
        "__qualname__",
        "__debug__",
        "__cached__",
    ),
    *(
        "__firstlineno__",
        "__static_attributes__",
        "__type_params__",
        "__classdict__",
        "__conditional_annotations__",
    ),
    *("WindowsError", "aiter", "anext", "EncodingWarning", "ExceptionGroup", "BaseExceptionGroup"),
    *("PythonFinalizationError",),
}
"""Names of every interpreter from 3.9 on, whichever one runs the tool."""


class _Walk:
    def __init__(self, top: symtable.SymbolTable) -> None:
        self.bound = {
            s.get_name()
            for s in top.get_symbols()
            if s.is_assigned() or s.is_imported() or s.is_namespace() or s.is_annotated()
        }
        self.used: set[tuple[str, str]] = set()
        self.has_star = False
        self._globals(top)
        self._visit(top, "", top)

    def _globals(self, table: symtable.SymbolTable) -> None:
        for child in table.get_children():
            self.bound |= {
                s.get_name() for s in child.get_symbols() if s.is_declared_global() and s.is_assigned()
            }
            self._globals(child)

    def _visit(self, table: symtable.SymbolTable, scope: str, top: symtable.SymbolTable) -> None:
        for symbol in table.get_symbols():
            name = symbol.get_name()
            missing = symbol.is_global() or table is top
            if table is not top and not symbol.is_referenced():
                continue
            if symbol.is_referenced() and missing and name not in self.bound and name not in _ALWAYS:
                self.used.add((scope, name))
        for child in table.get_children():
            self._visit(child, f"{scope}.{child.get_name()}" if scope else child.get_name(), top)


def _undefined(text: str) -> set[tuple[str, str]] | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            top = symtable.symtable(text, "<patched>", "exec")
    except (SyntaxError, ValueError, RecursionError):
        return None
    return _Walk(top).used


def new_undefined_names(before: str, after: str, *, has_star: bool) -> list[tuple[str, str]]:
    """Lists names that are used but bound nowhere, and were not so before.

    Args:
        before: Source before; empty for a new file.
        after: Source after.
        has_star: Whether the module imports everything of another, so that nothing can be said.

    Returns:
        Pairs of scope (dotted; empty for the module) and name, sorted.
    """
    if has_star:
        return []
    now, was = _undefined(after), _undefined(before) or set()
    if now is None:
        return []
    return sorted(now - was)
