"""Finds exceptions that the program swallows in silence: the opt-in radar (`SELFHEAL_RADAR=1`, CPython 3.12+).

Reports an exception that a handler of the project caught, if that handler takes everything (`except:`, `Exception`,
`BaseException`), raises nothing, and neither uses the exception nor logs, prints or reports anything. Handlers
for narrower types are taken to be meant. It reads source and runs nothing of the program. Costs well under a
microsecond for each exception that the project's own code handles. Standard library only.
"""

from __future__ import annotations

import os
import sys
from types import CodeType
from typing import Any

_BROAD = frozenset({"Exception", "BaseException"})
_TELLING = (
    "log",
    "print",
    "warn",
    "report",
    "capture",
    "exception",
    "error",
    "critical",
    "notify",
    "traceback",
)
_TOOL_IDS = (4, 3)
_FLOW = (StopIteration, StopAsyncIteration, GeneratorExit)
MAX_PLACES = 10_000


def install(probe: Any) -> None:
    """Asks the interpreter to tell of handled exceptions, where it can.

    Args:
        probe: The installed probe.
    """
    monitoring: Any = getattr(sys, "monitoring", None)
    if monitoring is None or not probe.root:
        return
    for tool in _TOOL_IDS:
        try:
            monitoring.use_tool_id(tool, "selfheal")
        except ValueError:  # taken by another tool
            continue
        radar = Radar(probe)
        monitoring.register_callback(tool, monitoring.events.EXCEPTION_HANDLED, radar.on_handled)
        monitoring.set_events(tool, monitoring.events.EXCEPTION_HANDLED)
        return


class Radar:
    """Judges handlers, each once.

    Args:
        probe: The installed probe; its `root` says which code is the project's own.
    """

    def __init__(self, probe: Any) -> None:
        self._probe = probe
        self._prefix = os.path.realpath(probe.root) + os.sep
        self._other = os.path.abspath(probe.root) + os.sep
        self._silent: dict[tuple[int, int], tuple[bool, CodeType]] = {}

    def on_handled(self, code: CodeType, offset: int, error: BaseException) -> None:
        """Is called by the interpreter when an exception has reached a handler; never raises.

        Args:
            code: The code that handles it.
            offset: Byte offset of the handler.
            error: The exception.
        """
        if not code.co_filename.startswith((self._prefix, self._other)):
            return
        try:
            known = self._silent.get((id(code), offset))
            if known is None:
                if len(self._silent) > MAX_PLACES:
                    self._silent.clear()
                # The code is kept, so that no other can get its id.
                known = self._silent[id(code), offset] = (self._judge(code, offset), code)
            if known[0] and isinstance(error, Exception) and not isinstance(error, _FLOW):
                said = {"radar.handler": "%s:%d" % (code.co_filename, _line_at(code, offset))}
                self._probe.report(error, handled=True, kind="swallowed", context=said)
        except Exception as problem:
            self._probe.note(problem)

    def _judge(self, code: CodeType, offset: int) -> bool:
        import ast
        import dis

        from ..frames import Sources  # noqa: TID252 - the probe is loaded under a private name

        # Other places at which exceptions arrive (`finally`, `with`, the end of a named handler) are no handlers.
        if code.co_code[offset] != dis.opmap.get("PUSH_EXC_INFO"):
            return False
        sources = Sources(self._probe.root, self._probe.start_dir)
        if not sources.is_in_app(code.co_filename):
            return False
        tree, line = sources.tree(code.co_filename), _line_at(code, offset)
        if tree is None:
            return False
        for node in ast.walk(tree):
            if isinstance(node, (ast.Try, ast.TryStar)) and node.handlers and node.handlers[0].lineno == line:
                # With narrower handlers before it, which one catches is not known here.
                return len(node.handlers) == 1 and is_silent(node.handlers[0])
        return False


def is_silent(handler: Any) -> bool:
    """Whether a handler takes every exception and lets nobody know.

    Args:
        handler: The `ast.ExceptHandler`.

    Returns:
        False in case of doubt.
    """
    import ast

    if handler.type is not None and not (isinstance(handler.type, ast.Name) and handler.type.id in _BROAD):
        return False
    for statement in handler.body:
        for node in ast.walk(statement):
            if isinstance(node, (ast.Raise, ast.Assert)):
                return False
            if handler.name and isinstance(node, ast.Name) and node.id == handler.name:
                return False
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func).lower()
                if any(word in called for word in _TELLING):
                    return False
    return True


def _line_at(code: CodeType, offset: int) -> int:
    """The line of the first instruction of a handler that has one."""
    for index, (line, _, _, _) in enumerate(code.co_positions()):
        if index >= offset // 2 and line is not None:
            return line
    return 0
