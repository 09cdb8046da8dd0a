"""Where the program and the engine of one project meet: the addresses of their local sockets.

Both sides compute them from the project's root alone, so that nothing needs to be told. The folder is private
and checked on every use, because it may lie in a shared temporary folder where others can put things first.
Standard library only, CPython 3.9+.
"""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_ADDRESS = 100
"""Bytes in the address of a local socket: `sun_path` holds 104 on macOS and 108 on Linux, with a final zero."""

LIVE_VARIABLE = "SELFHEAL_LIVE"
PROGRAM_VARIABLE = "SELFHEAL_PROGRAM"

_digests: dict[str, str] = {}


class PlaceRefusedError(OSError):
    """The folder for the sockets cannot be trusted, or this system has no local sockets."""


def runtime_directory(root: str, *, create: bool = True) -> str:
    """Returns the private folder in which the sockets of a project are.

    Args:
        root: The project's root.
        create: Whether to make the folder when it is missing.

    Returns:
        `<$XDG_RUNTIME_DIR or temporary folder>/selfheal-<uid>/<12 digits of the root's hash>`.

    Raises:
        PlaceRefusedError: A part of it belongs to somebody else, is a link, or is open to others.
        OSError: It cannot be made.
    """
    uid = _uid()
    tail = os.path.join("selfheal-%d" % uid, _digest(root))
    base = next(
        (
            one
            for one in _bases(uid)
            if len(os.fsencode(os.path.join(one, tail, "4194304.ch"))) <= MAX_ADDRESS
        ),
        "",
    )
    if not base:
        raise PlaceRefusedError(
            "every temporary folder has too long a name for a socket; set TMPDIR to a short one"
        )
    place = base
    for part in tail.split(os.sep):
        place = os.path.join(place, part)
        if create:
            try:
                os.mkdir(place, 0o700)
            except FileExistsError:
                pass
        _check(place, uid)
    return place


def doorbell_address(root: str, *, create: bool = True) -> str:
    """Returns the address at which the engine of a project is woken when a report is in place.

    Args:
        root: The project's root.
        create: Whether to make the folder when it is missing.

    Raises:
        OSError: As `runtime_directory`.
    """
    return os.path.join(runtime_directory(root, create=create), "doorbell")


def channel_address(root: str, pid: int, *, create: bool = True) -> str:
    """Returns the address at which a live program takes commands.

    Args:
        root: The project's root.
        pid: The program's process id.
        create: Whether to make the folder when it is missing.

    Raises:
        OSError: As `runtime_directory`.
    """
    return os.path.join(runtime_directory(root, create=create), "%d.ch" % pid)


def ring(root: str, name: str) -> bool:
    """Tells the engine of a project, if there is one, that a report is in place; never waits, never raises.

    Args:
        root: The project's root.
        name: File name of the report.

    Returns:
        Whether somebody listens.
    """
    import _socket

    try:
        bell = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM)
        try:
            bell.setblocking(False)
            bell.sendto(os.fsencode(name), doorbell_address(root, create=False))
            return True
        except BlockingIOError:  # somebody listens and is busy; the inbox is looked through anyway
            return True
        finally:
            bell.close()
    except (OSError, AttributeError):
        return False


def listens(root: str) -> bool:
    """Returns whether an engine of this project listens at its doorbell; never raises."""
    import _socket

    try:
        bell = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM)
        try:
            bell.connect(doorbell_address(root, create=False))
            return True
        finally:
            bell.close()
    except (OSError, AttributeError):
        return False


def _uid() -> int:
    getuid = getattr(os, "getuid", None)
    if getuid is None:
        raise PlaceRefusedError("this system has no local sockets")
    return int(getuid())


def _digest(root: str) -> str:
    real = os.path.realpath(root)
    if real not in _digests:
        _digests[real] = _sha256()(os.fsencode(real)).hexdigest()[:12]
    return _digests[real]


def _sha256() -> Any:
    """The interpreter's own function: `hashlib` would load all of OpenSSL for twelve digits."""
    for name in ("_sha2", "_sha256"):
        try:
            return __import__(name).sha256
        except ImportError:
            continue
    import hashlib

    return hashlib.sha256


def _bases(uid: int) -> list[str]:
    """Folders that may hold ours, in order; `$XDG_RUNTIME_DIR` only if it is really this user's (think of `su`)."""
    found = []
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    try:
        if os.path.isabs(runtime) and os.stat(runtime).st_uid == uid:
            found.append(runtime)
    except OSError:
        pass
    # As `tempfile.gettempdir` does, without its import and without writing a trial file.
    found += [os.environ[name] for name in ("TMPDIR", "TEMP", "TMP") if os.environ.get(name)]
    found.append("/tmp")  # noqa: S108 - a private folder is made in it, and checked
    return [one for one in found if os.path.isabs(one) and os.path.isdir(one)]


def _check(place: str, uid: int) -> None:
    try:
        facts = os.lstat(place)
    except FileNotFoundError:
        return  # nobody made it yet, and so nobody is in it
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != uid or stat.S_IMODE(facts.st_mode) & 0o077:
        raise PlaceRefusedError(
            "%s is not a private folder of this user; remove it, or set XDG_RUNTIME_DIR to another place"
            % place
        )
