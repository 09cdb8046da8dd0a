"""Loads the probe's own parts with the real standard library, when the program has put other things in front.

A script in a folder with a `json.py` of its own gets that one; the probe must not. Standard library only, 3.9+.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Optional, Type


class LibraryFirst:
    """For the length of a `with` block, modules of the standard library are found first."""

    def __enter__(self) -> None:
        self._folder = os.path.dirname(os.__file__)
        sys.path.insert(0, self._folder)

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        if self._folder in sys.path:
            sys.path.remove(self._folder)
