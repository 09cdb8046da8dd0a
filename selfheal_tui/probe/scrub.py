"""Masks secrets inside live arguments before they are pickled: by name of key or attribute, and by shape.

It never changes an object of the program: containers that hold a secret are copied, everything else is handed
on as it is. What is masked is a string `[masked]` instead, so a replay takes the same way unless it depends on
the secret itself. Standard library only, CPython 3.9+.
"""

from __future__ import annotations

import copyreg
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, Callable

from .known import mask_text_known
from .redaction import MASK, is_secret_name, mask_text

# Beyond this a string is data, and searching it would cost more than the capture may take.
_MAX_SCANNED = 200_000
_NOT_REDUCED = (type, FunctionType, BuiltinFunctionType, MethodType, ModuleType)


class Scrubber:
    """Masks the values of one payload; keeps sharing and cycles of containers.

    Args:
        check: Called with every value; raises when there is no time left.
        secrets: Values that are known to be secret, wherever they appear.

    Attributes:
        masked: Whether anything was masked so far.
    """

    def __init__(self, check: Callable[[], None], secrets: tuple[str, ...] = ()) -> None:
        self.masked = False
        self._secrets = secrets
        self._check = check
        self._dirty: dict[int, bool] = {}
        self._copies: dict[int, Any] = {}
        # Ids stay unique only while their objects live.
        self._alive: list[Any] = []

    def named(self, name: Any, value: Any) -> Any:
        """Masks a value that has a name.

        Args:
            name: The parameter, attribute or key; other than a string it tells nothing.
            value: The live value.

        Returns:
            The value, a masked copy, or `[masked]`.
        """
        if type(value) in (str, bytes) and value and type(name) is str and is_secret_name(name):
            self.masked = True
            return MASK if type(value) is str else MASK.encode()
        return self.value(value)

    def value(self, value: Any) -> Any:
        """Masks a value by its shape, and by the names inside it.

        Args:
            value: The live value.

        Returns:
            The value itself when it holds no secret, else a masked copy.
        """
        kind = type(value)
        if kind is str:
            return self._string(value)
        if kind is bytes:
            text = value.decode("latin-1")
            new = self._string(text)
            return value if new is text else new.encode("latin-1")
        if kind not in (list, dict, tuple, set, frozenset) or not self._is_dirty(value):
            return value
        return self._copy(value)

    def _string(self, text: str) -> str:
        if len(text) > _MAX_SCANNED:
            return text
        new = mask_text_known(mask_text(text), self._secrets)
        if new == text:
            return text
        self.masked = True
        return new

    def _is_dirty(self, value: Any) -> bool:
        """Whether a container holds a secret somewhere."""
        known = self._dirty.get(id(value))
        if known is not None:
            return known
        self._dirty[id(value)] = False
        self._alive.append(value)
        pairs = value.items() if type(value) is dict else ((None, item) for item in value)
        dirty = any(self._holds(name, item) for name, item in list(pairs))
        self._dirty[id(value)] = dirty
        return dirty

    def _holds(self, name: Any, item: Any) -> bool:
        self._check()
        kind = type(item)
        if kind in (str, bytes):
            if item and type(name) is str and is_secret_name(name):
                return True
            text = item if kind is str else item.decode("latin-1")
            return len(text) <= _MAX_SCANNED and mask_text_known(mask_text(text), self._secrets) != text
        return kind in (list, dict, tuple, set, frozenset) and self._is_dirty(item)

    def _copy(self, value: Any) -> Any:
        known = self._copies.get(id(value))
        if known is not None:
            return known
        kind = type(value)
        if kind is dict:
            mapping: dict[Any, Any] = {}
            self._copies[id(value)] = mapping
            mapping.update((key, self.named(key, item)) for key, item in list(value.items()))
            return mapping
        if kind is list:
            items: list[Any] = []
            self._copies[id(value)] = items
            items.extend(self.value(item) for item in list(value))
            return items
        result = kind(self.value(item) for item in value)
        self._copies[id(value)] = result
        return result


def reduce_scrubbed(obj: Any, scrubber: Scrubber, protocol: int) -> Any:
    """Reduces an object for pickling, with the secrets in its state masked.

    Args:
        obj: Any object that is not of a type which pickle treats by itself.
        scrubber: Does the masking.
        protocol: The pickle protocol.

    Returns:
        What `__reduce_ex__` returns, masked; NotImplemented to let pickle go its usual way.
    """
    kind = type(obj)
    if issubclass(kind, _NOT_REDUCED) or kind in copyreg.dispatch_table:
        return NotImplemented
    reduced = obj.__reduce_ex__(protocol)
    if type(reduced) is not tuple or len(reduced) < 2:
        return reduced
    maker, arguments, *rest = reduced
    state = rest[0] if rest else None
    new_arguments, new_state = scrubber.value(arguments), scrubber.value(state)
    more: list[Any] = [new_state, *rest[1:]] if rest else []
    if len(rest) > 1 and rest[1] is not None:
        more[1] = iter([scrubber.value(item) for item in rest[1]])
    if len(rest) > 2 and rest[2] is not None:
        more[2] = iter([(key, scrubber.named(key, item)) for key, item in rest[2]])
    return (maker, new_arguments, *more)
