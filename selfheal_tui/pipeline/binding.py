"""Binds a fix to the exact bytes on disk that it would replace.

An approval is worth only as much as its binding; this module computes it from the live files every time
anew and keeps nothing. It reads, and never writes.
"""

from __future__ import annotations

from selfheal_tui.model.approval import Binding, TargetHash
from selfheal_tui.model.candidate import Candidate, sha256_hex
from selfheal_tui.source.project import Project


def current_bytes(project: Project, path: str) -> bytes | None:
    """Reads a file of the live tree.

    Args:
        project: The project.
        path: Relative to its root.

    Returns:
        Its bytes, or None when there is no such file.

    Raises:
        OutsideRootError: The path leads out of the root.
        OSError: It exists and cannot be read.
    """
    try:
        return project.absolute(path).read_bytes()
    except FileNotFoundError:
        return None


def contents_before(project: Project, candidate: Candidate) -> dict[str, bytes | None]:
    """Reads every file that a candidate would change."""
    return {edit.path: current_bytes(project, edit.path) for edit in candidate.edits}


def bind(project: Project, candidate: Candidate, policy: str) -> Binding:
    """Computes the binding of a candidate as the disk is now.

    Args:
        project: The project.
        candidate: The fix.
        policy: Version of the policy in force.

    Returns:
        Hash of the patch, hash of each target file, policy version.
    """
    before = contents_before(project, candidate)
    targets = tuple(
        TargetHash(path, None if data is None else sha256_hex(data)) for path, data in sorted(before.items())
    )
    return Binding(patch_sha256=candidate.patch_sha256, targets=targets, policy_version=policy)
