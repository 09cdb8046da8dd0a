"""Copies the project, as it is now, to where candidates may be tried.

What is copied is what `Project.walk()` yields (caches, environments and our state are pruned there), without what git
ignores, within hard caps. Never hard links: a write in place would reach the original. Nothing is ever
written below the live root.
"""

from __future__ import annotations

import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from selfheal_tui.model.ports import SandboxError
from selfheal_tui.model.settings import SandboxSettings
from selfheal_tui.source.listing import tracked_files
from selfheal_tui.source.project import Project, prune_dir

_MOST_FILES = 50_000
_MOST_NAMED = 200
_CHUNK = 1 << 30
_MIB = 1 << 20
# Generated modules and built extensions are ignored by git and yet imported.
_CODE_SUFFIXES = (".py", ".pyi", ".so", ".pyd", ".typed")


@dataclass(frozen=True, slots=True)
class CopyFacts:
    """What a copy holds.

    Attributes:
        files: How many files were copied.
        size: Bytes in them.
        left_out: Relative paths that were not copied, each with the reason (bounded).
    """

    files: int
    size: int
    left_out: tuple[str, ...] = ()


def copy_project(project: Project, target: Path, settings: SandboxSettings) -> CopyFacts:
    """Copies the project into an empty directory.

    Symbolic links that stay inside the root become relative links; those that leave it are left out.

    Args:
        project: The live project; only read.
        target: Directory of the copy; made if it is not there.
        settings: Caps.

    Returns:
        What was copied.

    Raises:
        SandboxError: A cap was passed, the target is inside the project, or a write failed.
    """
    root = project.root
    if target.resolve().is_relative_to(root):
        raise SandboxError(
            f"the copy {target} would lie inside the project {root}; set TMPDIR to a place outside"
        )
    count = _Count(root, settings)
    try:
        made = _copy_directories(root, target)
        listed = _Listed(root)
        for source in project.walk():
            relative = source.relative_to(root).as_posix()
            try:
                status = source.lstat()
                reason = _reason_to_leave_out(source, status, root, settings)
                if not reason and not listed.holds(relative):
                    reason = "ignored by git"
                if reason:
                    count.left_out.append(f"{relative}: {reason}")
                    continue
                count.add(status.st_size)
                destination = target / relative
                if destination.parent not in made:  # mostly made already, and asking the disk is dear
                    destination.parent.mkdir(parents=True, exist_ok=True)
                    made.add(destination.parent)
                if stat.S_ISLNK(status.st_mode):
                    _copy_link(source, destination, root, target)
                else:
                    copy_file(source, destination, status)
            except (FileNotFoundError, PermissionError) as error:
                count.left_out.append(f"{relative}: {error.strerror}")
    except OSError as error:
        raise SandboxError(
            f"the project cannot be copied to {target} ({error}); free space or set TMPDIR"
        ) from error
    return CopyFacts(count.files, count.size, tuple(count.left_out[:_MOST_NAMED]))


class _Count:
    """Adds up what was copied, and stops at the caps."""

    def __init__(self, root: Path, settings: SandboxSettings) -> None:
        self.root = root
        self.most = settings.copy_mb
        self.files = self.size = 0
        self.left_out: list[str] = []

    def add(self, size: int) -> None:
        self.files += 1
        self.size += size
        if self.size > self.most * _MIB:
            raise SandboxError(
                f"the copy of {self.root} would be larger than {self.most} MiB; raise sandbox.copy_mb, or let git "
                "ignore what the program does not need"
            )
        if self.files > _MOST_FILES:
            raise SandboxError(
                f"the project {self.root} has more than {_MOST_FILES} files; let git ignore what the program "
                "does not need, or choose a smaller root"
            )


class _Listed:
    """What git knows of; everything where there is no git."""

    def __init__(self, root: Path) -> None:
        names = tracked_files(root)
        self.names = None if names is None else frozenset(names)
        # A submodule is listed as a directory: git does not look into it.
        self.modules = tuple(
            f"{name}/" for name in names or () if (root / name).is_dir() and not (root / name).is_symlink()
        )

    def holds(self, relative: str) -> bool:
        if self.names is None or relative in self.names or relative.endswith(_CODE_SUFFIXES):
            return True
        return bool(self.modules) and relative.startswith(self.modules)


def _reason_to_leave_out(source: Path, status: os.stat_result, root: Path, settings: SandboxSettings) -> str:
    if stat.S_ISLNK(status.st_mode):
        return "" if source.resolve().is_relative_to(root) else "a link that leaves the project"
    if not stat.S_ISREG(status.st_mode):
        return "not a regular file"
    if status.st_size > settings.file_mb * _MIB:
        return f"larger than {settings.file_mb} MiB (sandbox.file_mb)"
    return ""


def _copy_directories(root: Path, target: Path) -> set[Path]:
    """Makes directories and links to directories: programs expect even empty ones to be there."""
    target.mkdir(parents=True, exist_ok=True)
    made = {target}
    for where, names, _ in os.walk(root):
        here = Path(where)
        kept = []
        for name in names:
            source = here / name
            if prune_dir(name) or (source / "pyvenv.cfg").exists():
                continue
            destination = target / source.relative_to(root)
            if len(made) > _MOST_FILES:
                raise SandboxError(
                    f"the project {root} has more than {_MOST_FILES} directories; choose a smaller root"
                )
            if source.is_symlink():
                if source.resolve().is_relative_to(root):
                    _copy_link(source, destination, root, target)
                continue
            destination.mkdir(exist_ok=True)
            made.add(destination)
            kept.append(name)
        names[:] = kept
    return made


def _copy_link(source: Path, destination: Path, root: Path, target: Path) -> None:
    if destination.is_symlink():
        return
    inside = target / source.resolve().relative_to(root)
    destination.symlink_to(os.path.relpath(inside, destination.parent))


def copy_file(source: Path, destination: Path, status: os.stat_result) -> None:
    """Copies content, permission bits and modification time of a regular file.

    `copy_file_range` lets file systems that can share the blocks (btrfs, XFS) do so.

    Args:
        source: The file.
        destination: Where to; replaced if it is there.
        status: `lstat` of the source.

    Raises:
        OSError: It cannot be read or written.
    """
    reader = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        writer = os.open(
            destination, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
        )
        try:
            _copy_bytes(reader, writer)
            os.fchmod(writer, stat.S_IMODE(status.st_mode) & 0o777 | 0o600)
            os.utime(writer, ns=(status.st_mtime_ns, status.st_mtime_ns))
        finally:
            os.close(writer)
    finally:
        os.close(reader)


def _copy_bytes(reader: int, writer: int) -> None:
    if hasattr(os, "copy_file_range"):
        try:
            while os.copy_file_range(reader, writer, _CHUNK):
                pass
            return
        except OSError:
            os.lseek(reader, 0, os.SEEK_SET)
            os.ftruncate(writer, 0)
            os.lseek(writer, 0, os.SEEK_SET)
    with open(reader, "rb", closefd=False) as source, open(writer, "wb", closefd=False) as target:
        shutil.copyfileobj(source, target)
