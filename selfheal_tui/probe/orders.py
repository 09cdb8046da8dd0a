"""What the engine may ask of a live program, each checked before anything is done.

No message carries code: a swap names files, they must be below the project's root, and the code is read from there.
Standard library only, CPython 3.9+.
"""

from __future__ import annotations

import os

from . import places
from .descriptors import MAX_MESSAGE
from .loading import LibraryFirst

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .channel import Channel

MAX_FILES = 500
MAX_ID = 200


def obey(channel: Channel, data: bytes) -> dict[str, Any]:
    """Carries out one message.

    Args:
        channel: The channel that it came by.
        data: The datagram.

    Returns:
        The reply: `id`, `ok`, `swapped`, `restart_needed`, `error`.
    """
    reply: dict[str, Any] = {"id": "", "ok": False, "swapped": [], "restart_needed": [], "error": ""}
    try:
        if len(data) > MAX_MESSAGE:
            raise ValueError("the message is longer than %d bytes" % MAX_MESSAGE)
        with LibraryFirst():
            import json
        message = json.loads(data)
        if type(message) is not dict:
            raise ValueError("a message is a JSON object")
        number = message.get("id", "")
        if type(number) not in (str, int) or len(str(number)) > MAX_ID:
            raise ValueError("an `id` is a text of at most %d characters" % MAX_ID)
        reply["id"] = number
        command = message.get("cmd")
        if command == "ping":
            reply["ok"] = True
            reply["pid"] = os.getpid()
            reply["program"] = os.environ.get(places.PROGRAM_VARIABLE, "")
        elif command == "swap":
            _swap(channel, message, reply)
        elif command == "answer":
            _answer(channel, message)
            reply["ok"] = True
        else:
            raise ValueError("unknown command; this program knows ping, swap and answer")
    except Exception as problem:
        reply["error"] = "%s: %s" % (type(problem).__name__, str(problem)[:2_000])
    return reply


def _swap(channel: Channel, message: dict[str, Any], reply: dict[str, Any]) -> None:
    files = message.get("files")
    if type(files) is not list or not 0 < len(files) <= MAX_FILES:
        raise ValueError("`files` is a list of 1 to %d paths" % MAX_FILES)
    for file in files:
        _check(channel.root, file)
    from .swap import swap_files

    outcome = swap_files(files, root=channel.root)
    reply["swapped"] = list(outcome.swapped)
    reply["restart_needed"] = [{"what": what, "why": why} for what, why in outcome.restart_needed]
    reply["error"] = str(outcome.error)[:2_000]
    reply["notes"] = [{"what": what, "why": why} for what, why in getattr(outcome, "notes", ())]
    reply["ok"] = not outcome.error
    if reply["ok"] and not reply["restart_needed"]:
        channel.swaps += 1


def _check(root: str, file: object) -> None:
    if type(file) is not str or not os.path.isabs(file):
        raise ValueError("a file is named by its absolute path")
    if not os.path.realpath(file).startswith(root.rstrip(os.sep) + os.sep):
        raise ValueError("%s is outside the project; nothing was swapped" % file[:500])
    if not file.endswith(".py"):
        raise ValueError("%s is no Python source; nothing was swapped" % file[:500])


def _answer(channel: Channel, message: dict[str, Any]) -> None:
    reports, verdict = message.get("reports"), message.get("verdict")
    if type(reports) is not list or type(verdict) is not str:
        raise ValueError("an answer has `reports`, a list of ids, and a `verdict`")
    said = message.get("message")
    for report_id in reports:
        if type(report_id) is str:
            channel.verdict(report_id, verdict, said if type(said) is str else "")
