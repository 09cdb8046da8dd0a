"""Hands the files of a proposal to the operator's editor and takes back what they became. The originals stay as they are.

Each file goes to a private copy under its own name, so that the editor knows what it is. Whoever draws has to make room
on the terminal first: the editor itself is run by the caller.
"""

from __future__ import annotations

import shlex
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from selfheal_tui.operations.desk import EditedFile
from selfheal_tui.operations.snapshot import FileChange

CANDIDATES = ("sensible-editor", "editor", "nano", "vi")
"""What is tried where neither variable is set."""


class NoEditorError(RuntimeError):
    """No editor was found, or it failed; the message names the remedy."""


def editor_command(environ: Mapping[str, str]) -> list[str]:
    """Finds the operator's editor.

    Args:
        environ: Environment variables; `VISUAL` goes before `EDITOR`.

    Returns:
        The command, to which files are appended.

    Raises:
        NoEditorError: There is none.
    """
    named = environ.get("VISUAL") or environ.get("EDITOR") or ""
    command = shlex.split(named) if named else [c for c in CANDIDATES if shutil.which(c)][:1]
    if not command:
        raise NoEditorError("no editor was found: set $EDITOR")
    if shutil.which(command[0]) is None:
        raise NoEditorError(f"the editor {command[0]!r} was not found: set $EDITOR to one that is installed")
    return command


def edit(
    changes: Sequence[FileChange], environ: Mapping[str, str], run: Callable[[list[str]], int]
) -> tuple[EditedFile, ...]:
    """Has the files of a proposal edited.

    Args:
        changes: The files; what the editor is given is the text after.
        environ: Environment variables.
        run: Runs a command on the terminal and returns its exit code.

    Returns:
        The files as the operator left them, also those that stayed as proposed.

    Raises:
        NoEditorError: There is no editor, it failed, or what it left cannot be read.
    """
    command = editor_command(environ)
    with tempfile.TemporaryDirectory(prefix="selfheal-edit-") as folder:
        copies = [(change, _copy(Path(folder), number, change)) for number, change in enumerate(changes)]
        code = run([*command, *(str(copy) for _, copy in copies)])
        if code:
            raise NoEditorError(f"the editor ended with {code}; nothing was taken over")
        try:
            return tuple(EditedFile(c.path, copy.read_bytes().decode("utf-8")) for c, copy in copies)
        except (OSError, UnicodeDecodeError) as error:
            raise NoEditorError(f"what the editor left cannot be read: {error}") from error


def _copy(folder: Path, number: int, change: FileChange) -> Path:
    place = folder / str(number)
    place.mkdir(mode=0o700)
    copy = place / (PurePosixPath(change.path).name or "file")
    copy.write_bytes(change.after.encode("utf-8"))  # as bytes, so that line ends stay as they are
    return copy
