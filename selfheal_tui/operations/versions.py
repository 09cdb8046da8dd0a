"""Makes a candidate of what an operator wants files to be: whole texts, bound to the bytes that are on disk now.

It refuses what was made from an older state of a file, since whole texts would silently take back what was edited
meanwhile. It proves nothing and asks nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from selfheal_tui.checks.importing import imports_of
from selfheal_tui.model.candidate import Candidate, FileEdit
from selfheal_tui.model.diagnosis import Location
from selfheal_tui.model.incident import Attempt, Incident, IncidentState
from selfheal_tui.operations.desk import EditedFile
from selfheal_tui.operations.snapshot import FileChange
from selfheal_tui.pipeline.asking import OPERATOR
from selfheal_tui.pipeline.binding import current_bytes
from selfheal_tui.pipeline.system import Engine
from selfheal_tui.source.diff import changed_definitions
from selfheal_tui.source.display import visible
from selfheal_tui.source.hunks import apply_hunks, hunks_of
from selfheal_tui.source.position import MODULE
from selfheal_tui.source.project import OutsideRootError
from selfheal_tui.source.text import SourceText, UnreadableSourceError, decode_source


class CannotMakeError(ValueError):
    """No candidate can be made of it; the message says why."""


def version_of(
    engine: Engine, incident: Incident, files: Sequence[EditedFile], *, what: str, by: str
) -> Candidate:
    """Makes the candidate of an operator's version.

    Args:
        engine: The engine.
        incident: The incident; a file of its open proposal must still be what the proposal was made from.
        files: The whole texts of the files that are to change.
        what: How it was made, such as `edited by hand`.
        by: The operator's name.

    Returns:
        The candidate, unproved.

    Raises:
        CannotMakeError: It would change nothing, or a file cannot be read, was edited since, or cannot hold it.
    """
    names = [file.path for file in files]
    if len(set(names)) != len(names):
        raise CannotMakeError("the same file is given twice")
    made_from = _made_from(incident)
    edits: list[FileEdit] = []
    targets: list[Location] = []
    imports: set[str] = set()
    new = False
    for file in files:
        before = _now(engine, file.path)
        if file.path in made_from and made_from[file.path] != (before.sha256 if before else None):
            raise CannotMakeError(
                f"{visible(file.path)} was edited since the fix was proposed; your version would take that back. "
                "Ask for the next fix, or reject this one and edit the file"
            )
        old = before.text if before else ""
        if file.text == old:
            continue
        new = new or before is None
        encoding = before.encoding if before else "utf-8"
        try:
            file.text.encode(encoding)
        except UnicodeEncodeError as error:
            raise CannotMakeError(
                f"{visible(file.path)} is in {encoding}, which cannot hold that: {error}"
            ) from error
        edits.append(FileEdit(file.path, before.sha256 if before else None, file.text, encoding))
        imports |= _modules(file.text) - _modules(old)
        targets += [Location(file.path, name, 1) for name in _definitions(old, file.text)]
    if not edits:
        raise CannotMakeError("that would change nothing")
    return Candidate(
        proposer=OPERATOR,
        rule=_rule(what),
        reason=f"{what}, by {by}",
        confidence=1.0,
        edits=tuple(edits),
        # A person's word is needed for new files alone; else the scope rung lets an operator change what they want.
        targets=tuple(targets) if new else (),
        adds_imports=tuple(sorted(imports)),
    )


def files_of(engine: Engine, attempt: Attempt) -> tuple[FileChange, ...]:
    """Returns the files of a proposal, each before and after, as exact texts.

    Args:
        engine: The engine.
        attempt: The proposal.
    """
    before = engine.closer.texts_before(attempt)
    return tuple(FileChange(e.path, before.get(e.path, ""), e.text) for e in attempt.candidate.edits)


def proposal_of(engine: Engine, incident: Incident) -> tuple[FileChange, ...]:
    """Returns what an operator's version is made from: the proposal, else the suspect's file as it is.

    Args:
        engine: The engine.
        incident: The incident.

    Raises:
        CannotMakeError: There is neither, or it cannot be read.
    """
    attempt = incident.chosen_attempt
    if attempt is not None and incident.state is IncidentState.AWAITING_APPROVAL:
        return files_of(engine, attempt)
    suspect = incident.diagnosis.suspect if incident.diagnosis else None
    now = _now(engine, suspect.path) if suspect is not None else None
    if suspect is None or now is None:
        raise CannotMakeError(
            f"incident {incident.incident_id} has no proposal, and no file that is to blame"
        )
    return (FileChange(suspect.path, now.text, now.text),)


def with_hunks(files: Sequence[FileChange], chosen: Sequence[int]) -> tuple[tuple[EditedFile, ...], str]:
    """Takes some hunks of a proposal, counted through all its files in order, from 1.

    Args:
        files: The files of the proposal.
        chosen: Numbers of the hunks to take.

    Returns:
        The files as they would be, and what was chosen, in words.

    Raises:
        CannotMakeError: A number is unknown.
    """
    edited: list[EditedFile] = []
    at = 0
    for file in files:
        hunks = hunks_of(file.before, file.after)
        mine = {number - at for number in chosen if at < number <= at + len(hunks)}
        edited.append(EditedFile(file.path, apply_hunks(file.before, hunks, mine)))
        at += len(hunks)
    unknown = sorted(number for number in chosen if not 1 <= number <= at)
    if unknown:
        raise CannotMakeError(f"there is no hunk {', '.join(map(str, unknown))}; there are {at}")
    return tuple(edited), f"{len(set(chosen))} of {at} hunks"


def _made_from(incident: Incident) -> dict[str, str | None]:
    attempt = incident.chosen_attempt
    if incident.state is not IncidentState.AWAITING_APPROVAL or attempt is None:
        return {}
    return {edit.path: edit.before_sha256 for edit in attempt.candidate.edits}


def _now(engine: Engine, path: str) -> SourceText | None:
    try:
        data = current_bytes(engine.project, path)
        return None if data is None else decode_source(data, path)
    except (OSError, OutsideRootError, UnreadableSourceError) as error:
        raise CannotMakeError(f"{visible(path)} cannot be changed: {error}") from error


def _rule(what: str) -> str:
    return "hunks" if "hunk" in what else "edit"


def _modules(text: str) -> set[str]:
    try:
        return {item.module for item in imports_of(ast.parse(text))}
    except (SyntaxError, ValueError, RecursionError):
        return set()  # the first rung of the ladder says so


def _definitions(before: str, after: str) -> frozenset[str]:
    try:
        return changed_definitions(before, after) | ({MODULE} if not before else frozenset())
    except (SyntaxError, ValueError, RecursionError):
        return frozenset()
