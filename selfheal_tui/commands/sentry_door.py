"""Opens the Sentry-compatible intake beside an engine, if it is asked for; tells where it is, and what it refused."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from selfheal_tui.commands import exits
from selfheal_tui.commands.common import Options, fail, say

if TYPE_CHECKING:
    from selfheal_tui.supervisor.service import EngineService


@contextlib.contextmanager
def sentry_door(options: Options, flags: Mapping[str, str], service: EngineService) -> Iterator[None]:
    """Keeps the intake open as long as the engine serves.

    Args:
        options: The command's options.
        flags: Settings from the command line; `intake.sentry` is the address, empty for none.
        service: The engine; connections that come before it has started wait.
    """
    from selfheal_tui.config import load_settings
    from selfheal_tui.pipeline.lease import is_leased
    from selfheal_tui.supervisor.holder import DUTY

    loaded = load_settings(options.root, environ=os.environ, flags=dict(flags), env_file=options.env_file)
    limits, state = loaded.settings.intake, options.root / ".selfheal"
    # A second engine is told that it is one, not that the first one has the port.
    if not limits.sentry or is_leased(state, DUTY):
        yield
        return
    from selfheal_tui.supervisor.events import Event, ServiceStarted
    from selfheal_tui.supervisor.sentry import SentryIntake, SentryIntakeError, inbox_sink

    try:
        intake = SentryIntake(inbox_sink(options.root, state / "inbox"), limits.sentry, limits)
    except SentryIntakeError as error:
        fail(str(error), exits.BAD_CONFIG)

    def begin(event: Event) -> None:
        if isinstance(event, ServiceStarted):
            intake.start()
            _tell(options, {"step": "SentryIntakeOpened", "dsn": intake.dsn},
                  f"selfheal: programs with a Sentry client report here with SENTRY_DSN={intake.dsn}")  # fmt: skip

    end = service.subscribe(begin)
    try:
        yield
    finally:
        end()
        intake.close()
        counts = intake.snapshot()
        body = {"step": "SentryIntakeClosed", "written": counts.written, "ignored": counts.ignored,
                "refused": counts.refused, "limited": counts.limited, "failed": counts.failed}  # fmt: skip
        _tell(
            options,
            body,
            f"selfheal: from Sentry clients: {counts.written} taken, {counts.ignored} no crash, "
            f"{counts.refused} refused, {counts.limited} over the rate, {counts.failed} not written",
        )


def _tell(options: Options, body: Mapping[str, object], text: str) -> None:
    if options.as_json:
        sys.stderr.write(json.dumps(body) + "\n")
        sys.stderr.flush()
    else:
        say(text)
