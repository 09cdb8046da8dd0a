"""Whether a crash that is left after a fix is the fix's own doing.

Reads reports and code; runs nothing.
"""

from __future__ import annotations

from selfheal_tui.checks.base import CheckContext
from selfheal_tui.checks.coverage import changed_by
from selfheal_tui.checks.definitions import MODULE, enclosing_qualname, plain_qualname
from selfheal_tui.checks.pairs import python_pairs
from selfheal_tui.model.crash import CrashReport


def crashed_in_changed_code(context: CheckContext, report: CrashReport) -> bool:
    """Says whether a crash comes out of code that the patch changed, or looks like the old one there.

    Args:
        context: The context; its candidate must parse.
        report: The crash seen with the fix in place.

    Returns:
        True when its innermost in-app frame is in a changed definition, or when it is the same exception
        type from the same function as before.
    """
    found = context.project.localise(report).suspect()
    if found is None:
        return False
    info, frame = found
    pairs = python_pairs(context)
    name = plain_qualname(frame.qualname)
    changed = {(path, q) for path, q in changed_by(pairs) if q != MODULE}
    for pair in pairs:
        if pair.path == frame.path:
            there = enclosing_qualname(pair.after_tree, frame.line)
            if (pair.path, there) in changed:
                return True
            if there == MODULE and frame.line in pair.written_lines():
                return True
    if (frame.path or "", name) in changed:
        return True
    ours = context.report.suspect()
    return (
        ours is not None
        and ours[0].bare_type == info.bare_type
        and ours[1].path == frame.path
        and plain_qualname(ours[1].qualname) == name
    )
