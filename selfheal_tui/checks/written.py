"""Puts a candidate into the isolated copy for as long as a check needs it there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from selfheal_tui.checks.base import CheckContext


@contextmanager
def written(context: CheckContext) -> Iterator[None]:
    """Writes the candidate into the workspace, and the original bytes back at the end, come what may.

    Raises:
        UnicodeEncodeError: An edit cannot be encoded.
    """
    after = {edit.path: edit.after_bytes() for edit in context.candidate.edits}
    try:
        context.workspace.write(after)
        yield
    finally:
        context.workspace.write({path: context.before.get(path) for path in after})
