"""The door by which the engine reaches a live program: it takes commands on a local socket of its own.

A thread reads JSON datagrams (`docs/wire-format.md`, *Channel*): swap changed files into this process, answer
guards that wait. It never runs code from a message: code is read from the project's files, and only from there.
The thread is a bare one, so that the program's own list of threads stays as it was, and it stands still while
the program forks. Standard library only, CPython 3.9+; never raises into the program.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # has no stub; `signal` and `socket` take longer than all of the probe
import _socket
import _thread
import atexit
import os
import select
import sys

from . import places
from .descriptors import GONE, MAX_MESSAGE, await_end, bound_socket, bounded, identity
from .orders import obey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Optional

    Deliver = Callable[[str, str], None]

QUIET_SECONDS = 1.0
"""How long a fork waits for a swap that is under way."""
_REMEMBER = (1, 4, 15, 60)
"""Seconds after which the thread looks for newly loaded modules; from then on the last."""
_STOP = b"."
_STATE = "_selfheal_channel"
_starting = _thread.allocate_lock()


class Channel:
    """The control socket of this process.

    Attributes:
        root: The project, as a real path; files elsewhere are refused.
        address: Where the socket is bound; empty when it is not.
        swaps: How many times files were swapped in whole.
        errors: How many errors of the channel itself were swallowed.
    """

    def __init__(self, root: str) -> None:
        self.root = os.path.realpath(root)
        self.address = ""
        self.swaps = 0
        self.errors = 0
        self._reset()

    def _reset(self) -> None:
        """Forgets what belongs to another process, or to a socket that is gone."""
        self.address = ""
        self.pid = os.getpid()
        self._socket: Optional[_socket.socket] = None
        self._identity = GONE
        self._wake = (-1, -1)
        self._wake_identity = GONE
        self._ended: Any = None
        self._thread_id = self._native_id = 0
        self._mask: Any = ()
        self._modules = 0
        self._lock = _thread.allocate_lock()
        self._waiting: dict[str, Deliver] = {}

    @property
    def alive(self) -> bool:
        """Whether somebody reads commands."""
        return bool(self.address) and self._ended is not None and self._ended.locked()

    def open(self) -> bool:
        """Binds the socket and starts the thread.

        Returns:
            Whether commands are now read.
        """
        try:
            address = places.channel_address(self.root, os.getpid())
            self._socket = bound_socket(address)
            self._identity = identity(self._socket.fileno())
            self.address = address
            return self.resume()
        except (OSError, AttributeError, RuntimeError):  # no room, no local sockets, or the program is ending
            self.errors += 1
            self.close()
            return False

    def resume(self) -> bool:
        """Starts the thread on the socket that is bound."""
        bound = self._socket
        if bound is None:
            return False
        # Before our thread needs it: whoever imports it first is taken for the main thread, and until Python 3.13 a
        # program whose main thread is another waits for that one for ever when it ends.
        import threading  # noqa: F401

        self._wake = os.pipe()
        os.set_blocking(self._wake[0], False)
        self._wake_identity = identity(self._wake[1])
        ended = _thread.allocate_lock()
        ended.acquire()
        try:
            _thread.start_new_thread(self._serve, (bound, self._wake[0], ended))
        except BaseException:
            ended.release()
            self._close_wake()
            raise
        self._ended = ended
        return True

    def quiesce(self) -> None:
        """Lets the thread end, so that a fork copies a process at rest; the socket keeps what arrives."""
        if not self.alive or _thread.get_ident() == self._thread_id:
            return
        if identity(self._wake[1]) != self._wake_identity:
            return  # the program closed it, and may have reused its number
        os.write(self._wake[1], _STOP)
        if self._ended.acquire(timeout=QUIET_SECONDS):
            self._ended.release()
            self._close_wake()
            if sys.version_info >= (3, 12):
                await_end(self._native_id)  # its fork warns of every thread that the system still counts
        else:
            os.read(self._wake[0], 512)  # it is in the middle of a swap, and goes on afterwards

    def close(self) -> None:
        """Ends the thread and removes the address."""
        try:
            self.quiesce()
            self._let_go()
            if self.address:
                os.unlink(self.address)
        except OSError:  # already gone
            pass
        self._socket = None
        self.address = ""

    def leave(self) -> None:
        """After a fork, in the child: gives up the parent's socket without touching its address."""
        self._let_go()
        self._reset()

    def expect(self, report_id: str, deliver: Deliver) -> None:
        """Registers who is to be told the verdict on a report.

        Args:
            report_id: The report.
            deliver: Called in the channel's thread with verdict and message; it must be quick.
        """
        with self._lock:
            self._waiting[report_id] = deliver

    def remember_soon(self) -> None:
        """Has the thread keep the text of what is loaded: a crash was reported, and files will be changed."""
        if self.alive and identity(self._wake[1]) == self._wake_identity:
            os.write(self._wake[1], b"r")

    def forget(self, report_id: str) -> None:
        """Withdraws `expect`."""
        with self._lock:
            self._waiting.pop(report_id, None)

    def obey(self, data: bytes) -> dict[str, Any]:
        """Carries out one message and returns the reply; raises nothing."""
        return obey(self, data)

    def verdict(self, report_id: str, verdict: str, message: str) -> None:
        """Tells whoever waits for a report what became of it.

        Args:
            report_id: The report.
            verdict: `healed` or `not healed`.
            message: Why.
        """
        with self._lock:
            deliver = self._waiting.pop(report_id, None)
        if deliver is not None:
            deliver(verdict, message)

    def _serve(self, bound: _socket.socket, wake: int, ended: Any) -> None:
        """Reads commands until it is woken or loses its socket."""
        try:
            # Signals are the program's: none may be delivered to a thread that it does not know.
            self._mask = _signal.pthread_sigmask(_signal.SIG_BLOCK, _signal.valid_signals())
            self._thread_id = _thread.get_ident()
            self._native_id = _thread.get_native_id() if hasattr(_thread, "get_native_id") else 0
            waiting = select.poll()
            waiting.register(bound.fileno(), select.POLLIN)
            waiting.register(wake, select.POLLIN)
            pauses = iter(_REMEMBER)
            while True:
                ready = waiting.poll(1_000 * next(pauses, _REMEMBER[-1]))
                if any(number == wake for number, _ in ready) and _STOP in os.read(wake, 512):
                    return
                if not self._is_ours():
                    return
                if any(number == bound.fileno() for number, _ in ready):
                    self._exchange(bound)
                else:
                    self._remember()
        except BaseException:  # a bare thread prints what it lets out
            self.errors += 1
        finally:
            self._thread_id = 0
            ended.release()

    def _remember(self) -> None:
        """Keeps the text of what was loaded, while it is on disk: a swap compares the new text with it."""
        if len(sys.modules) == self._modules:
            return
        self._modules = len(sys.modules)
        try:
            from .swap import remember_sources

            remember_sources(self.root)
        except Exception:  # then a swap has less to compare, and says so
            self.errors += 1

    def _exchange(self, bound: _socket.socket) -> None:
        try:
            data, sender = bound.recvfrom(MAX_MESSAGE + 1)
        except (BlockingIOError, InterruptedError):
            return
        # What a swapped module starts may not inherit that signals are blocked here.
        blocked = _signal.pthread_sigmask(_signal.SIG_SETMASK, self._mask)
        try:
            reply = self.obey(data)
        finally:
            _signal.pthread_sigmask(_signal.SIG_SETMASK, blocked)
        if not sender:
            return
        try:
            bound.sendto(bounded(reply), sender)
        except OSError:  # whoever asked is gone, or does not read; what was asked is done
            self.errors += 1

    def _is_ours(self) -> bool:
        """Whether the number of our socket still means our socket: programs close all they did not open."""
        return self._socket is not None and identity(self._socket.fileno()) == self._identity != GONE

    def _let_go(self) -> None:
        if self._socket is not None:
            if self._is_ours():
                self._socket.close()
            else:
                self._socket.detach()  # the program closed it, and may have reused its number
        self._socket = None

    def _close_wake(self) -> None:
        if identity(self._wake[1]) == self._wake_identity:
            for number in self._wake:
                os.close(number)
        self._wake = (-1, -1)


def start(root: str) -> Channel | None:
    """Opens the channel of this process, once, and again after a fork or when it was closed.

    Args:
        root: The project.

    Returns:
        The channel, or None when there cannot be one.
    """
    with _starting:
        channel = current()
        if channel is not None and channel.alive and channel.pid == os.getpid():
            same: bool = channel.root == os.path.realpath(root)
            return channel if same else None
        if channel is None:
            os.register_at_fork(
                before=_before_fork, after_in_parent=_after_in_parent, after_in_child=_after_in_child
            )
            atexit.register(_at_exit)
        else:
            _quietly("close" if channel.pid == os.getpid() else "leave")
        made = Channel(root)
        setattr(sys, _STATE, made)
        return made if made.open() else None


def current() -> Any:
    """Returns the channel of this process, if any; one even where the probe was loaded twice."""
    return getattr(sys, _STATE, None)


def _before_fork() -> None:
    _quietly("quiesce")


def _after_in_parent() -> None:
    channel = current()
    if channel is not None and channel.address and not channel.alive:
        _quietly("resume")


def _after_in_child() -> None:
    global _starting  # noqa: PLW0603 - one for the process
    _starting = _thread.allocate_lock()  # whoever held it does not exist here
    channel = current()
    if channel is not None and channel.address and channel.pid != os.getpid():
        _quietly("leave")
        _quietly("open")


def _at_exit() -> None:
    _quietly("close")


def _quietly(method: str) -> None:
    channel = current()
    if channel is None:
        return
    try:
        getattr(channel, method)()
    except Exception:  # the program forks or ends as it would without us
        channel.errors += 1
