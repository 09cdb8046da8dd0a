"""`selfheal review --plain`: the open questions in plain sentences, answered by typed words, a line each.

The linear twin of the console's review: no box, no colour, no cursor movement. Only a whole typed line decides
anything; the end of the input never approves.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Sequence

import click

from selfheal_tui.commands import exits
from selfheal_tui.commands.approvals import session_of
from selfheal_tui.commands.common import Options, emit, fail, operator, project_options
from selfheal_tui.commands.revise import numbers, run_editor
from selfheal_tui.model.approval import ApprovalRequest, RequestState
from selfheal_tui.model.incident import Attempt, Incident, IncidentState
from selfheal_tui.operations import decisions, editor, sentences
from selfheal_tui.operations.answers import Answer
from selfheal_tui.operations.desk import EditedFile
from selfheal_tui.operations.opening import Session
from selfheal_tui.operations.texts import one_line
from selfheal_tui.operations.versions import CannotMakeError, files_of, proposal_of, with_hunks
from selfheal_tui.pipeline.build import Opened
from selfheal_tui.pipeline.lease import IncidentBusyError

WORDS = (
    "Words: approve, reject REASON, hunks 1 3, edit, next, diff, proof, why, skip, quit. A word counts once you "
    "press enter."
)


class _Quit(Exception):  # noqa: N818 - not an error
    """The operator ends the review, or the input has ended."""


@click.command("review")
@click.option("--plain", is_flag=True, help="Plain sentences and typed words instead of the console.")
@click.argument("incident_id", required=False, default="")
@project_options
def review_command(*, options: Options, incident_id: str, plain: bool) -> None:
    """Answer the open questions one after the other.

    Opens the console at the review of the incident, or of the oldest question. With --plain each is told in plain sentences, and answered by words that are typed (or piped in) a line each:
    approve, reject REASON, hunks 1 3, edit, next, diff, proof, why, skip, quit. The end of the input leaves a question
    open. Exit code 75 when questions are left open, else 0.
    """
    if not plain:
        from selfheal_tui.commands.console import OLDEST, open_console

        open_console(options, review=incident_id.lstrip("#") or OLDEST)
    if options.as_json:
        fail("--plain talks to a person; use `selfheal incidents --json` and `selfheal approve`", exits.USAGE)
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(
            errors="replace"
        )  # whatever was piped in is not understood, and decides nothing
    review = PlainReview(session_of(options), read=_read_line, write=emit, by=operator())
    left = review.run(incident_id.lstrip("#"))
    sys.exit(exits.NEEDS_PERSON if left else exits.OK)


def _read_line() -> str | None:
    sys.stdout.flush()
    line = sys.stdin.readline()
    # A line that was not ended was not entered: whoever typed it has gone.
    return line[:-1] if line.endswith("\n") else None


class PlainReview:
    """A review in words.

    Args:
        session: The project.
        read: Returns the next typed line; None at the end of the input.
        write: Prints a line.
        by: The operator's name.
    """

    def __init__(
        self, session: Session, *, read: Callable[[], str | None], write: Callable[[str], None], by: str
    ) -> None:
        self._session = session
        self._read = read
        self._write = write
        self._by = by

    def run(self, only: str = "") -> int:
        """Goes through the open questions.

        Args:
            only: Id of the only incident to go through; empty for all.

        Returns:
            How many of them are left open.
        """
        asked = self._open(only)
        if not asked:
            self._write(
                f"Incident {only} asks nothing." if only else "No question is open. Nothing needs you."
            )
            return 0
        try:
            for number, incident_id in enumerate(asked, start=1):
                self._write(f"Question {number} of {len(asked)}.")
                self._review(incident_id)
        except _Quit as end:
            self._write(str(end))
        left = len(self._open(only))
        self._write(f"{left} question{'s' if left != 1 else ''} left open.")
        return left

    def _open(self, only: str) -> list[str]:
        with self._session.opened() as project:
            store = project.engine.store
            if only:
                wanted = [store.incidents.get(only)]
            else:
                wanted = store.incidents.in_states({IncidentState.AWAITING_APPROVAL})
            found = [
                (store.approvals.get(i.request_id).created_at, i.incident_id)
                for i in wanted
                if i.state is IncidentState.AWAITING_APPROVAL
                and store.approvals.state(i.request_id) is RequestState.OPEN
            ]
        return [incident_id for _, incident_id in sorted(found)]

    def _review(self, incident_id: str) -> None:
        with self._session.opened_as_asked(incident_id) as project:
            told = ""
            while True:
                incident = project.engine.store.incidents.get(incident_id)
                attempt = incident.chosen_attempt
                if incident.state is not IncidentState.AWAITING_APPROVAL or attempt is None:
                    return
                request = project.engine.store.approvals.get(incident.request_id)
                if told != request.request_id:
                    self._tell(project, incident, request, attempt)
                    told = request.request_id
                if self._answered(project, incident, request, attempt):
                    return

    # -- telling ------------------------------------------------------------------------------------

    def _tell(self, project: Opened, incident: Incident, request: ApprovalRequest, attempt: Attempt) -> None:
        self._say(list(sentences.question(incident, request, attempt)))
        self._say(list(sentences.why(request)))
        self._say(list(sentences.diff(files_of(project.engine, attempt))))
        self._say(list(sentences.proof(attempt.proof)))
        typed = f"approve {request.binding.code}" if request.needs_code else "approve"
        self._write(f"To approve this very patch type: {typed}")
        self._write(WORDS)

    def _say(self, lines: Sequence[str]) -> None:
        for line in lines:
            self._write(line)

    def _outcome(self, answer: Answer) -> None:
        self._write(("Done: " if answer.ok else "Not done: ") + one_line(answer.text, 2000))
        if not answer.ok and answer.proof is not None:
            self._say(list(sentences.proof(answer.proof, full=True)))

    # -- words --------------------------------------------------------------------------------------

    def _answered(
        self, project: Opened, incident: Incident, request: ApprovalRequest, attempt: Attempt
    ) -> bool:
        """Takes one typed line; returns whether to go on to the next question."""
        line = self._read()
        if line is None:
            raise _Quit("The input has ended; nothing more was decided.")
        word, _, rest = line.strip().partition(" ")
        rest = rest.strip()
        match word.lower():
            case "approve":
                return self._approve(project, request, rest)
            case "reject":
                answer = decisions.reject(project, request.request_id, by=self._by, reason=rest)
                return self._decided(answer)
            case "skip":
                return True
            case "quit":
                raise _Quit("You quit.")
            case "diff":
                self._say(list(sentences.diff(files_of(project.engine, attempt))))
            case "proof":
                self._say(list(sentences.proof(attempt.proof, full=True)))
            case "why":
                self._say(list(sentences.why(request)))
            case "hunks" | "edit" | "next" as wish:
                self._wished(project, incident, request, wish, rest)
            case _:
                self._write(f"Not understood: {one_line(line, 200)!r}. {WORDS}")
        return False

    def _wished(
        self, project: Opened, incident: Incident, request: ApprovalRequest, wish: str, rest: str
    ) -> None:
        """Has another version proved and asked about instead."""
        try:
            if wish == "hunks":
                files, what = with_hunks(proposal_of(project.engine, incident), numbers(rest))
                self._revise(project, request, files, what)
            elif wish == "edit":
                self._edit(project, incident, request)
            else:
                self._write("Looking for another fix; this may take a while.")
                self._outcome(decisions.next_candidate(project, request.request_id, by=self._by))
        except click.UsageError as error:
            self._write(f"Not done: {error.message}")
        except (CannotMakeError, editor.NoEditorError, IncidentBusyError) as error:
            self._write(f"Not done: {error}")

    def _approve(self, project: Opened, request: ApprovalRequest, code: str) -> bool:
        if code and not request.needs_code and code.lower() != request.binding.code:
            self._write("Not done: approve takes nothing but the code. A reason goes with reject.")
            return False
        return self._decided(decisions.approve(project, request.request_id, by=self._by, code=code))

    def _decided(self, answer: Answer) -> bool:
        self._outcome(answer)
        return answer.ok

    def _edit(self, project: Opened, incident: Incident, request: ApprovalRequest) -> None:
        if not sys.stdin.isatty():
            raise CannotMakeError("edit needs a terminal; use `selfheal revise --from FILE`")
        files = editor.edit(proposal_of(project.engine, incident), os.environ, run_editor)
        self._revise(project, request, files, "edited by hand")

    def _revise(
        self, project: Opened, request: ApprovalRequest, files: Sequence[EditedFile], what: str
    ) -> None:
        self._write(f"Proving your version, {what}; this may take a while.")
        self._outcome(decisions.revise(project, request.request_id, files, what=what, by=self._by))
