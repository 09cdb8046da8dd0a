"""A process that walks one incident, so that a model or a long proof never holds up another one, and can be killed.

    python -m selfheal_tui.supervisor.worker --root ROOT [--flags JSON] [--env-file FILE] [--order] INCIDENT

With `--order` it does what the first line of its standard input says instead of walking: it puts an operator's version
or the next candidate in place of an open question. Standard output carries the steps as JSON lines, and nothing else. When standard input ends, whoever started it is
gone, and it ends with all that it started. It may not wait for a person: requests are left open.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from selfheal_tui.model.incident import Incident
    from selfheal_tui.pipeline.revise import Revision
    from selfheal_tui.pipeline.system import Engine
    from selfheal_tui.supervisor.order import Order

BUSY: Final = 75
"""Exit code: another process works on the incident."""
FAILED: Final = 70
"""Exit code: the walk failed; the last line of standard error says why."""


def main(arguments: Sequence[str]) -> int:
    """Walks the incident, or does what it is ordered.

    Args:
        arguments: Without the program's name.

    Returns:
        0 when the work came to an end of its own, `BUSY`, or `FAILED`.
    """
    parser = argparse.ArgumentParser(prog="selfheal-worker")
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--flags", type=json.loads, default={})
    parser.add_argument("--env-file", type=Path, default=None)
    parser.add_argument("--order", action="store_true")
    parser.add_argument("incident")
    options = parser.parse_args(arguments)
    with _steps_only() as lines:
        order = _order() if options.order else None
        _end_with_parent()
        return _work(options.root, options.incident, options.flags, options.env_file, lines, order)


def _order() -> Order:
    from selfheal_tui.supervisor.order import read_order

    return read_order(0)


def _work(
    root: Path,
    incident_id: str,
    flags: dict[str, str],
    env_file: Path | None,
    lines: BinaryIO,
    order: Order | None,
) -> int:
    from selfheal_tui.pipeline.build import open_project
    from selfheal_tui.pipeline.lease import IncidentBusyError
    from selfheal_tui.pipeline.steps import ApprovalNeeded, Step
    from selfheal_tui.pipeline.system import Silence, follow
    from selfheal_tui.supervisor.steplines import encode_step

    def answer(step: Step) -> Silence | None:
        lines.write(encode_step(step))
        lines.flush()
        return Silence.LEAVE_OPEN if isinstance(step, ApprovalNeeded) else None

    try:
        with open_project(root, environ=os.environ, flags=flags, env_file=env_file) as opened:
            engine = opened.engine
            incident = engine.store.incidents.get(incident_id)
            follow(engine.walk(incident) if order is None else _ordered(engine, incident, order), answer)
    except IncidentBusyError:
        return BUSY
    except BrokenPipeError:
        return FAILED
    except Exception as error:  # noqa: BLE001 - the service closes the incident with this as its reason
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return FAILED
    return 0


def _ordered(engine: Engine, incident: Incident, order: Order) -> Revision:
    from selfheal_tui.pipeline.revise import next_candidate, revise

    if order.candidate is not None:
        return revise(engine, incident, order.candidate, by=order.by, request_id=order.request_id or None)
    return next_candidate(
        engine, incident, by=order.by, request_id=order.request_id or None, number=order.number
    )


def _steps_only() -> BinaryIO:
    """Keeps standard output for the steps: whatever else is printed goes to standard error."""
    lines = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return lines


def _end_with_parent() -> None:
    def watch() -> None:
        os.read(0, 1)  # nothing more is ever written to it
        end_tree(os.getpid())

    threading.Thread(target=watch, name="parent", daemon=True).start()


def end_tree(pid: int) -> None:
    """Kills a process and all that it started, also what left its group.

    Args:
        pid: The process.
    """
    import psutil

    try:
        process = psutil.Process(pid)
        family = [*process.children(recursive=True), process]
    except psutil.NoSuchProcess:
        return
    for member in family:
        try:
            member.kill()
        except psutil.NoSuchProcess:
            continue


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
