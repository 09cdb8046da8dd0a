"""Which files a change may be written to, and what they are right now.

A path of a change came from a model, a report or a person, so it is taken apart here and nowhere else:
relative, inside the root by real path, not our own state, a regular file that may be written.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from selfheal_tui.store.errors import RefusedTargetError, StaleTargetError, WriteFailedError

WRITE_BITS = 0o222
"""Owner, group and others may write (POSIX mode bits)."""

OFF_LIMITS = frozenset({".selfheal", ".self_healing_backups", ".git"})

_Signature = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Found:
    """A target as it is on the disk.

    Attributes:
        path: As the change names it.
        real: The file itself, after following links.
        data: Its bytes; None when it does not exist.
        mode: Permission bits (0 when it does not exist).
        uid: Owner.
        gid: Group.
        mtime: Modification time in nanoseconds since the epoch.
        signature: Device-free identity of this version, to see cheaply whether it was touched since.
    """

    path: str
    real: Path
    data: bytes | None
    mode: int = 0
    uid: int = -1
    gid: int = -1
    mtime: int = 0
    signature: _Signature | None = None

    @property
    def sha256(self) -> str | None:
        """Hash of the bytes; None when the file does not exist."""
        return None if self.data is None else hashlib.sha256(self.data).hexdigest()


def resolve(root: Path, path: str) -> Path:
    """Turns a change's path into the real file it means.

    Args:
        root: Resolved root of the project.
        path: Relative to the root, forward slashes.

    Returns:
        The file after following links; it need not exist.

    Raises:
        RefusedTargetError: The path is not plain, leads out of the root, or into our own state.
    """
    parts = PurePosixPath(path).parts
    try:
        path.encode()
    except UnicodeEncodeError:
        parts = ()
    if not parts or path.startswith("/") or str(PurePosixPath(path)) != path or ".." in parts or "\0" in path:
        raise RefusedTargetError(
            path, "is not a plain path relative to the root", "give it relative to the root, without `..`"
        )
    try:
        real = Path(os.path.realpath(root / path, strict=False))
    except OSError as error:
        raise RefusedTargetError(
            path, f"cannot be resolved ({error.strerror})", "repair its links"
        ) from error
    if not real.is_relative_to(root) or real == root:
        raise RefusedTargetError(
            path,
            f"leads out of the project, to {real}",
            "run selfheal with --root on the project it belongs to",
        )
    if OFF_LIMITS & set(real.relative_to(root).parts) or OFF_LIMITS & set(parts):
        raise RefusedTargetError(path, "belongs to selfheal or git itself", "no change may touch it")
    return real


def inspect(root: Path, path: str) -> Found:
    """Reads a target and makes sure that it may be written.

    Raises:
        RefusedTargetError: It is outside, ours, or not a regular file.
        WriteFailedError: It or its folder is read-only.
    """
    real = resolve(root, path)
    found = look(path, real)
    if found.data is None:
        ancestor = real.parent
        while not os.path.lexists(ancestor):
            ancestor = ancestor.parent
    else:
        ancestor = real.parent
        if _kept_from_writing(root, real, found.mode):
            raise WriteFailedError(path, "is read-only", f"make it writable: chmod u+w {path}")
    if not ancestor.is_dir():
        raise RefusedTargetError(path, f"{ancestor} is not a folder", "choose another path")
    if _kept_from_writing(root, ancestor, ancestor.stat().st_mode):
        raise WriteFailedError(
            path, f"its folder {ancestor} is read-only", f"make it writable: chmod u+w {ancestor}"
        )
    return found


def _kept_from_writing(root: Path, place: Path, mode: int) -> bool:
    """Tells whether a file or folder is read-only, by what the system allows or by its own mark.

    A superuser may write anything, so the mark has to count by itself: a read-only file in a project that
    is writable was protected on purpose. Where the root has no write bits either, they say how the tree
    was laid and nothing about this file; then the system alone decides.
    """
    if not os.access(place, os.W_OK):
        return True
    return not mode & WRITE_BITS and bool(root.stat().st_mode & WRITE_BITS)


def look(path: str, real: Path) -> Found:
    """Reads a file without following a link at its end.

    Raises:
        RefusedTargetError: It is not a regular file.
        WriteFailedError: It cannot be read.
    """
    try:
        descriptor = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return Found(path, real, None)
    except OSError as error:
        raise WriteFailedError(
            path, f"cannot be read: {error.strerror or error}", "make it readable for this user"
        ) from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise RefusedTargetError(path, "is not a regular file", "no change may touch it")
        with os.fdopen(descriptor, "rb", closefd=False) as opened:
            data = opened.read()
    finally:
        os.close(descriptor)
    return Found(
        path,
        real,
        data,
        stat.S_IMODE(status.st_mode),
        status.st_uid,
        status.st_gid,
        status.st_mtime_ns,
        _signature(status),
    )


def touched(found: Found) -> bool:
    """Whether a file may have changed since it was read; costs one `stat`."""
    try:
        return _signature(os.lstat(found.real)) != found.signature
    except (FileNotFoundError, NotADirectoryError):
        return found.signature is not None


def require(found: Found, sha256: str | None) -> None:
    """Makes sure that a target is still what a change was made from.

    Raises:
        StaleTargetError: It is not.
    """
    if found.sha256 == sha256:
        return
    if sha256 is None:
        problem = "exists already, and the change would create it"
    elif found.data is None:
        problem = "is gone"
    else:
        problem = "was edited since the change was made from it"
    raise StaleTargetError(found.path, problem, "nothing was changed; heal again, from the file as it is now")


def _signature(status: os.stat_result) -> _Signature:
    return (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
