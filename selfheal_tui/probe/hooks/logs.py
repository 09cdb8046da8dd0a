"""Reports exceptions that the program catches and logs, and logging that fails.

`Logger.callHandlers` sees every record that is logged, whatever handlers there are and wherever they propagate to.
Records below WARNING are the program's own word that nothing is wrong. The functions set here claim to stand in
`logging`'s own file: logging, and handlers of others, find the caller of a logging call by leaving out the frames of
that file. Standard library only, CPython 3.9+.
"""

from __future__ import annotations

import sys

from ..limiter import key_of  # noqa: TID252 - the probe is loaded under a private name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_OWN_LOGGERS = ("selfheal_tui", "selfheal")


def install(probe: Any, logging: Any) -> None:
    """Wraps `Logger.callHandlers` and `Handler.handleError`.

    Args:
        probe: The installed probe.
        logging: The module.
    """
    call_handlers = logging.Logger.callHandlers
    handle_error = logging.Handler.handleError
    least = logging.WARNING
    is_repeat, passing = probe.limiter.is_repeat, probe.passing

    def callHandlers(self: Any, record: Any) -> Any:  # noqa: N802 - logging's name
        if record.exc_info and record.levelno >= least:
            try:
                error = record.exc_info[1]
                if (
                    error is not None
                    and not (passing and id(error) in passing)
                    and not is_repeat(key_of(error))
                ):
                    _report(probe, record, error)
            except Exception as problem:  # a record of the program's own making
                probe.note(problem)
        return call_handlers(self, record)

    def handleError(self: Any, record: Any) -> Any:  # noqa: N802 - logging's name
        error = sys.exc_info()[1]
        if error is not None:
            _report_failure(probe, record, error)
        return handle_error(self, record)

    for function, original in ((callHandlers, call_handlers), (handleError, handle_error)):
        function.__code__ = function.__code__.replace(co_filename=original.__code__.co_filename)
        function.__doc__, function.__module__ = original.__doc__, original.__module__
        function.__qualname__ = original.__qualname__
        function.__wrapped__ = original  # type: ignore[attr-defined]  # as functools.wraps does
    logging.Logger.callHandlers = callHandlers
    logging.Handler.handleError = handleError


def _report(probe: Any, record: Any, error: Any) -> None:
    name = str(record.name)
    if not isinstance(error, BaseException) or name.partition(".")[0] in _OWN_LOGGERS:
        return
    try:
        message = str(record.getMessage())
    except Exception:  # its arguments do not fit: a report of its own will say so
        message = str(record.msg)
    said = {"log.logger": name, "log.level": str(record.levelname), "log.message": message}
    probe.report(error, handled=True, kind="logged", context=said, counted=True)


def _report_failure(probe: Any, record: Any, error: BaseException) -> None:
    trace = error.__traceback__
    # The call that logs stands outside of the traceback, which begins in the handler.
    outer = trace.tb_frame.f_back if trace is not None else None
    said = {"log.logger": str(getattr(record, "name", "")), "log.failure": "--- Logging error ---"}
    probe.report(error, handled=True, kind="log-failure", context=said, outer=outer, calls=False)
