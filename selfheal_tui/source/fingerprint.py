"""The identity of a crash: the same crash is one incident with a count.

Line numbers, messages, addresses and process facts do not take part, so an unrelated edit or another
input does not make a new incident; the text of the failing line and the missing identifier do, so two
different faults of one function stay two. A crash read from a log has the same fingerprint as the same
crash seen by the probe, provided both were localised (`Project.localise`). No I/O.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator

from selfheal_tui.model.crash import CrashReport, ExceptionInfo, Frame
from selfheal_tui.model.incident import Fingerprint
from selfheal_tui.source.identifiers import identifier_of

FINGERPRINT_VERSION = 1
_DIGITS = 16
_MAX_CYCLE = 16
"""Longest cycle of mutually recursive calls that is folded, in frames."""
_FOREIGN_FRAMES = 3
"""Where no frame is the project's own, the innermost few stand for the crash."""

_OUTER_FRAMES = 3
"""Of interrupted code the outermost few frames are told: the deeper, the more by chance."""

FrameKey = tuple[str, str, str]


def fingerprint(report: CrashReport) -> Fingerprint:
    """Computes the identity of a crash.

    Args:
        report: Localised by `Project.localise`; otherwise no frame is in-app and the identity is that
            of foreign code.

    Returns:
        The fingerprint with the version of this algorithm.
    """
    suspect = report.suspect()
    infos = [report.raised]
    if suspect is not None and suspect[0] is not report.raised:
        infos.append(suspect[0])
    digest = hashlib.sha256()
    for info in infos:
        for part in _parts(info):
            raw = part.encode("utf-8", "surrogatepass")
            digest.update(len(raw).to_bytes(4, "big") + raw)
    return Fingerprint(digest.hexdigest()[:_DIGITS], FINGERPRINT_VERSION)


def _parts(info: ExceptionInfo) -> Iterator[str]:
    yield info.type.removeprefix("__main__.")  # which Python before 3.13 prints and later ones do not
    frames = [f for f in info.frames if f.in_app] or list(info.frames[-_FOREIGN_FRAMES:])
    if info.interrupted_frames or info.bare_type == "Hang":
        # On which line a loop was interrupted, and in which function that it calls, is chance.
        stuck = [f for f in info.interrupted_frames or info.frames if f.in_app] or frames
        yield from (part for frame in stuck[:_OUTER_FRAMES] for part in _key(frame)[:2])
        return
    keys = [_key(frame) for frame in frames]
    for key in _once(keys) if info.bare_type == "RecursionError" else fold(keys):
        yield from key
    yield identifier_of(info) or ""


def _key(frame: Frame) -> FrameKey:
    if frame.path is not None:
        where = re.sub(r"(/__init__)?\.pyw?$", "", frame.path)
    else:
        where = frame.module or frame.file.replace("\\", "/").rpartition("/")[2]
    return where, frame.qualname, " ".join(frame.source.partition("\n")[0].split())


def fold(keys: list[FrameKey]) -> list[FrameKey]:
    """Reduces consecutive repeats, of single frames and of cycles, to one."""
    out: list[FrameKey] = []
    for key in keys:
        out.append(key)
        for size in range(1, min(_MAX_CYCLE, len(out) // 2) + 1):
            if out[-size:] == out[-2 * size : -size]:
                del out[-size:]
                break
    return out


def _once(keys: list[FrameKey]) -> list[FrameKey]:
    """Keeps the frames of the recursion once each: where in the cycle the stack ran out is chance."""
    counts = Counter(keys)
    return list(dict.fromkeys(key for key in keys if counts[key] > 1)) or fold(keys)
