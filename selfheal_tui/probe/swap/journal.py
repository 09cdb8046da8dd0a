"""Changes the living program step by step and can take every step back.

All writes of a swap to functions, classes, cells and namespaces go through here: that is what makes a swap
all or nothing. Standard library only, CPython 3.9+.
"""

from __future__ import annotations

from types import CellType
from typing import Any, Callable, MutableMapping, Sequence

_MISSING = object()


class Journal:
    """The list of how to undo what was done."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], object]] = []

    def set_attribute(self, target: object, name: str, value: object) -> None:
        """Sets an attribute of a function (or another object without special attributes)."""
        old = getattr(target, name, _MISSING)
        setattr(target, name, value)
        if old is _MISSING:
            self._undo.append(lambda: delattr(target, name))
        else:
            self._undo.append(lambda: setattr(target, name, old))

    def set_item(self, names: MutableMapping[str, Any], name: str, value: object) -> None:
        """Binds a name in a namespace."""
        old = names.get(name, _MISSING)
        names[name] = value
        if old is _MISSING:
            self._undo.append(lambda: names.pop(name, None))
        else:
            self._undo.append(lambda: names.__setitem__(name, old))

    def drop_item(self, names: MutableMapping[str, Any], name: str) -> None:
        """Takes a name out of a namespace, if it is there."""
        old = names.pop(name, _MISSING)
        if old is not _MISSING:
            self._undo.append(lambda: names.__setitem__(name, old))

    def watch(self, names: MutableMapping[str, Any], bound: Sequence[str]) -> None:
        """Notes the names that a statement is going to bind; all names when it does not say which."""
        before = {name: names[name] for name in bound or list(names) if name in names}

        def back() -> None:
            for name in [name for name in bound or list(names) if name not in before]:
                names.pop(name, None)
            names.update(before)

        self._undo.append(back)

    def set_class(self, owner: type, name: str, value: object) -> None:
        """Sets a class attribute, past a metaclass that would object (such as that of an enum)."""
        # `__bases__` and `__doc__` are not in the class's own dictionary under every version.
        old = getattr(owner, name) if name == "__bases__" else vars(owner).get(name, _MISSING)
        type.__setattr__(owner, name, value)
        if old is _MISSING:
            self._undo.append(lambda: type.__delattr__(owner, name))
        else:
            self._undo.append(lambda: type.__setattr__(owner, name, old))

    def drop_class(self, owner: type, name: str) -> None:
        """Takes an attribute off a class, if it has one of its own."""
        old = vars(owner).get(name, _MISSING)
        if old is not _MISSING:
            type.__delattr__(owner, name)
            self._undo.append(lambda: type.__setattr__(owner, name, old))

    def set_cell(self, cell: CellType, value: object) -> None:
        """Puts another value into the cell of a closure."""
        old = cell.cell_contents
        cell.cell_contents = value
        self._undo.append(lambda: setattr(cell, "cell_contents", old))

    def roll_back(self) -> list[str]:
        """Undoes everything, last step first.

        Returns:
            What could not be undone; empty when the program is as it was.
        """
        problems = []
        while self._undo:
            step = self._undo.pop()
            try:
                step()
            except Exception as error:
                problems.append(f"{type(error).__name__}: {error}")
        return problems
