"""Small things about sockets and their numbers, for the channel: binding, and telling ours from the program's.

Standard library only, CPython 3.9+.
"""

from __future__ import annotations

import _socket  # `socket` takes longer to load than all of the probe
import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_MESSAGE = 60_000
GONE = (-1, -1)


def bound_socket(address: str) -> _socket.socket:
    """Binds a socket; an address that nobody answers at is what a killed program with our number left."""
    made = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM)
    try:
        made.setblocking(False)
        if os.path.lexists(address):
            try:
                made.connect(address)
            except ConnectionRefusedError:
                os.unlink(address)
            else:  # a program with the same number in another container
                raise FileExistsError("%s is in use by another program" % address)
            finally:
                made.close()
            made = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM)
            made.setblocking(False)
        made.bind(address)
        return made
    except BaseException:
        made.close()
        raise


def bounded(reply: dict[str, Any]) -> bytes:
    """Writes a reply that fits into a datagram; what is too much is counted in it."""
    import json

    data = json.dumps(reply).encode("utf-8")
    while len(data) > MAX_MESSAGE:
        longest = max(
            ("swapped", "restart_needed", "notes"), key=lambda key: len(json.dumps(reply.get(key, [])))
        )
        kept = reply[longest][: len(reply[longest]) // 2]
        reply["omitted"] = reply.get("omitted", 0) + len(reply[longest]) - len(kept)
        reply[longest] = kept
        if not kept:
            reply["error"] = reply["error"][:1_000]
        data = json.dumps(reply).encode("utf-8")
    return data


def identity(number: int) -> tuple[int, int]:
    """Tells files apart whose numbers are the same."""
    try:
        facts = os.fstat(number)
    except (OSError, ValueError):
        return GONE
    return facts.st_dev, facts.st_ino


def await_end(native: int) -> None:
    """Waits, for milliseconds, until the system does not count an ended thread any more."""
    task = "/proc/self/task/%d" % native
    until = time.monotonic() + 0.05
    while native and os.path.exists(task) and time.monotonic() < until:
        time.sleep(0.0002)
