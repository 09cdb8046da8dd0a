"""`selfheal watch`: tracebacks that appear in log files become incidents, and are healed when asked for."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from selfheal_tui.commands import exits
from selfheal_tui.commands.common import Options, emit, fail, opened, project_options, say
from selfheal_tui.commands.driver import Consent, drive
from selfheal_tui.operations import texts

if TYPE_CHECKING:
    from selfheal_tui.pipeline.system import Engine
    from selfheal_tui.supervisor.logdesk import LogCrash, LogDesk
    from selfheal_tui.supervisor.logwatch import LogWatcher

_POLL_SECONDS = 0.2
_ENDING = ("SIGTERM", "SIGINT", "SIGHUP")


@click.command("watch")
@click.option("--from-start", is_flag=True, help="Read what files hold already that were not watched before.")
@click.option("--heal", is_flag=True, help="Heal, as far as the policy allows; without it, only explain.")
@click.option(
    "--once", is_flag=True, help="Read to the end of the files (from their start if new), then end."
)
@click.argument("logfiles", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
@project_options
def watch_command(
    *, options: Options, from_start: bool, heal: bool, once: bool, logfiles: tuple[Path, ...]
) -> None:
    """Follow LOGFILES; each traceback in them becomes an incident.

    Files are followed through rotation (by renaming, and by copying and truncating), may appear later, and are
    gone on with where the last `selfheal watch` left off. JSON records, prefixed lines and lines of several
    threads and processes are told apart. When `selfheal serve` runs, its engine gets the crashes.

    With --json, standard output gets a JSON line for each crash and each result. Ends on SIGTERM, SIGINT and
    SIGHUP with exit code 0. Exit code 65 when a file cannot be followed, 66 with --once when one is not there.
    """
    from selfheal_tui.supervisor.logdesk import LogDesk
    from selfheal_tui.supervisor.logwatch import LogWatcher

    missing = [str(path) for path in logfiles if not path.exists()]
    if once and missing:
        fail(f"there is no {', '.join(missing)}; without --once it is waited for", exits.NOT_FOUND)
    with opened(options) as project, contextlib.ExitStack() as held:
        engine = project.engine
        for path in logfiles:
            held.enter_context(_alone(engine, path))
        desk = LogDesk(engine, heal=heal)
        desk.take_up(logfiles)
        try:
            watcher = LogWatcher(
                logfiles, engine.store.directory / "logs", desk.take, from_start=from_start or once
            )
        except OSError as error:
            fail(f"{error}; name log files that may be read", exits.BAD_INPUT)
        held.callback(watcher.close)
        if once:
            _tell_notes(watcher.finish().notes)
            _work(engine, desk, as_json=options.as_json)
        else:
            _follow(engine, desk, watcher, as_json=options.as_json)
        if watcher.torn:
            say(f"selfheal: {watcher.torn} traceback(s) were cut off in the log and could not be read")


def _follow(engine: Engine, desk: LogDesk, watcher: LogWatcher, *, as_json: bool) -> None:
    stop = threading.Event()
    with _ending_signals(stop):
        while not stop.is_set():
            looked = watcher.poll()
            _tell_notes(looked.notes)
            _work(engine, desk, as_json=as_json)
            if not looked.more:
                stop.wait(_POLL_SECONDS)


def _work(engine: Engine, desk: LogDesk, *, as_json: bool) -> None:
    for crash in desk.news():
        _tell(crash, as_json=as_json)
    consent = Consent(yes=False, wait_seconds=0, leave_open=True)
    for incident in drive(engine, desk.work(), consent, as_json=as_json):
        if as_json:
            _line({"incident": incident.incident_id, "state": incident.state.value, "message": incident.message,
                   "outcome": incident.outcome.value if incident.outcome else None})  # fmt: skip
        else:
            emit(f"{texts.standing(incident)}  {texts.headline(incident)}\n  {incident.message}")
    sys.stdout.flush()


def _tell(crash: LogCrash, *, as_json: bool) -> None:
    raised, context = crash.report.raised, crash.report.context
    if as_json:
        _line(
            {
                "crash": f"{raised.type}: {raised.message}",
                "incident": crash.incident.incident_id if crash.incident else None,
                "file": context.get("log.file"),
                "offset": int(context.get("log.offset", "0")),
                "times": crash.times,
                "count": crash.incident.count if crash.incident else None,
                "outdated": crash.outdated,
            }
        )
        return
    where = f"in {context.get('log.file')}{f' ×{crash.times}' if crash.times > 1 else ''}"
    if crash.incident is None:
        say(f"selfheal: {raised.bare_type} {where}; the engine of this project has it")
    elif crash.outdated:
        say(
            f"selfheal: #{crash.incident.incident_id} {where} again, from code that is fixed: restart the program"
        )
    else:
        say(f"selfheal: {texts.headline(crash.incident)} {where}")


def _line(value: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")


def _tell_notes(notes: Sequence[str]) -> None:
    for note in notes:
        say(f"selfheal: {note}")


@contextlib.contextmanager
def _alone(engine: Engine, path: Path) -> Iterator[None]:
    """Makes sure that nobody else watches a log for this project: both would remember where they are."""
    from selfheal_tui.pipeline.lease import IncidentBusyError, lease

    name = f"log-{hashlib.sha256(str(path.absolute()).encode()).hexdigest()[:16]}"
    try:
        with lease(engine.store.directory, name, wait_seconds=0.2):
            yield
    except IncidentBusyError:
        fail(f"{path} is being watched by another process already", exits.REFUSED)


def _ending_signals(stop: threading.Event) -> AbstractContextManager[None]:
    """Ends after the step that is being made; a second signal ends at once."""
    from selfheal_tui.supervisor.program import taking_signals

    def end(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    return taking_signals(end, _ENDING)
