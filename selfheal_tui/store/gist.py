"""What a list of incidents needs of each: a head to see what changed, and the gist of a body to show it in a line.

The gist is decoded from the same document as the whole incident, without making objects of its captured locals,
proofs and file texts: a list of thousands is read in seconds and stays small. No I/O.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from selfheal_tui.model.diagnosis import Diagnosis
from selfheal_tui.model.incident import IncidentState
from selfheal_tui.model.kinds import Environment, Outcome


class IncidentHead(NamedTuple):
    """What is known of an incident without reading its body.

    Attributes:
        incident_id: Its id.
        revision: Changes with every change of its body.
        last_seen: Unix time in seconds.
        state: The word of its state; empty when an old version did not note it.
        seen: How often the crash was seen.
    """

    incident_id: str
    revision: str
    last_seen: float
    state: str
    seen: int


@dataclass(frozen=True, slots=True)
class GistFrame:
    """Where a frame was."""

    file: str
    line: int
    path: str | None = None
    in_app: bool = False


@dataclass(frozen=True, slots=True)
class GistError:
    """What was raised."""

    type: str
    message: str
    frames: tuple[GistFrame, ...] = ()


@dataclass(frozen=True, slots=True)
class GistReport:
    """The crash."""

    chain: tuple[GistError, ...]


@dataclass(frozen=True, slots=True)
class IncidentGist:
    """An incident as far as a line of a list tells of it; attributes as those of `Incident`."""

    incident_id: str
    report: GistReport
    environment: Environment
    first_seen: float
    last_seen: float
    state: IncidentState = IncidentState.DETECTED
    count: int = 1
    diagnosis: Diagnosis | None = None
    outcome: Outcome | None = None
    message: str = ""
    request_id: str = ""
