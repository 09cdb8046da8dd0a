"""The classification table: one row per signal, read from top to bottom, first match wins.

A row says what kind of issue a crash is, how much it hurts and whose fault it is, and why. Predicates look at
facts only (`facts.Facts`). Two rows never depend on each other beyond their order; the last row matches always.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Callable
from dataclasses import dataclass

from selfheal_tui.model.kinds import IssueType, Nature, Severity
from selfheal_tui.pipeline.facts import Facts, words_of

Predicate = Callable[[Facts], bool]

_T, _S, _N = IssueType, Severity, Nature


@dataclass(frozen=True, slots=True)
class Signal:
    """One row of the table.

    Attributes:
        id: Stable name, stored with every diagnosis.
        issue_type: The seed's category.
        severity: How much it hurts.
        nature: Code, the world, somebody else's code, or a policy doing its job.
        reason: Why a crash that matches is this, in a sentence.
        matches: The predicate.
    """

    id: str
    issue_type: IssueType
    severity: Severity
    nature: Nature
    reason: str
    matches: Predicate


def is_a(*names: str) -> Predicate:
    """Matches exceptions whose type, or a base of it, has one of these bare names."""
    wanted = frozenset(names)
    return lambda f: bool(wanted & f.lineage)


def says(*patterns: str) -> Predicate:
    """Matches when type and message, in lower case, contain one of these regular expressions."""
    compiled = re.compile("|".join(patterns))
    return lambda f: compiled.search(f.lower) is not None


def number(*numbers: int) -> Predicate:
    """Matches the system's error numbers."""
    wanted = frozenset(numbers)
    return lambda f: f.errno in wanted


def all_of(*predicates: Predicate) -> Predicate:
    """Matches when every predicate does."""
    return lambda f: all(p(f) for p in predicates)


def any_of(*predicates: Predicate) -> Predicate:
    """Matches when one predicate does."""
    return lambda f: any(p(f) for p in predicates)


def no(predicate: Predicate) -> Predicate:
    """Matches when the predicate does not."""
    return lambda f: not predicate(f)


_REFUSAL = says(
    r"approv", r"permission (?:was |is )?(?:not|denied|required|missing)", r"requires? (?:a )?(?:human|permission|consent)",
    r"polic(?:y|ies)", r"governance", r"not (?:allowed|permitted|authori[sz]ed)", r"forbidden", r"unauthori[sz]ed",
    r"access denied", r"denied by", r"blocked by",
)  # fmt: skip
_SAFETY_WORDS = frozenset(
    [
        "sanitize",
        "sanitizer",
        "sanitise",
        "secret",
        "secrets",
        "auth",
        "authorize",
        "authenticate",
        "validate",
        "validator",
        "validation",
        "redact",
        "mask",
        "encrypt",
        "decrypt",
        "permission",
        "permissions",
        "policy",
        "governance",
        "guard",
        "security",
        "secure",
        "token",
        "credential",
        "credentials",
        "escape",
        "approve",
        "approval",
        "audit",
        "verify",
    ]
)
_NETWORK_FILES = re.compile(
    r"/(?:socket|ssl|selectors|smtplib|ftplib|imaplib|poplib|telnetlib)\.py$|/(?:http|urllib|xmlrpc)/|"
    r"/(?:requests|urllib3|httpx|httpcore|aiohttp|anyio|botocore|grpc|redis|pymongo|psycopg2?|asyncpg|pymysql|openai|"
    r"anthropic|litellm|websockets?|paramiko|kafka|pika|elasticsearch|google|azure)/"
)


def _in_network(f: Facts) -> bool:
    return any(_NETWORK_FILES.search(frame.file) for frame in f.below)


def _network_call(f: Facts) -> bool:
    return (
        re.search(
            r"\.(?:recv|recv_into|sendall|send|accept|connect|makefile|urlopen|getresponse)\(", f.line_text
        )
        is not None
    )


def _in_logging(f: Facts) -> bool:
    return any(re.search(r"/logging/(?:__init__|handlers|config)\.py$", frame.file) for frame in f.below)


def _from_environ(f: Facts) -> bool:
    if f.innermost is not None and re.search(r"(?:^|/)os\.py$|<frozen os>", f.innermost.file):
        return True
    return "environ[" in f.line_text


def _declared_in_project(f: Facts) -> bool:
    return f.owner_is_ours


def _safety_relevant(f: Facts) -> bool:
    return bool(_SAFETY_WORDS & (words_of(f.owner) | words_of(f.identifier)))


_TIMEOUT = any_of(
    is_a("TimeoutError", "TimeoutExpired", "timeout", "ReadTimeout", "ConnectTimeout", "Timeout", "PoolTimeout",
         "APITimeoutError", "ServerTimeoutError", "TimeoutException", "CommandTimeout", "FunctionTimedOut"),
    says(r"\btimed[ -]out\b", r"time(?: |-)?out (?:expired|exceeded|reached|after|while)", r"deadline exceeded"),
)  # fmt: skip
_NONE = says(r"'?nonetype'?")
_AUDIT_PLACE: Predicate = lambda f: bool(  # noqa: E731 - a predicate like its neighbours
    {"audit", "auditing", "auditor"} & f.place_words or {"log", "logs", "logger", "logging"} & f.file_words
)
_POLICY_TYPE: Predicate = lambda f: re.search(  # noqa: E731 - a predicate like its neighbours
    r"(?:Policy|Approval|Governance|Permission|NotAuthori[sz]ed|Unauthori[sz]ed|Forbidden|AccessDenied)\w*$", f.error.bare_type
) is not None and ("PermissionError" in f.lineage or f.raised_by_project or not f.error.frames)  # fmt: skip


def _policy(f: Facts) -> bool:
    if f.errno is not None:  # the operating system numbers its refusals, a program's own rule does not
        return False
    if "PermissionError" in f.lineage:
        return f.raised_by_project or _REFUSAL(f)
    return _POLICY_TYPE(f) and (f.raised_by_project or _REFUSAL(f))


def _stuck(f: Facts) -> bool:
    return f.report.stuck and bool(f.error.interrupted_frames)


SIGNALS: tuple[Signal, ...] = (
    # Not failures at all, or nothing that code can cure.
    Signal("control-flow", _T.RELIABILITY, _S.LOW, _N.EXTERNAL, "the program was stopped on purpose, which is not a failure",
           is_a("KeyboardInterrupt", "SystemExit", "GeneratorExit", "CancelledError")),
    # What the probe found without an exception.
    Signal("blocked-loop", _T.SCALABILITY, _S.HIGH, _N.CODE, "a callback or task keeps the event loop from everything else", is_a("BlockedLoop")),
    Signal("hang", _T.SCALABILITY, _S.CRITICAL, _N.CODE, "the program no longer gets on", is_a("Hang")),
    Signal("endless-loop", _T.SCALABILITY, _S.CRITICAL, _N.CODE, "the program's own time limit interrupted code that had not come to its end", _stuck),
    Signal("policy-refusal", _T.GOVERNANCE, _S.HIGH, _N.POLICY, "the program itself refused the action: a permission or approval rule did its job",
           _policy),
    Signal("out-of-memory", _T.PERFORMANCE, _S.CRITICAL, _N.EXTERNAL, "the process ran out of memory; a code change made blindly would be a guess",
           any_of(is_a("MemoryError", "OutOfMemoryError"), number(errno.ENOMEM), says(r"cannot allocate memory", r"out of memory"))),
    # Resources.
    Signal("disk-full", _T.RELIABILITY, _S.HIGH, _N.TRANSIENT, "the disk or its quota is full",
           any_of(number(errno.ENOSPC, errno.EDQUOT), says(r"no space left on device", r"disk is full", r"disk quota exceeded"))),
    Signal("too-many-files", _T.PERFORMANCE, _S.HIGH, _N.CODE, "the process holds too many open files: something is not closed",
           any_of(number(errno.EMFILE, errno.ENFILE), says(r"too many open files"))),
    Signal("thread-exhaustion", _T.PERFORMANCE, _S.HIGH, _N.CODE, "no more threads or processes can be started: something starts them without end",
           says(r"can't start new thread", r"cannot schedule new futures after")),
    Signal("pool-exhausted", _T.PERFORMANCE, _S.HIGH, _N.CODE, "every connection of a pool is taken: something does not give them back",
           any_of(is_a("PoolTimeout", "PoolError"), says(r"queuepool limit", r"pool (?:is )?exhausted", r"connection pool is full", r"too many (?:clients|connections)"))),
    Signal("resource-leak", _T.PERFORMANCE, _S.MEDIUM, _N.CODE, "a file, socket or task was not closed",
           any_of(is_a("ResourceWarning"), says(r"\bunclosed (?:file|socket|transport|event loop|client session)", r"task was destroyed but it is pending"))),
    # Governance by the system or another service.
    Signal("credentials", _T.GOVERNANCE, _S.HIGH, _N.EXTERNAL, "a service refused the credentials",
           any_of(is_a("AuthenticationError", "NoCredentialsError", "InvalidClientTokenId"),
                  says(r"\b40[13]\b.*(?:unauthori[sz]ed|forbidden|client error)", r"(?:invalid|incorrect|expired|missing) (?:api[ _-]?key|credentials|access token|token)",
                       r"api[ _-]?key .*(?:must be set|not set|missing|required)", r"authentication (?:failed|required)", r"login failed"))),
    Signal("os-permission", _T.GOVERNANCE, _S.HIGH, _N.EXTERNAL, "the operating system refused access",
           any_of(number(errno.EACCES, errno.EPERM, errno.EROFS), all_of(is_a("PermissionError"), no(_policy)))),
    # Logging and audit.
    Signal("logging-failure", _T.AUDITABILITY, _S.HIGH, _N.CODE, "a log message could not be written or formatted",
           all_of(any_of(_in_logging, says(r"--- logging error ---", r"not all arguments converted during string formatting.*logg", r"unable to configure (?:handler|formatter|filter|logger)"),
                         lambda f: any("--- Logging error ---" in n for n in f.error.notes) or "--- Logging error ---" in "".join(f.report.context.values())),
                  no(is_a("ConnectionError", "TimeoutError", "FileNotFoundError")))),
    Signal("log-closed", _T.AUDITABILITY, _S.HIGH, _N.CODE, "the log's file was closed before the last message was written",
           all_of(says(r"i/o operation on closed file"), lambda f: bool({"log", "logs", "logger", "audit", "journal", "logging"} & f.place_words) or "log" in f.line_text.lower())),
    # The world: networks, services, databases.
    Signal("rate-limit", _T.SCALABILITY, _S.MEDIUM, _N.TRANSIENT, "a service asked to slow down",
           any_of(is_a("RateLimitError", "TooManyRequests", "ThrottlingException"), says(r"\b429\b", r"rate[ _-]?limit", r"too many requests", r"throttl", r"quota exceeded"))),
    Signal("service-unavailable", _T.RELIABILITY, _S.MEDIUM, _N.TRANSIENT, "a service is down or overloaded for now",
           any_of(is_a("ServiceUnavailable", "ServiceUnavailableError", "InternalServerError", "APIConnectionError", "OverloadedError"),
                  says(r"\b50[234]\b.*(?:error|unavailable|gateway|timeout)", r"service (?:is )?(?:temporarily )?unavailable", r"bad gateway", r"http error 50[0-4]"))),
    Signal("name-resolution", _T.RELIABILITY, _S.HIGH, _N.TRANSIENT, "a host name could not be resolved",
           any_of(is_a("gaierror", "herror"), says(r"name or service not known", r"temporary failure in name resolution", r"nodename nor servname", r"failed to resolve", r"getaddrinfo failed"))),
    Signal("certificate", _T.RELIABILITY, _S.HIGH, _N.EXTERNAL, "the other side's certificate is not trusted",
           any_of(is_a("SSLCertVerificationError"), says(r"certificate[ _]verify[ _]failed", r"certificate has expired"))),
    Signal("database-locked", _T.SCALABILITY, _S.MEDIUM, _N.TRANSIENT, "another transaction holds the database's lock",
           all_of(says(r"database(?: table| schema)? is locked", r"could not serialize access", r"lock wait timeout", r"deadlock (?:detected|found)"),
                  no(is_a("_DeadlockError", "RuntimeError")))),
    Signal("connection", _T.RELIABILITY, _S.HIGH, _N.TRANSIENT, "a connection was refused, reset or lost",
           any_of(is_a("ConnectionError", "RemoteDisconnected", "IncompleteRead", "ConnectError", "ServerDisconnectedError", "ClientConnectorError", "ProtocolError", "NewConnectionError", "MaxRetryError"),
                  number(errno.ECONNREFUSED, errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN),
                  says(r"connection (?:was )?(?:refused|reset|aborted|closed by)", r"max retries exceeded", r"network is unreachable", r"no route to host", r"could not connect to", r"server closed the connection", r"broken pipe"))),
    Signal("address-in-use", _T.RELIABILITY, _S.HIGH, _N.EXTERNAL, "another process already uses the address",
           any_of(number(errno.EADDRINUSE, errno.EADDRNOTAVAIL), says(r"address already in use"))),
    Signal("would-block", _T.SCALABILITY, _S.MEDIUM, _N.TRANSIENT, "an operation would have blocked",
           any_of(is_a("BlockingIOError"), number(errno.EAGAIN), says(r"resource temporarily unavailable"))),
    # Scalability.
    Signal("event-loop-blocked", _T.SCALABILITY, _S.HIGH, _N.CODE, "a blocking call was made inside a running event loop",
           any_of(is_a("SynchronousOnlyOperation"), says(r"event loop is already running", r"cannot be called from a running event loop", r"cannot run the event loop while another", r"you cannot call this from an async context"))),
    Signal("event-loop-misuse", _T.SCALABILITY, _S.HIGH, _N.CODE, "an object was used with the wrong event loop, or without one",
           says(r"no running event loop", r"there is no current event loop", r"event loop is closed", r"attached to a different loop", r"bound to a different event loop")),
    Signal("deadlock", _T.SCALABILITY, _S.CRITICAL, _N.CODE, "two parts of the program wait for each other",
           any_of(is_a("_DeadlockError", "DeadlockError", "BrokenBarrierError"), number(errno.EDEADLK), says(r"deadlock"))),
    Signal("queue-full", _T.SCALABILITY, _S.HIGH, _N.CODE, "work arrives faster than it is done",
           any_of(is_a("QueueFull"), lambda f: f.error.type in ("queue.Full", "_queue.Full", "Full", "asyncio.queues.QueueFull"), says(r"queue is full", r"buffer overflow", r"capacity exceeded"))),
    Signal("timeout-network", _T.SCALABILITY, _S.HIGH, _N.TRANSIENT, "a network operation took longer than its limit",
           all_of(_TIMEOUT, no(lambda f: f.raised_by_project), any_of(_in_network, _network_call, number(errno.ETIMEDOUT), is_a("ReadTimeout", "ConnectTimeout", "APITimeoutError", "ServerTimeoutError")))),
    Signal("timeout", _T.SCALABILITY, _S.HIGH, _N.CODE, "an operation took longer than the limit that the program gave it", _TIMEOUT),
    Signal("worker-died", _T.SCALABILITY, _S.HIGH, _N.CODE, "a worker process died while work was waiting for it",
           any_of(is_a("BrokenProcessPool", "BrokenExecutor", "BrokenThreadPool"), says(r"process pool was terminated abruptly"))),
    Signal("slow", _T.PERFORMANCE, _S.MEDIUM, _N.CODE, "an operation was slower than the program allows",
           says(r"took too long", r"slow (?:operation|query|request|response)", r"time budget", r"exceeded .*(?:latency|duration)", r"executing <.*> took")),
    # Missing things: modules, files, settings.
    Signal("syntax", _T.RELIABILITY, _S.CRITICAL, _N.CODE, "a file is not valid Python", is_a("SyntaxError")),
    Signal("circular-import", _T.RELIABILITY, _S.CRITICAL, _N.CODE, "two modules import each other", says(r"partially initialized module", r"circular import")),
    Signal("moved-stdlib-module", _T.RELIABILITY, _S.CRITICAL, _N.CODE, "the module was taken out of Python's standard library",
           all_of(is_a("ModuleNotFoundError"), lambda f: f.removed_module)),
    Signal("import-project", _T.RELIABILITY, _S.CRITICAL, _N.CODE, "a module or name of the project itself cannot be imported",
           all_of(is_a("ImportError"), lambda f: f.module_is_ours)),
    Signal("import-typo", _T.RELIABILITY, _S.CRITICAL, _N.CODE, "the imported module looks misspelt",
           all_of(is_a("ModuleNotFoundError"), lambda f: bool(f.module_typo))),
    Signal("missing-dependency", _T.RELIABILITY, _S.CRITICAL, _N.EXTERNAL, "a package is not installed in the program's environment", is_a("ModuleNotFoundError")),
    Signal("import-name", _T.RELIABILITY, _S.CRITICAL, _N.CODE, "a library has no such name, or not in this version", is_a("ImportError")),
    Signal("missing-setting", _T.RELIABILITY, _S.HIGH, _N.EXTERNAL, "an environment variable is not set", all_of(is_a("KeyError"), _from_environ)),
    Signal("file-typo", _T.BUG, _S.HIGH, _N.CODE, "the path looks like a misspelt name of an existing file", all_of(is_a("FileNotFoundError"), lambda f: bool(f.path_typo))),
    Signal("missing-file", _T.RELIABILITY, _S.HIGH, _N.EXTERNAL, "a file or program that somebody must supply is not there",
           any_of(is_a("FileNotFoundError"), number(errno.ENOENT))),
    Signal("file-kind", _T.BUG, _S.MEDIUM, _N.CODE, "a path is not of the kind that the code expects", is_a("IsADirectoryError", "NotADirectoryError", "FileExistsError")),
    # Reliability: names, attributes, None.
    Signal("audit-trail", _T.AUDITABILITY, _S.HIGH, _N.CODE, "the code that keeps the audit trail failed, so a record is missing",
           all_of(_AUDIT_PLACE, is_a("KeyError", "AttributeError", "TypeError", "ValueError", "IndexError"))),
    Signal("none-value", _T.RELIABILITY, _S.HIGH, _N.CODE, "a value is None where the code expects an object",
           all_of(_NONE, is_a("AttributeError", "TypeError"))),
    Signal("unbound-local", _T.RELIABILITY, _S.CRITICAL, _N.CODE, "a variable is used before it gets a value", is_a("UnboundLocalError")),
    Signal("undefined-name", _T.RELIABILITY, _S.CRITICAL, _N.CODE, "a name is used that is defined nowhere", is_a("NameError")),
    Signal("coroutine-misuse", _T.BUG, _S.HIGH, _N.CODE, "a coroutine is used without being awaited, or the reverse",
           says(r"'(?:coroutine|async_generator)' object", r"was never awaited", r"can't be used in 'await'", r"__aenter__|__aexit__|__aiter__|__anext__|asynchronous context manager")),
    Signal("missing-attribute-safety", _T.RELIABILITY, _S.CRITICAL, _N.CODE, "a safety-relevant method or attribute is missing",
           all_of(is_a("AttributeError"), _safety_relevant)),
    Signal("missing-attribute-own", _T.RELIABILITY, _S.CRITICAL, _N.CODE, "one of the project's own classes or modules lacks a method or attribute",
           all_of(is_a("AttributeError"), _declared_in_project)),
    Signal("missing-attribute", _T.RELIABILITY, _S.HIGH, _N.CODE, "an object lacks the method or attribute that is used", is_a("AttributeError")),
    Signal("missing-method", _T.RELIABILITY, _S.CRITICAL, _N.CODE, "a method that must exist was not written",
           any_of(is_a("NotImplementedError"), says(r"can't instantiate abstract class"))),
    Signal("recursion", _T.RELIABILITY, _S.HIGH, _N.CODE, "a function calls itself without end", is_a("RecursionError")),
    # Bugs.
    Signal("argument-count", _T.BUG, _S.HIGH, _N.CODE, "a call does not fit the function's parameters",
           all_of(is_a("TypeError"), says(r"positional argument", r"keyword argument", r"keyword-only argument", r"takes (?:no|exactly|at most|at least) "))),
    Signal("operand-types", _T.BUG, _S.HIGH, _N.CODE, "an operation got types that do not go together",
           all_of(is_a("TypeError"), says(r"unsupported operand", r"can only (?:concatenate|join)", r"not supported between", r"sequence item \d+", r"must be (?:str|integers|real number)", r"expected (?:str|bytes)", r"interpreted as an integer", r"a bytes-like object is required", r"must be a string, a bytes-like object", r"can't (?:concat|multiply)", r"a number is required"))),
    Signal("not-callable", _T.BUG, _S.HIGH, _N.CODE, "something is called or indexed that cannot be",
           all_of(is_a("TypeError"), says(r"not callable", r"not subscriptable", r"not iterable", r"does not support item"))),
    Signal("unpacking", _T.BUG, _S.HIGH, _N.CODE, "a value has another number of parts than the code takes", says(r"values to unpack", r"cannot unpack")),
    Signal("changed-during-iteration", _T.BUG, _S.HIGH, _N.CODE, "a container is changed while it is being walked", says(r"during iteration")),
    Signal("type-error", _T.BUG, _S.HIGH, _N.CODE, "a value has the wrong type", is_a("TypeError")),
    Signal("missing-key", _T.BUG, _S.HIGH, _N.CODE, "a mapping does not have the key", is_a("KeyError")),
    Signal("out-of-range", _T.BUG, _S.HIGH, _N.CODE, "an index lies outside its sequence", is_a("IndexError")),
    Signal("division-by-zero", _T.BUG, _S.HIGH, _N.CODE, "a number is divided by zero", is_a("ZeroDivisionError")),
    Signal("assertion", _T.BUG, _S.HIGH, _N.CODE, "an assumption that the code states does not hold", is_a("AssertionError")),
    Signal("encoding", _T.BUG, _S.MEDIUM, _N.CODE, "text was read or written in the wrong encoding", is_a("UnicodeError")),
    Signal("bad-value", _T.BUG, _S.MEDIUM, _N.CODE, "a value has the right type but not a usable content", is_a("ValueError", "OverflowError", "LookupError", "ArithmeticError")),
    Signal("iteration-end", _T.BUG, _S.MEDIUM, _N.CODE, "an iterator was asked for more than it has", any_of(is_a("StopIteration", "StopAsyncIteration"), says(r"generator raised stopiteration"))),
    Signal("runtime-error", _T.BUG, _S.MEDIUM, _N.CODE, "the code reached a state that it does not allow", is_a("RuntimeError")),
    Signal("system-error", _T.RELIABILITY, _S.HIGH, _N.EXTERNAL, "the operating system refused an operation", all_of(is_a("OSError"), lambda f: f.errno is not None)),
    Signal("unclassified", _T.BUG, _S.MEDIUM, _N.CODE, "no row of the table knows this exception", lambda _: True),
)  # fmt: skip
"""Order matters: what the program or the world did on purpose first, the catch-all last."""


def classify(facts: Facts) -> Signal:
    """Returns the first row of the table that matches."""
    return next(row for row in SIGNALS if row.matches(facts))
