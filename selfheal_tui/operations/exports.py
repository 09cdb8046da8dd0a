"""Writes what an operator wants in a file, never over anything that is not ours."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from selfheal_tui.operations.histories import MADE_BY

_LOOKED_AT = 2048
"""Bytes at the beginning of an existing file in which our sign must be."""


class ExportRefusedError(RuntimeError):
    """The file may not be written; the message names the remedy."""


def write_export(root: Path, file: str, text: str) -> Path:
    """Writes a file as a whole, or not at all.

    Args:
        root: The project, which a relative path is under and may not lead out of.
        file: Where to.
        text: Its content, with our sign in it.

    Returns:
        Where it was written.

    Raises:
        ExportRefusedError: The path leads out of the root, is a link or a folder, or is somebody else's file.
        OSError: The disk is full, or the folder may not be written.
    """
    if not file.strip():
        raise ExportRefusedError("name a file to write to")
    path = Path(file)
    place = path if path.is_absolute() else root / path
    folder = place.parent.resolve()
    if not path.is_absolute() and not folder.is_relative_to(root.resolve()):
        raise ExportRefusedError(f"{file} leads out of the project; give an absolute path to write elsewhere")
    if not folder.is_dir():
        raise ExportRefusedError(f"there is no folder {folder}; make it first, or choose another")
    place = folder / place.name
    _refuse_others(place)
    # Ours is put in place at once; what somebody put there in between is found by the link, which replaces nothing.
    descriptor, temporary = tempfile.mkstemp(prefix=f".{place.name[:50]}.", dir=folder)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        if place.exists():
            _refuse_others(place)
            Path(temporary).replace(place)
        else:
            os.link(temporary, place)
    except FileExistsError as error:
        raise ExportRefusedError(f"{place} appeared in this moment; choose another name") from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(temporary).unlink()
    return place


def _refuse_others(place: Path) -> None:
    if place.is_symlink() or (place.exists() and not place.is_file()):
        raise ExportRefusedError(f"{place} is not a plain file; choose another name")
    if not place.exists():
        return
    with place.open("rb") as stream:
        head = stream.read(_LOOKED_AT)
    if MADE_BY.encode() not in head:
        raise ExportRefusedError(
            f"{place} exists and was not written by an export; choose another name, or move it away"
        )


def signed_svg(text: str) -> str:
    """Returns a drawing with our sign in it, so that it may be written anew.

    Raises:
        ExportRefusedError: It is no drawing.
    """
    start = text.find("<svg")
    if start < 0:
        raise ExportRefusedError("there is no drawing to write; look at the insights first")
    end = text.find(">", start) + 1
    return f"{text[:end]}\n<!-- {MADE_BY} -->{text[end:]}"
