"""`selfheal revise` and `next`: another proposal in the place of the one that is asked about."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from selfheal_tui.commands import exits
from selfheal_tui.commands.approvals import CODES, opened_as_asked, refuse_unless_done
from selfheal_tui.commands.common import Options, emit, emit_json, fail, operator, project_options, say
from selfheal_tui.commands.incidents import summary
from selfheal_tui.model.incident import Incident
from selfheal_tui.model.serial import to_builtins
from selfheal_tui.operations import texts
from selfheal_tui.operations.answers import Answer
from selfheal_tui.operations.desk import EditedFile
from selfheal_tui.operations.snapshot import FileChange
from selfheal_tui.pipeline.build import Opened


@click.command("revise")
@click.option(
    "--hunks", default="", metavar="1,3", help="Take only these hunks, as `selfheal diff --hunks` counts."
)
@click.option("--edit", "by_editor", is_flag=True, help="Edit the proposal in $EDITOR.")
@click.option(
    "--from",
    "sources",
    multiple=True,
    metavar="[PATH=]FILE",
    help="Take FILE (or - for standard input) as the whole text of PATH; PATH may be left out where one file changes.",
)
@click.argument("incident_id")
@project_options
def revise_command(
    *, options: Options, incident_id: str, hunks: str, by_editor: bool, sources: tuple[str, ...]
) -> None:
    """Put your own version in place of a proposed fix.

    It climbs the whole proof. If it passes, the question is asked anew about your version, with a code of its own
    (exit code 0; approve it with `selfheal approve`). If it fails (exit code 1), the earlier question stays open. An
    incident that is closed without a fix can be brought one in the same way.
    """
    if sum((bool(hunks), by_editor, bool(sources))) != 1:
        raise click.UsageError("say which version: --hunks, --edit or --from")
    from selfheal_tui.commands.narration import tell
    from selfheal_tui.operations import decisions
    from selfheal_tui.operations.versions import CannotMakeError, proposal_of

    with opened_as_asked(options, incident_id) as project:
        incident = project.engine.store.incidents.get(incident_id.lstrip("#"))
        try:
            proposal = proposal_of(project.engine, incident)
            files, what = _version(proposal, hunks, sources)
            now = proposal_of(project.engine, incident)
        except CannotMakeError as error:
            fail(str(error), exits.REFUSED)
        if now != proposal:
            fail("a file was edited while you edited its copy; nothing was taken over", exits.REFUSED)
        # The question that was seen: another one that opened meanwhile is not replaced.
        about = incident.request_id or incident.incident_id
        answer = decisions.revise(project, about, files, what=what, by=operator(), tell=tell)
        _show(options, project, answer)
    sys.exit(exits.OK if answer.ok else CODES[answer.came])


@click.command("next")
@click.option("--candidate", type=click.IntRange(1), default=None, help="Take this one, as `show` counts.")
@click.argument("incident_id")
@project_options
def next_command(*, options: Options, incident_id: str, candidate: int | None) -> None:
    """Ask about the next proved fix of an incident instead.

    Where no other is at hand the search goes on without all that was tried. Exit code 0 when another fix is asked
    about, 1 when nothing else was found; then the earlier question stays open.
    """
    from selfheal_tui.commands.narration import tell
    from selfheal_tui.operations import decisions

    with opened_as_asked(options, incident_id) as project:
        answer = decisions.next_candidate(project, incident_id, by=operator(), number=candidate, tell=tell)
        _show(options, project, answer)
    sys.exit(exits.OK if answer.ok else CODES[answer.came])


def run_editor(command: list[str]) -> int:
    """Runs an editor on this terminal."""
    return subprocess.run(command, check=False).returncode


def _version(
    proposal: tuple[FileChange, ...], hunks: str, sources: tuple[str, ...]
) -> tuple[tuple[EditedFile, ...], str]:
    from selfheal_tui.operations import editor
    from selfheal_tui.operations.versions import CannotMakeError, with_hunks

    if hunks:
        return with_hunks(proposal, numbers(hunks))
    if sources:
        return tuple(_taken(source, proposal) for source in sources), "from a file"
    try:
        return editor.edit(proposal, os.environ, run_editor), "edited by hand"
    except editor.NoEditorError as error:
        raise CannotMakeError(str(error)) from error


def numbers(text: str) -> list[int]:
    """Reads numbers of hunks, such as `1,3` or `1 3`.

    Raises:
        click.UsageError: Something else is among them.
    """
    words = text.replace(",", " ").split()
    if not words or not all(word.isdecimal() for word in words):
        raise click.UsageError(f"hunks are numbers, such as 1,3; not {text!r}")
    return sorted({int(word) for word in words})


def _taken(source: str, proposal: tuple[FileChange, ...]) -> EditedFile:
    from selfheal_tui.operations.versions import CannotMakeError
    from selfheal_tui.source.text import UnreadableSourceError, decode_source

    path, sign, file = source.partition("=")
    if not sign:
        if len(proposal) != 1:
            raise click.UsageError("say which file it is to become: --from PATH=FILE")
        path, file = proposal[0].path, source
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return EditedFile(path, decode_source(data, file).text)
    except (OSError, UnreadableSourceError) as error:
        raise CannotMakeError(f"{file} cannot be read: {error}") from error


def _show(options: Options, project: Opened, answer: Answer) -> None:
    incident = answer.incident
    if options.as_json:
        emit_json(_body(project, answer, incident))
    refuse_unless_done(answer)
    if options.as_json or incident is None:
        return
    emit(f"{texts.standing(incident)}  {texts.headline(incident)}\n  {texts.one_line(answer.text, 2000)}")
    if not answer.ok and answer.proof is not None:
        for line in texts.proof_lines(answer.proof):
            emit(line)
    if answer.ok:
        say(f"selfheal diff {incident.incident_id} shows it, with the code to approve it with")


def _body(project: Opened, answer: Answer, incident: Incident | None) -> dict[str, Any]:
    request = project.engine.store.approvals.get(answer.request_id) if answer.request_id else None
    return {
        "ok": answer.ok,
        "text": answer.text,
        "came": answer.came.value,
        "incident": summary(incident) if incident else None,
        "request_id": answer.request_id,
        "code": request.binding.code if request else None,
        "proof": to_builtins(answer.proof) if answer.proof else None,
    }
