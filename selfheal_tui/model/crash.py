"""A crash as it was captured: the exception chain, its frames, and facts of the process.

`CrashReport` is also the probe's wire format (`docs/wire-format.md`): the probe, which may import
nothing of ours, writes this JSON by hand. All texts were bounded and masked by whoever captured them,
and are untrusted all the same. No I/O.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from selfheal_tui.model.kinds import CaptureSource, ChainLink

WIRE_VERSION = 1
_LIMIT = re.compile(
    r"time[ -]?out|timed out|time limit|still running|too long|deadline|\balarm|\bhang", re.IGNORECASE
)
REPEATS_OF = "selfheal.repeats_of"
"""In `context`: the report tells only how often the crash of that earlier report was seen again."""


@dataclass(frozen=True, slots=True)
class LocalValue:
    """One local variable (or argument) at the moment of the crash.

    Attributes:
        name: The variable.
        type: Qualified name of its type, such as `app.tools.Result` or `builtins.dict` written `dict`.
        repr: Bounded, masked `repr`.
        size: `len()` where the value is a built-in container or string, else None.
        keys: For dicts with string keys: the keys (bounded), for "did you mean".
    """

    name: str
    type: str
    repr: str
    size: int | None = None
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Frame:
    """One level of a traceback, outermost first in its exception.

    Attributes:
        file: File name as the interpreter had it.
        qualname: Qualified name of the code object (`Class.method`, `f.<locals>.g`, `<module>`).
        line: 1-based line that was executing.
        module: `__name__` of the frame's globals.
        end_line: Last line of the failing instruction's source range, if known.
        col: 0-based UTF-8 byte offset where that range starts, if known.
        end_col: Offset where it ends, if known.
        first_line: `co_firstlineno`, if known.
        source: Text of the line, as the program's interpreter saw it.
        locals: Local variables; only for frames the capture took to be in-app.
        path: Path relative to the project root, with forward slashes; None when outside. Set by
            `selfheal_tui.source`, never by the probe.
        in_app: Whether the frame is the project's own code. Set by `selfheal_tui.source`.
        by_signal: Whether a signal called it while the frame before it was running.
    """

    file: str
    qualname: str
    line: int
    module: str = ""
    end_line: int | None = None
    col: int | None = None
    end_col: int | None = None
    first_line: int | None = None
    source: str = ""
    locals: tuple[LocalValue, ...] = ()
    path: str | None = None
    in_app: bool = False
    by_signal: bool = False

    @property
    def function(self) -> str:
        """Bare name of the function, without its owners."""
        return self.qualname.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class NameEvidence:
    """What the failing process knew about the thing that was not there.

    Attributes:
        name: The identifier (`exc.name`), key or keyword that was missing.
        obj_type: Qualified type name of the object that lacked it (`exc.obj`).
        obj_module: Module in which that type (or the module object itself) is defined.
        obj_file: File in which it is defined, if there is one.
        obj_mro: Qualified names of its base classes, nearest first.
        obj_names: Names that the object does have (bounded, no dunders).
        keys: Keys that the mapping does have, as `repr`s, for KeyError.
    """

    name: str | None = None
    obj_type: str | None = None
    obj_module: str | None = None
    obj_file: str | None = None
    obj_mro: tuple[str, ...] = ()
    obj_names: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExceptionInfo:
    """One exception of a chain.

    Attributes:
        type: Type name as Python prints it (`ValueError`, `app.errors.ToolError`).
        message: Bounded, masked `str(exception)`.
        frames: Outermost first.
        link: How it hangs on the exception before it in the chain.
        mro: Qualified names of the type's bases, nearest first, for classification.
        evidence: What was known about a missing name, attribute or key.
        syntax: For SyntaxError: (file, line, offset, text).
        notes: `__notes__`.
    """

    type: str
    message: str
    frames: tuple[Frame, ...] = ()
    link: ChainLink = ChainLink.RAISED
    mro: tuple[str, ...] = ()
    evidence: NameEvidence = field(default_factory=NameEvidence)
    syntax: tuple[str, int, int, str] | None = None
    notes: tuple[str, ...] = ()

    @property
    def bare_type(self) -> str:
        """Type name without its module."""
        return self.type.rpartition(".")[2]

    @property
    def interrupted_frames(self) -> tuple[Frame, ...]:
        """Where the program was when its own time limit ended it by a signal; empty if none did.

        A signal's handler stands inside whatever was running by chance; only one that speaks of time tells
        that what was running took too long.
        """
        first = next((at for at, frame in enumerate(self.frames) if frame.by_signal), 0)
        return self.frames[:first] if first and _LIMIT.search(f"{self.type} {self.message}") else ()


@dataclass(frozen=True, slots=True)
class ReplayCall:
    """The innermost in-app call that can be called again with its captured arguments.

    Attributes:
        module: `__name__` of the function's module (may be `__main__`).
        file: File that defines it.
        qualname: Qualified name of the function.
        payload: Name of the pickle beside the report, holding `{"args": (...), "kwargs": {...}}`
            as they were *at crash time* (Python keeps no copies from before); None if it could not be
            pickled. Opened only inside the sandbox.
        problem: Why there is no payload, or what to know about it (it may have been changed in place).
        is_async: Whether the function is a coroutine function.
    """

    module: str
    file: str
    qualname: str
    payload: str | None = None
    problem: str = ""
    is_async: bool = False


@dataclass(frozen=True, slots=True)
class ProcessFacts:
    """The process that crashed, so that its command can be run again.

    Attributes:
        pid: Process id.
        executable: The interpreter.
        python: Version, such as `3.11.7`.
        argv: `sys.orig_argv` where known, else executable and `sys.argv`.
        cwd: Working directory at capture time.
        sys_path: Import path, in order.
        prefix: `sys.prefix`.
        thread: Name of the thread.
        seconds: Run time until the crash.
        handled: Whether the program caught the exception itself.
    """

    pid: int = 0
    executable: str = ""
    python: str = ""
    argv: tuple[str, ...] = ()
    cwd: str = ""
    sys_path: tuple[str, ...] = ()
    prefix: str = ""
    thread: str = ""
    seconds: float = 0.0
    handled: bool = False


@dataclass(frozen=True, slots=True)
class CrashReport:
    """Everything that was captured about one crash.

    Attributes:
        report_id: Unique id, 32 hexadecimal digits.
        captured_at: Unix time in seconds.
        source: How it was captured.
        chain: The exception that ended the program first; then its causes, contexts and members.
        process: The process.
        replay: Calls that may be replayed, innermost in-app first.
        context: What the program said about its work (`detect_and_heal(context=…)`), as strings.
        wire_version: Version of this format.
        kind: What was captured: `exception` (uncaught, or handed to the healer), `thread`, `task`, `loop`,
            `unraisable`, `child`, `logged`, `log-failure`, `warning`, `blocked-loop`, `hang`, `swallowed`,
            `guard`, `scan`.
        count: How many like it this report stands for (the probe bounds its rate).
        channel: Address of the program's control socket; empty when it has none.
        waits_until: Unix time until which the program waits for an answer; 0 when it does not wait.
    """

    report_id: str
    captured_at: float
    source: CaptureSource
    chain: tuple[ExceptionInfo, ...]
    process: ProcessFacts = field(default_factory=ProcessFacts)
    replay: tuple[ReplayCall, ...] = ()
    context: dict[str, str] = field(default_factory=dict)
    wire_version: int = WIRE_VERSION
    kind: str = "exception"
    count: int = 1
    channel: str = ""
    waits_until: float = 0.0

    @property
    def raised(self) -> ExceptionInfo:
        """The exception that ended the program (or was handed to the healer)."""
        return self.chain[0]

    @property
    def tells_repeats(self) -> bool:
        """Whether it only counts: its chain is that of an earlier report, without locals and arguments."""
        return REPEATS_OF in self.context

    @property
    def stuck(self) -> bool:
        """Whether it is about code that did not come to an end: a hang, or a time limit that interrupted it."""
        return self.kind == "hang" or any(info.interrupted_frames for info in self.chain)

    def suspect(self) -> tuple[ExceptionInfo, Frame] | None:
        """Finds the innermost in-app frame of the exception that is to be cured.

        A cause happened before what it caused, so the deepest one with an in-app frame wins. What was
        merely being handled is a cause only if the handler raised on purpose; a handler that fails by
        itself is the fault. Where a time limit interrupted the program, it is the interrupted frame.

        Returns:
            The exception and its frame, or None when no frame is the project's own.
        """
        causes = [self.chain[0]]
        for info in self.chain[1:]:
            if info.link is ChainLink.CONTEXT and not _raised_on_purpose(causes[-1]):
                break
            causes.append(info)
        for info in reversed(causes):
            for frame in reversed(info.interrupted_frames or info.frames):
                if frame.in_app:
                    return info, frame
        return None

    def with_chain(self, chain: tuple[ExceptionInfo, ...]) -> CrashReport:
        """Returns the report with another chain (used when frames are localised)."""
        return replace(self, chain=chain)


def _raised_on_purpose(info: ExceptionInfo) -> bool:
    """Returns whether a `raise` statement of the project ended it; unknown source counts as such."""
    own = [frame for frame in info.frames if frame.in_app] or list(info.frames)
    source = own[-1].source.strip() if own else ""
    return not source or source.startswith("raise")
