"""`selfheal serve`: the headless engine of a project, for whatever programs report to it."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import FrameType
from typing import TYPE_CHECKING

import click

from selfheal_tui.commands import exits
from selfheal_tui.commands.common import Options, fail, project_options

if TYPE_CHECKING:
    from selfheal_tui.supervisor.service import EngineService

_ENDING = ("SIGTERM", "SIGINT", "SIGHUP")


@click.command("serve")
@click.option(
    "--workers",
    type=click.IntRange(0, 64),
    default=None,
    help="Crashes healed at once; 0 takes them in and heals none. Default: supervision.workers.",
)
@click.option(
    "--sentry",
    metavar="HOST:PORT",
    default=None,
    help="Take crashes from Sentry clients (SENTRY_DSN, Spotlight) there, such as 127.0.0.1:8969. "
    "Beyond loopback intake.sentry_token must be set. Default: intake.sentry.",
)
@click.option("--web", is_flag=True, help="Also serve the console to browsers of this machine; read-only.")
@click.option(
    "--web-decide", is_flag=True, help="With --web: whoever has the printed address may decide, too."
)
@click.option("--web-host", default="127.0.0.1", show_default=True, help="Loopback address of --web.")
@click.option(
    "--web-port",
    type=click.IntRange(0, 65_535),
    default=8000,
    show_default=True,
    help="Port of --web; 0: a free one.",
)
@click.option("--once", is_flag=True, help="End when nothing is left to do without a person; for cron.")
@project_options
def serve_command(
    *,
    options: Options,
    workers: int | None,
    sentry: str | None,
    web: bool,
    web_decide: bool,
    web_host: str,
    web_port: int,
    once: bool,
) -> None:
    """Serve the project: take in what its programs report, heal, swap, watch.

    Programs report when they run with the probe in them. Approvals are never waited for: requests stay open for `selfheal approve` from any terminal. What happens is
    told on standard error, in words or with --json as one JSON line each.

    Ends on SIGTERM, SIGINT and SIGHUP with exit code 0; work that is cut off is taken up by the next engine. Exit
    code 77 when another engine serves the project already.

    --web needs the extra `selfheal-tui[web]`; its address, with a key, is told on standard error.
    """
    if web_decide and not web:
        raise click.UsageError("--web-decide is for --web; add it")
    if web and once:
        raise click.UsageError("--web serves until it is stopped; leave --once out")
    from selfheal_tui.commands.narration import tell, tell_json
    from selfheal_tui.commands.sentry_door import sentry_door
    from selfheal_tui.supervisor.service import EngineBusyError, EngineService

    flags = options.flags if sentry is None else {**options.flags, "intake.sentry": sentry}
    service = EngineService(options.root, flags=flags, env_file=options.env_file, workers=workers)
    service.subscribe(tell_json if options.as_json else tell)
    with _ending_signals(service.stop), sentry_door(options, flags, service):
        try:
            if web:
                _serve_with_web(service, options, host=web_host, port=web_port, decide=web_decide)
            else:
                service.run(once=once)
        except EngineBusyError as error:
            fail(str(error), exits.REFUSED)


def _serve_with_web(service: EngineService, options: Options, *, host: str, port: int, decide: bool) -> None:
    import threading

    from selfheal_tui.commands.web import console_command, serve_web
    from selfheal_tui.supervisor.events import Event, ServiceStopped

    ended = threading.Event()

    def heard(event: Event) -> None:
        if isinstance(event, ServiceStopped):
            ended.set()

    service.subscribe(heard)
    service.start()
    try:
        serve_web(host, port, console_command(options.root, options.flags, decide=decide), until=ended)
    finally:
        service.stop("the web console has ended")
        service.join()


def _ending_signals(stop: Callable[[str], None]) -> AbstractContextManager[None]:
    from selfheal_tui.supervisor.program import taking_signals

    def end(number: int, _frame: FrameType | None) -> None:
        stop(f"it got {signal.Signals(number).name}")

    return taking_signals(end, _ENDING)
