"""How new bytes take a file's place: owner and mode kept, and no stale bytecode can win.

Python takes a `.pyc` for good when the source's size and modification second are those it was compiled
from (PEP 3147, `importlib._bootstrap_external`). So the new file's second always differs from the old
one's where the sizes agree, old times are never restored, and the compiled files are removed as well.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from selfheal_tui.store.durable import create_file, remove_file, sync_directory
from selfheal_tui.store.targets import Found


def write_beside(temporary: Path, data: bytes, old: Found, *, mode: int | None = None) -> None:
    """Writes a file's next content beside it, ready to take its place.

    Args:
        temporary: Where to; must not exist.
        data: The content.
        old: The file as it is.
        mode: Permission bits; None keeps the old ones, or leaves a new file to the umask.

    Raises:
        OSError: It cannot be written.
    """
    is_new = old.data is None
    wanted = mode if mode is not None else (None if is_new else old.mode)

    def finish(descriptor: int) -> None:
        status = os.fstat(descriptor)
        if not is_new and (status.st_uid, status.st_gid) != (old.uid, old.gid):
            # Only root may give files away; for others the content is what counts.
            with contextlib.suppress(PermissionError):
                os.fchown(descriptor, old.uid, old.gid)
        if wanted is not None:
            os.fchmod(descriptor, wanted)
        second = 1_000_000_000
        if (
            not is_new
            and status.st_size == len(old.data or b"")
            and status.st_mtime_ns // second <= old.mtime // second
        ):
            later = (old.mtime // second + 1) * second
            os.utime(descriptor, ns=(later, later))

    create_file(temporary, data, mode=0o666 if wanted is None else 0o600, finish=finish)


def drop_bytecode(source: Path) -> None:
    """Removes what Python compiled from a source file, for every interpreter.

    Raises:
        OSError: A compiled file is there and cannot be removed.
    """
    if source.suffix != ".py":
        return
    cache = source.parent / "__pycache__"
    if cache.is_symlink() or not cache.is_dir():
        return
    for compiled in cache.iterdir():
        if compiled.name.startswith(f"{source.stem}.") and compiled.suffix == ".pyc":
            remove_file(compiled)


def make_folders(root: Path, folders: Sequence[str]) -> None:
    """Makes folders, parents first, that must not exist yet or exist as folders.

    Raises:
        OSError: One cannot be made.
    """
    for folder in folders:
        (root / folder).mkdir(exist_ok=True)
        sync_directory((root / folder).parent)


def remove_folders(root: Path, folders: Sequence[str]) -> None:
    """Removes folders again, those that are empty; others hold somebody's files by now."""
    for folder in reversed(folders):
        with contextlib.suppress(OSError):
            (root / folder).rmdir()
