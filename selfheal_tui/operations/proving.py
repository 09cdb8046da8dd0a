"""Has a worker process prove something for an operator, tells its steps, and kills it when it is to end early.

The same for the command line and the console: what may take long never runs in a face's own process.
"""

from __future__ import annotations

import select
import threading
from collections.abc import Callable
from dataclasses import dataclass

from selfheal_tui.model.evidence import Proof
from selfheal_tui.model.incident import Incident
from selfheal_tui.pipeline.build import Opened
from selfheal_tui.pipeline.lease import IncidentBusyError
from selfheal_tui.pipeline.steps import ApprovalNeeded, Held, Judged, Step
from selfheal_tui.supervisor.order import Order
from selfheal_tui.supervisor.workers import Worker

LOOK_SECONDS = 0.1
"""How soon a wish to end early is noticed."""


@dataclass(frozen=True, slots=True)
class Proved:
    """How a worker's errand ended.

    Attributes:
        asked: The new question, if there is one.
        refusal: Why there is none; empty when there is one, or when the earlier question was answered meanwhile.
        proof: What was shown last, if something was put to the proof.
    """

    asked: ApprovalNeeded | None
    refusal: str
    proof: Proof | None


def prove(
    project: Opened,
    incident: Incident,
    order: Order,
    *,
    tell: Callable[[Step], None] | None = None,
    stop: threading.Event | None = None,
) -> Proved:
    """Runs an order to its end.

    Args:
        project: The project.
        incident: The incident; its environment's policy counts, as for an answer.
        order: What is to be done.
        tell: Takes the steps.
        stop: Set to end it early; then nothing is changed.

    Raises:
        IncidentBusyError: Another process works on the incident.
    """
    worker = Worker(
        project.engine.project.root,
        incident.incident_id,
        flags={**project.flags, "environment": project.loaded.settings.environment.value},
        env_file=project.env_file,
        environ=project.environ,
        order=order,
    )
    last: Step | None = None
    proof: Proof | None = None
    try:
        ended = False
        while not ended:
            if stop is not None and stop.is_set():
                worker.kill(f"operator:{order.by}")
                break
            if not select.select([worker], [], [], LOOK_SECONDS)[0]:
                continue
            steps, ended = worker.read()
            for step in steps:
                last = step
                proof = step.proof if isinstance(step, Judged) else proof
                if tell is not None:
                    tell(step)
    except BaseException:
        worker.kill(f"operator:{order.by}")
        worker.finish()
        raise
    busy, failure = worker.finish()
    if busy:
        raise IncidentBusyError(
            f"{incident.incident_id} is held by another process, such as a `selfheal run` that waits for the answer; "
            "approve or reject it, or end that wait first"
        )
    if isinstance(last, ApprovalNeeded):
        return Proved(last, "", proof)
    if failure:
        return Proved(None, failure, proof)
    return Proved(None, last.incident.message if isinstance(last, Held) else "", proof)
