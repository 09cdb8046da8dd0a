"""Brings a copy back to its pristine state after a run that may have changed anything in it.

A run that leaves files behind must not influence the next one. Every file's identity (inode, size, change
time, mode) is remembered; what differs after a run is copied again from a pristine twin that no program ever sees.
The change time (`ctime`) cannot be set by a program, so an edit that restores the `mtime` is seen too.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

from selfheal_tui.sandbox.copy import copy_file

_Identity = tuple[int, int, int, int]


class RestorableTree:
    """A working tree and its pristine twin.

    Both are changed only by `write`; `restore` makes the working tree equal to the twin again.
    """

    def __init__(self, pristine: Path, working: Path) -> None:
        self.pristine = pristine
        self.working = working
        self._identities: dict[str, _Identity] = {}
        self._clock = 0

    def populate(self) -> None:
        """Fills the working tree from the twin.

        Raises:
            OSError: It cannot be written.
        """
        self.working.mkdir(parents=True, exist_ok=True)
        self.restore()

    def write(self, relative: str, data: bytes | None) -> None:
        """Puts content into both trees, or deletes the file.

        Each write gets a modification time of its own, in whole seconds: byte code is taken as fresh
        when size and second agree, and two candidates may well be written within one second.

        Args:
            relative: Path below the root; already checked.
            data: The content; None deletes.

        Raises:
            OSError: It cannot be written.
        """
        twin = self.pristine / relative
        if data is None:
            twin.unlink(missing_ok=True)
        else:
            twin.parent.mkdir(parents=True, exist_ok=True)
            if twin.is_symlink():
                twin.unlink()
            mode = stat.S_IMODE(twin.stat().st_mode) if twin.exists() else 0o644
            twin.write_bytes(data)
            twin.chmod(mode)
            self._clock += 1
            moment = int(twin.stat().st_mtime) + self._clock
            os.utime(twin, (moment, moment))
            (self.working / relative).parent.mkdir(parents=True, exist_ok=True)
        self._identities.pop(relative, None)
        self._restore_entry(relative)

    def restore(self) -> int:
        """Undoes everything that programs did to the working tree.

        Returns:
            How many files were put back or removed.

        Raises:
            OSError: Something cannot be put back; the tree must not be used any more.
        """
        try:
            return self._restore_what_differs()
        except OSError:
            # Made on purpose, say by paths longer than the kernel takes: all anew.
            remove_tree(self.working)
            self._identities.clear()
            return self._restore_what_differs()

    def _restore_what_differs(self) -> int:
        wanted = dict(_entries(self.pristine))
        touched = 0
        self._restore_directory("")
        for relative, is_directory in list(_entries(self.working, repair=True)):
            if wanted.get(relative) != is_directory:
                _remove(self.working / relative)
                touched += 1
        for relative, is_directory in wanted.items():
            if is_directory:
                self._restore_directory(relative)
            elif _identity(self.working / relative) != self._identities.get(relative, ()):
                self._restore_entry(relative)
                touched += 1
        return touched

    def _restore_directory(self, relative: str) -> None:
        directory, mode = self.working / relative, stat.S_IMODE((self.pristine / relative).stat().st_mode)
        directory.mkdir(exist_ok=True)
        if stat.S_IMODE(directory.stat().st_mode) != mode:
            directory.chmod(mode)

    def _restore_entry(self, relative: str) -> None:
        twin, file = self.pristine / relative, self.working / relative
        if os.path.lexists(file):
            _remove(file)
        if not os.path.lexists(twin):
            return
        if twin.is_symlink():
            file.symlink_to(twin.readlink())
        else:
            copy_file(twin, file, twin.lstat())
        identity = _identity(file)
        assert identity is not None
        self._identities[relative] = identity


def _identity(file: Path) -> _Identity | None:
    try:
        status = file.lstat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_ctime_ns, status.st_mode


def _entries(root: Path, *, repair: bool = False) -> Iterator[tuple[str, bool]]:
    """Yields every entry below root as (relative path, is a directory), parents first, following no link."""
    pending = [""]
    while pending:
        here = pending.pop()
        where = root / here if here else root
        if repair and stat.S_IMODE(where.lstat().st_mode) & 0o700 != 0o700:
            where.chmod(0o700)
        found = []
        with os.scandir(where) as entries:
            for entry in entries:
                relative = f"{here}/{entry.name}" if here else entry.name
                found.append((relative, entry.is_dir(follow_symlinks=False)))
        for relative, is_directory in found:
            yield relative, is_directory
            if is_directory and os.path.lexists(root / relative):
                pending.append(relative)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        remove_tree(path)
    else:
        path.unlink(missing_ok=True)


def remove_tree(path: Path) -> None:
    """Removes a directory that hostile code may have made hard to remove.

    Args:
        path: The directory; nothing happens when it is gone.

    Raises:
        OSError: It still cannot be removed.
    """
    try:
        shutil.rmtree(path)
    except FileNotFoundError:
        return
    except (OSError, RecursionError):
        # chmod -R and rm know no limits of depth, and follow no links on the way down.
        for command in (["chmod", "-R", "u+rwx", "--"], ["rm", "-rf", "--"]):
            subprocess.run([*command, str(path)], check=False, capture_output=True, stdin=subprocess.DEVNULL)
        if path.exists():
            shutil.rmtree(path)


def read_plain(file: Path, most: int) -> bytes:
    """Reads a regular file, following no link and waiting for no pipe.

    Args:
        file: The file, which hostile code may have put there.
        most: Largest size, in bytes.

    Raises:
        OSError: It is something else, or larger.
    """
    number = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(number, "rb") as opened:
        status = os.fstat(number)
        if not stat.S_ISREG(status.st_mode) or status.st_size > most:
            raise OSError(f"{file.name} is no regular file of at most {most} bytes")
        return opened.read(most)
