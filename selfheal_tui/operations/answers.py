"""What came of a decision, for any face: a sentence, and a reason that a script can tell apart. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from selfheal_tui.model.evidence import Proof
from selfheal_tui.model.incident import Incident


class Came(StrEnum):
    """What came of a decision; the command line has an exit code for each."""

    DONE = "done"
    NOT_HEALED = "not healed"
    NOT_PROVED = "not proved"
    ASKED_ANEW = "asked anew"
    REFUSED = "refused"
    NOT_FOUND = "not found"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a decision.

    Attributes:
        ok: Whether that was done which was asked for.
        text: One sentence for the operator, with the remedy when it was not done.
        incident: The incident as it stands afterwards, if one is concerned.
        came: What came of it, for exit codes.
        request_id: The question that is open about the incident now; empty when there is none.
        proof: What was shown about the operator's version or the next candidate, if one was put to the proof.
        handed_on: Whether another process, which waited for the answer, acts on it.
        running: What became of running programs, where code was taken back or put back; it is in the text as well.
    """

    ok: bool
    text: str
    incident: Incident | None = None
    came: Came = Came.DONE
    request_id: str = ""
    proof: Proof | None = None
    handed_on: bool = False
    running: str = ""
