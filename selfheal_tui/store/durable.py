"""The few file operations that survive a crash, in one place so that tests can cut each of them short.

Nothing here knows what it writes. Every function is complete when it returns: what it wrote is on the
disk, and so is the directory entry.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable
from pathlib import Path

from selfheal_tui.store.errors import StoreUnavailableError

PRIVATE_FILE = 0o600
PRIVATE_DIR = 0o700


def write_all(descriptor: int, data: bytes) -> None:
    """Writes all bytes, however often the system has to be asked.

    Raises:
        OSError: The system refused; some bytes may have been written.
    """
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_directory(directory: Path) -> None:
    """Makes the names in a directory survive a power loss."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def create_file(
    file: Path, data: bytes, *, mode: int = PRIVATE_FILE, finish: Callable[[int], None] | None = None
) -> None:
    """Writes a file that does not exist yet and syncs its content (not its name).

    Args:
        file: Where to; an existing file or link there is an error.
        data: The content.
        mode: Permission bits, before the umask.
        finish: Sets owner, mode or times on the descriptor, before the sync.

    Raises:
        OSError: It exists or could not be written; then nothing is left of it.
    """
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
    try:
        write_all(descriptor, data)
        if finish is not None:
            finish(descriptor)
        os.fsync(descriptor)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(file)  # noqa: PTH108 - one seam, `os`, for the tests that cut operations short
        raise
    finally:
        os.close(descriptor)


def replace_file(file: Path, data: bytes) -> None:
    """Writes a private file as a whole, or leaves the old one.

    Args:
        file: The file.
        data: Its new content.

    Raises:
        OSError: It could not be written; the old file is untouched.
    """
    temporary = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    remove_file(temporary)
    create_file(temporary, data)
    try:
        os.replace(temporary, file)  # noqa: PTH105
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)  # noqa: PTH108
        raise
    sync_directory(file.parent)


def remove_file(file: Path) -> bool:
    """Removes a file; returns whether it was there."""
    try:
        os.unlink(file)  # noqa: PTH108
    except FileNotFoundError:
        return False
    return True


def private_directory(directory: Path) -> Path:
    """Makes sure of a directory that only its owner can read.

    Args:
        directory: The directory; its parent must exist.

    Returns:
        The directory.

    Raises:
        StoreUnavailableError: It is a link or a file, or cannot be made.
    """
    try:
        with contextlib.suppress(FileExistsError):
            directory.mkdir(mode=PRIVATE_DIR)
            sync_directory(directory.parent)
        found = directory.lstat()
        if not stat.S_ISDIR(found.st_mode):
            raise StoreUnavailableError(
                f"{directory} is not a directory but something else in its place",
                "move it away; selfheal keeps its state there and follows no links",
            )
        if stat.S_IMODE(found.st_mode) & 0o077:
            directory.chmod(PRIVATE_DIR)
    except OSError as error:
        raise StoreUnavailableError(
            f"cannot use {directory}: {error.strerror or error}",
            "make the project's root writable for this user, and free space on its disk",
        ) from error
    return directory
