"""The rule for a file of the project that hides a module of the standard library by its name.

Renaming a file changes how the project is started and imported, so the cause is explained and the file
left alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules.places import module_file
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.subject import subject_of
from selfheal_tui.repair.rules.support import explained
from selfheal_tui.repair.rules.target import is_stdlib, module_members
from selfheal_tui.repair.rules.wrong_import import failing_from

NAME = "shadowed-module"


def shadowed(context: RepairContext) -> Iterator[Finding]:
    """Explains that `import random` found the project's `random.py`."""
    subject = subject_of(context) if context.error.bare_type == "AttributeError" else None
    found = None if subject is not None else failing_from(context)
    if subject is not None and subject.kind == "module":
        module, name, path = subject.type_name, subject.name, subject.module_path
    elif found is not None:
        site, _node, alias, module = found
        name, path = alias.name, module_file(context.project, module, site.path)
    else:
        return
    if path is None or not is_stdlib(context.interpreter, module):
        return
    if name in module_members(context.interpreter, module):
        yield explained(
            f"{path} hides the standard library's module {module!r}, which has {name!r}; the file has not.",
            f"Rename {path}, and what imports it, to a name that the standard library does not use.",
        )


RULES = (Rule(NAME, ("AttributeError", "ImportError"), shadowed),)
