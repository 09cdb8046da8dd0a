"""Rules for attributes whose name is written a little differently where they are defined.

`misspelt-attribute` corrects the use; `misspelt-definition` corrects the definition, when the object's
own code and its users agree on the name that is missing and nobody uses the one that is defined.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from selfheal_tui.model.candidate import Candidate
from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules.classes import Member, augmented, is_property
from selfheal_tui.repair.rules.places import files
from selfheal_tui.repair.rules.redirect import defined_somewhere
from selfheal_tui.repair.rules.rule import Finding, Rule
from selfheal_tui.repair.rules.similar import near
from selfheal_tui.repair.rules.spans import rename_attribute, rename_definition, whole
from selfheal_tui.repair.rules.subject import Subject, receiver_groups, same_misuse, subject_of
from selfheal_tui.repair.rules.support import CERTAIN, GUESS, PLAUSIBLE, edited
from selfheal_tui.source.edits import TextEdit

USE = "misspelt-attribute"
DEFINITION = "misspelt-definition"


def misspelt_use(context: RepairContext) -> Iterator[Finding]:
    """Offers the object's own names that are near the one that was asked for."""
    subject = subject_of(context)
    if subject is None or subject.name in subject.names:
        return
    groups = receiver_groups(subject.nodes)
    called = _is_called(subject)
    function = subject.site.function(subject.nodes[0])
    inside = function.name if function is not None and is_property(function) else ""
    choices = [name for name in subject.names if name != inside]  # a property that reads itself never ends
    for match in near(subject.name, choices):
        if called is not None and not _fits_call(subject, match.name, called):
            continue
        confidence = match.confidence
        elsewhere = defined_somewhere(context, subject.name)
        if not elsewhere and _orphan(context, subject, match.name) and _uses(context, subject.name) > 1:
            confidence = min(confidence, PLAUSIBLE)  # then rather the definition is wrong
        for group in groups:
            nodes = same_misuse(subject, group[0]) if len(groups) == 1 else group
            fix = edited(
                context,
                USE,
                f"{subject.described} has no attribute {subject.name!r}, but it has {match.name!r}; "
                f"the name is corrected where it is used.",
                confidence if len(groups) == 1 else min(confidence, GUESS),
                {subject.site.path: [rename_attribute(node, match.name) for node in nodes]},
            )
            if fix is not None:
                yield fix


def misspelt_definition(context: RepairContext) -> Iterator[Finding]:
    """Offers to rename a definition that nobody uses to the name that everybody uses."""
    subject = subject_of(context)
    if subject is None or subject.cls is None or subject.name in subject.names:
        return
    uses = _uses(context, subject.name)
    if defined_somewhere(context, subject.name):
        uses = 1  # the other uses may be about another class that has the name
    called = _is_called(subject)
    for match in near(subject.name, subject.cls.members):
        member = subject.cls.members[match.name]
        if member.kind in ("slot", "class") or not _orphan(context, subject, match.name):
            continue
        if called is not None and not _fits_call(subject, match.name, called):
            continue
        fix = _rename_member(context, subject, member, CERTAIN if uses > 1 else PLAUSIBLE, uses)
        if fix is not None:
            yield fix


def _is_called(subject: Subject) -> bool | None:
    """Whether the attribute is called where it failed; None when it is not known which one failed."""
    if len(subject.nodes) != 1:
        return None
    return any(
        isinstance(node, ast.Call) and node.func is subject.nodes[0] for node in ast.walk(subject.site.tree)
    )


def _fits_call(subject: Subject, name: str, called: bool) -> bool:
    """A plain data attribute is not called, as far as the source shows what it is."""
    member = subject.cls.members.get(name) if subject.cls else None
    if member is None or not called:
        return True
    if member.kind in ("instance attribute", "class attribute", "slot"):
        return not _assigned_constant(member)
    return member.kind != "property"


def _assigned_constant(member: Member) -> bool:
    for node in ast.walk(member.place.tree):
        if isinstance(node, ast.Assign) and member.place.node in node.targets:
            return isinstance(node.value, ast.Constant | ast.List | ast.Dict | ast.Set | ast.JoinedStr)
    return False


def _uses(context: RepairContext, name: str) -> int:
    """How often an attribute of that name is read in the project."""
    count = 0
    for _path, _text, tree in files(context.project, name):
        reading = augmented(tree)
        count += sum(
            isinstance(node, ast.Attribute)
            and node.attr == name
            and (isinstance(node.ctx, ast.Load) or node in reading)
            for node in ast.walk(tree)
        )
    return count


def _orphan(context: RepairContext, subject: Subject, name: str) -> bool:
    """Whether a member of the project's class is mentioned nowhere but where it is defined."""
    if subject.cls is None or name not in subject.cls.members:
        return False
    edits = _definition_edits(context, subject.cls.members[name], name)
    word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    mentions = sum(len(word.findall(text)) for _path, text, _tree in files(context.project, name))
    return bool(edits) and mentions == sum(map(len, edits.values()))


def _definition_edits(context: RepairContext, member: Member, new: str) -> dict[str, list[TextEdit]]:
    """Edits that rename every binding of a member in the file of its class; empty when that is not possible."""
    place = member.place
    text = context.project.read(place.path).text
    owner = place.qualname.rpartition(".")[0]
    if member.kind in ("method", "property"):
        edits = [
            rename_definition(text, node, new)
            for node in ast.walk(place.tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == member.name
        ]
        return {place.path: [edit for edit in edits if edit is not None]} if None not in edits else {}
    if member.kind == "class attribute":
        return {place.path: [whole(place.node, new)]}
    stores = [
        rename_attribute(node, new)
        for node in ast.walk(place.tree)
        if isinstance(node, ast.Attribute) and node.attr == member.name and isinstance(node.ctx, ast.Store)
    ]
    return {place.path: stores} if owner else {}


def _rename_member(
    context: RepairContext, subject: Subject, member: Member, confidence: float, uses: int
) -> Candidate | None:
    edits = _definition_edits(context, member, subject.name)
    if not edits or context.project.protected(member.place.path):
        return None
    times = "once" if uses == 1 else f"{uses} times"
    return edited(
        context,
        DEFINITION,
        f"{member.owner} defines {member.name!r}, which nothing uses, while {subject.name!r} is read {times}; "
        f"the definition is renamed.",
        confidence,
        edits,
    )


RULES = (
    Rule(USE, ("AttributeError",), misspelt_use),
    Rule(DEFINITION, ("AttributeError",), misspelt_definition),
)
