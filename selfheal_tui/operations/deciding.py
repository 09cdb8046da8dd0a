"""The deciding half of the desk: each decision becomes an errand, or is refused at once, and is answered.

What a decision means is `decisions`' business; here it gets its thread, its project and its words.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from selfheal_tui.operations import decisions
from selfheal_tui.operations import programs as program_views
from selfheal_tui.operations.answers import Answer
from selfheal_tui.operations.clerk import Clerk
from selfheal_tui.operations.desk import Answered, DeskEvent, EditedFile
from selfheal_tui.operations.engineseat import EngineSeat
from selfheal_tui.operations.errands import Act, Errand, Errands
from selfheal_tui.operations.liveproof import LiveProofs
from selfheal_tui.operations.opening import Session
from selfheal_tui.operations.operator import operator
from selfheal_tui.operations.safe import line
from selfheal_tui.operations.snapshot import RollbackPreview
from selfheal_tui.pipeline.build import Opened
from selfheal_tui.pipeline.steps import Step
from selfheal_tui.supervisor.crew import Crew
from selfheal_tui.supervisor.programs import ProgramManager

READ_ONLY = "this console is read-only; decide in another one, or with `selfheal approve` and its kin"


class DecidingDesk:
    """What `LiveDesk` does with decisions; it sets the attributes."""

    session: Session
    read_only: bool
    _tell: Callable[[DeskEvent], None]
    _seat: EngineSeat | None
    _crew: Crew | None
    _clerk: Clerk
    _errands: Errands
    _proofs: LiveProofs
    _previews: dict[str, RollbackPreview]

    def approve(self, request_id: str, *, code: str = "", reason: str = "") -> None:
        """Approves, and has it applied."""

        def act(project: Opened, _stop: threading.Event) -> Answer:
            with self._proving() as tell:
                answer = decisions.approve(
                    project, request_id, by=self._by(), code=code, reason=reason, tell=tell
                )
            if answer.ok and answer.incident is not None and self._crew is not None:
                self._crew.liaison.agree(answer.incident.incident_id)
            return _of_incident(answer)

        self._decide(request_id, f"applying what was approved{self._on(request_id)}", act)

    def reject(self, request_id: str, *, reason: str = "") -> None:
        """Rejects."""
        self._decide(
            request_id,
            "rejecting",
            lambda project, _stop: _of_incident(
                decisions.reject(project, request_id, by=self._by(), reason=reason)
            ),
            quick=True,
        )

    def revise(self, request_id: str, files: Sequence[EditedFile], *, what: str) -> None:
        """Puts the operator's version in place of a proposal; it is proved and asked anew."""
        kept = tuple(files)

        def act(project: Opened, stop: threading.Event) -> Answer:
            with self._proving(f"your version · {line(what, 60)}") as tell:
                return decisions.revise(
                    project, request_id, kept, what=what, by=self._by(), tell=tell, stop=stop
                )

        self._decide(request_id, f"proving your version{self._on(request_id)} ({line(what, 60)})", act)

    def next_candidate(self, request_id: str) -> None:
        """Puts the next proved candidate in place of a proposal, or searches on when there is none."""

        def act(project: Opened, stop: threading.Event) -> Answer:
            with self._proving() as tell:
                return decisions.next_candidate(project, request_id, by=self._by(), tell=tell, stop=stop)

        self._decide(request_id, f"looking for another fix{self._on(request_id)}", act)

    def retry(self, incident_id: str) -> None:
        """Has an incident that was not healed looked at anew."""
        self._decide(
            incident_id,
            f"opening #{line(incident_id, 40)} anew",
            lambda project, _stop: decisions.retry(project, incident_id, by=self._by()),
            quick=True,
        )

    def cancel(self, incident_id: str) -> None:
        """Ends the work on an incident."""

        def act(project: Opened, _stop: threading.Event) -> Answer:
            seat = self._seat
            service = seat.service if seat is not None else None
            if seat is not None and service is not None and seat.works_on(incident_id):
                service.cancel(incident_id, f"operator:{self._by()}")
                return Answer(ok=True, text=f"the work on #{incident_id} is ended; it is closed as rejected")
            return decisions.cancel(project, incident_id, by=self._by())

        self._decide(incident_id, f"ending the work on #{line(incident_id, 40)}", act, quick=True)

    def cancel_errand(self, errand: str) -> None:
        """Ends something long that this desk started."""
        if not self._errands.cancel(errand):
            self._tell(Answered(errand, ok=False, text="that has ended already"))

    def roll_back(self, target: str, *, overwrite: bool = False, reason: str = "") -> None:
        """Carries out what `ask_preview` showed for the same target; refused when files changed since."""
        shown = self._previews.get(target)
        if shown is None and not self.read_only:
            text = "look at the preview first: nothing is written that was not shown"
            self._tell(Answered(target, ok=False, text=text))
            return

        def act(project: Opened, _stop: threading.Event) -> Answer:
            options: dict[str, Any] = {"overwrite": overwrite, "reason": reason, "shown": shown}
            if target == "undo":
                return decisions.undo(project, by=self._by(), **options)
            return decisions.roll_back(project, target, by=self._by(), **options)

        self._decide(target, f"taking back {line(target, 80)}", act)

    def pause(self, *, reason: str = "") -> None:
        """Stops all changes, in every process."""
        self._decide(
            "pause",
            "pausing",
            lambda project, _stop: decisions.pause(project, by=self._by(), reason=reason),
            quick=True,
        )

    def resume(self) -> None:
        """Allows changes again."""
        self._decide(
            "resume",
            "resuming",
            lambda project, _stop: decisions.resume(project, by=self._by()),
            quick=True,
        )

    def restart_program(self, name: str) -> None:
        """Starts a supervised program anew."""
        self._with_program(name, lambda manager: program_views.restart(manager, name, self._by()))

    def stop_program(self, name: str) -> None:
        """Stops a supervised program."""
        self._with_program(name, lambda manager: program_views.stop(manager, name))

    # -- how decisions are carried out ------------------------------------------------------------------

    def _on(self, request_id: str) -> str:
        incident = self._clerk.incident_of(request_id)
        return f" for{incident}" if incident else ""

    def _by(self) -> str:
        return operator(self.session.environ)

    def _decide(self, about: str, text: str, act: Act, *, quick: bool = False) -> None:
        if self.read_only:
            self._tell(Answered(about, ok=False, text=READ_ONLY))
            return
        self._errands.start(
            Errand(about, text, act, lambda: self.session.opened_as_asked(about), quick=quick)
        )

    def _with_program(self, name: str, act: Callable[[ProgramManager], Answer]) -> None:
        if self.read_only:
            self._tell(Answered(name, ok=False, text=READ_ONLY))
            return
        crew = self._crew
        if crew is None:
            text = "this console supervises no programs; start it as `selfheal run -- COMMAND`"
            self._tell(Answered(name, ok=False, text=text))
            return
        # Reads only memory and the breakers' small file: nothing that keeps a face waiting.
        answer = act(crew.manager)
        self._clerk.call()
        self._tell(Answered(name, ok=answer.ok, text=line(answer.text, 500)))

    @contextlib.contextmanager
    def _proving(self, label: str = "") -> Iterator[Callable[[Step], None]]:
        """Shows the steps of an errand as a live proof, and ends that with the errand, however it ends."""
        seen: set[str] = set()

        def told(step: Step) -> None:
            seen.add(step.incident.incident_id)
            self._proofs.hear(step, label)
            self._clerk.call()

        try:
            yield told
        finally:
            for incident_id in seen:
                self._proofs.end(incident_id)


def _of_incident(answer: Answer) -> Answer:
    """Says which incident an answer is about: by the time it comes, another one may be looked at."""
    if answer.incident is None or answer.incident.incident_id in answer.text:
        return answer
    return replace(answer, text=f"#{answer.incident.incident_id}: {answer.text}")
