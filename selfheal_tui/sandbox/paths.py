"""Maps paths between the live project and its copy as programs inside the walls see it. No I/O beyond `stat`."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path

from selfheal_tui.sandbox.walls import Walls, is_harmless

_NAME_BEFORE, _NAME_AFTER = r"(?<![\w./-])", r"(?=/|$|[^\w.-])"


def absolute(cwd: str, path: str) -> str:
    """Joins and normalises as the crashed program would have, following no links.

    Args:
        cwd: Its working directory.
        path: Absolute, or relative to it.

    Returns:
        The absolute path.
    """
    return os.path.normpath(Path(cwd) / path)


class PathMap:
    """Two-way mapping for one copy."""

    def __init__(self, walls: Walls) -> None:
        self.walls = walls
        self.live = str(walls.live)
        self.view = str(walls.view)
        self._live = re.compile(_NAME_BEFORE + re.escape(self.live) + _NAME_AFTER)
        self._kept = tuple(path for path in walls.readable if Path(path).is_relative_to(walls.live))

    def inside(self, text: str) -> str:
        """Replaces every mention of the live root, but not of environments in it, which are used where they are."""
        if self.live == self.view or any(text == path or text.startswith(f"{path}/") for path in self._kept):
            return text
        return self._live.sub(lambda _: self.view, text)

    def outside(self, raw: bytes) -> bytes:
        """Replaces the copy's root by the live one in a JSON document, in every string of it.

        The copy's path is random, so nothing else can be meant by it; the document is the untrusted
        output of the probe and is parsed only afterwards.
        """
        if self.live == self.view:
            return raw
        for ascii_only in (True, False):
            old, new = (
                json.dumps(path, ensure_ascii=ascii_only)[1:-1].encode() for path in (self.view, self.live)
            )
            raw = raw.replace(old, new)
        return raw

    def is_visible(self, path: str) -> bool:
        """Tells whether a path as seen inside can be read there."""
        real = Path(path)
        places = (self.view, *self.walls.readable, "/usr", "/bin", "/lib", "/etc")
        return any(real.is_relative_to(place) for place in places)

    def import_path(self, sys_path: Iterable[str], cwd: str) -> list[str]:
        """Chooses what of a crashed program's import path has to be set again, as seen inside.

        Entries after the standard library come from the interpreter itself, which adds them again; but
        where the copy is not seen at the live root, those inside the project must be mapped. Entries that
        would open up a home directory are dropped, as the report that names them is untrusted.

        Args:
            sys_path: `sys.path` of the crashed program.
            cwd: Its working directory, for the empty entry.

        Returns:
            Entries for PYTHONPATH.
        """
        own = {os.path.realpath(entry) for entry in self.walls.facts.sys_path}
        library = os.path.realpath(self.walls.facts.stdlib)
        chosen: list[str] = []
        entries = [absolute(cwd, entry) for entry in sys_path]
        before = True
        for entry in entries:
            real = os.path.realpath(entry)
            within = Path(entry).is_relative_to(self.live)
            if real == library or (real.endswith(".zip") and Path(real).parent == Path(library).parent):
                before = False
            elif within and self.inside(entry) != entry:
                chosen.append(self.inside(entry))
            elif before and real not in own and (within or self.is_allowed_import(entry)):
                chosen.append(entry)
        return list(dict.fromkeys(chosen))

    def is_allowed_import(self, entry: str) -> bool:
        """Tells whether a directory or zip file outside the project may be read for imports."""
        return Path(entry).is_absolute() and Path(entry).exists() and is_harmless(entry)
