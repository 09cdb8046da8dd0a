"""Every row of the classification table, asked with crashes as Python words them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from selfheal_tui.model.crash import CrashReport, ExceptionInfo, Frame, NameEvidence
from selfheal_tui.model.kinds import CaptureSource, ChainLink
from selfheal_tui.pipeline.analyze import analyze
from selfheal_tui.pipeline.signals import SIGNALS
from selfheal_tui.source.project import Project

FILES = {
    "app/__init__.py": "",
    "app/guard.py": "class OutputSanitizer:\n    pass\n",
    "app/agent.py": "class Agent:\n    pass\n\n\ndef work(x):\n    return x.go()\n",
    "app/audit.py": "def write(entry):\n    return entry['user']\n",
    "helpers.py": "def helping():\n    pass\n",
    "data/settings.json": "{}\n",
}
LIB = "/usr/lib/python3.11"
SITE = "/env/lib/python3.11/site-packages"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    for name, text in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return Project(tmp_path)


@dataclass
class Case:
    """One crash: `line` is the source line of the innermost in-app frame, `below` the files under it."""

    want: str
    type: str
    message: str
    line: str = "x.go()"
    path: str | None = "app/agent.py"
    below: tuple[str, ...] = ()
    mro: tuple[str, ...] = ()
    evidence: NameEvidence = field(default_factory=NameEvidence)
    notes: tuple[str, ...] = ()
    interrupted: bool = False

    def report(self, root: Path) -> CrashReport:
        frames: list[Frame] = []
        if self.path:
            frames.append(
                Frame(str(root / self.path), "work", 6, source=self.line, path=self.path, in_app=True)
            )
        frames += [Frame(file, "inner", 1, source="…", by_signal=self.interrupted) for file in self.below]
        info = ExceptionInfo(
            self.type,
            self.message,
            tuple(frames),
            ChainLink.RAISED,
            self.mro,
            self.evidence,
            notes=self.notes,
        )
        return CrashReport("0" * 32, 0.0, CaptureSource.PROBE, (info,))


RAISE = "raise X(...)"
CASES = [
    # the seed's three
    Case("missing-attribute-safety reliability critical code", "AttributeError", "'OutputSanitizer' object has no attribute 'has_secrets'"),
    Case("timeout scalability high code", "TimeoutError", "Operation timed out after 60 seconds", line='raise TimeoutError("Operation timed out after 60 seconds")'),
    Case("policy-refusal governance high policy", "PermissionError", "Tool requires approval but approval not granted", line=RAISE),
    # scalability
    Case("timeout scalability high code", "TimeoutError", "Operation timed out after 60 seconds", path=None),
    Case("timeout scalability high code", "asyncio.exceptions.TimeoutError", "", below=(f"{LIB}/asyncio/tasks.py",)),
    Case("timeout scalability high code", "subprocess.TimeoutExpired", "Command 'x' timed out after 3 seconds", below=(f"{LIB}/subprocess.py",)),
    Case("timeout scalability high code", "app.errors.StepFailed", "step timed out", line=RAISE),
    Case("endless-loop scalability critical code", "TimeoutError", "still running after 5 s", line="while n:", below=("/app/late.py",), interrupted=True),
    Case("missing-key bug high code", "KeyError", "'user'", path="app/agent.py", below=("/app/late.py",), interrupted=True),
    Case("timeout-network scalability high transient", "TimeoutError", "timed out", line="data = sock.recv(10)"),
    Case("timeout-network scalability high transient", "requests.exceptions.ReadTimeout", "HTTPConnectionPool(host='x'): Read timed out. (read timeout=3)", below=(f"{SITE}/requests/api.py",)),
    Case("timeout-network scalability high transient", "TimeoutError", "[Errno 110] Connection timed out", below=(f"{LIB}/socket.py",)),
    Case("event-loop-blocked scalability high code", "RuntimeError", "This event loop is already running", below=(f"{LIB}/asyncio/base_events.py",)),
    Case("event-loop-blocked scalability high code", "RuntimeError", "asyncio.run() cannot be called from a running event loop", below=(f"{LIB}/asyncio/runners.py",)),
    Case("event-loop-misuse scalability high code", "RuntimeError", "There is no current event loop in thread 'Thread-1'.", below=(f"{LIB}/asyncio/events.py",)),
    Case("deadlock scalability critical code", "_frozen_importlib._DeadlockError", "deadlock detected by _ModuleLock('x')", mro=("RuntimeError",), line="import x"),
    Case("deadlock scalability critical code", "RuntimeError", "possible deadlock: lock already held", line=RAISE),
    Case("database-locked scalability medium transient", "psycopg2.errors.DeadlockDetected", "deadlock detected"),
    Case("database-locked scalability medium transient", "sqlite3.OperationalError", "database is locked"),
    Case("queue-full scalability high code", "queue.Full", "", below=(f"{LIB}/queue.py",)),
    Case("queue-full scalability high code", "asyncio.queues.QueueFull", "", below=(f"{LIB}/asyncio/queues.py",)),
    Case("rate-limit scalability medium transient", "openai.RateLimitError", "Error code: 429 - rate limit reached", below=(f"{SITE}/openai/_base_client.py",)),
    Case("would-block scalability medium transient", "BlockingIOError", "[Errno 11] Resource temporarily unavailable"),
    Case("worker-died scalability high code", "concurrent.futures.process.BrokenProcessPool", "A process in the process pool was terminated abruptly while the future was running or pending."),
    # what the probe finds without an exception
    Case("blocked-loop scalability high code", "BlockedLoop", "a callback has kept the event loop from everything else for 5 s or more", line="time.sleep(60)", mro=("Exception", "BaseException")),
    Case("blocked-loop scalability high code", "BlockedLoop", "a callback has kept the event loop from everything else for 5 s or more", line="requests.get(url)", below=(f"{SITE}/requests/api.py", f"{LIB}/socket.py")),
    Case("hang scalability critical code", "Hang", "no progress of 'worker' within 30 s", line="self.lock.acquire()", below=(f"{LIB}/threading.py",), mro=("Exception", "BaseException")),
    Case("resource-leak performance medium code", "PendingTaskDestroyed", "Task was destroyed but it is pending!", line="await queue.get()", mro=("ResourceWarning", "Warning", "Exception", "BaseException")),
    Case("resource-leak performance medium code", "ResourceWarning", "unclosed file <_io.TextIOWrapper name='x' mode='r'>", line="data = open(name).read()"),
    Case("coroutine-misuse bug high code", "RuntimeWarning", "coroutine 'Agent.go' was never awaited", line="self.go()"),
    Case("logging-failure auditability high code", "TypeError", "not all arguments converted during string formatting", line='log.info("done", x)', below=(f"{LIB}/logging/__init__.py",)),
    # reliability
    Case("missing-attribute-own reliability critical code", "AttributeError", "'Agent' object has no attribute 'go'", evidence=NameEvidence("go", "app.agent.Agent")),
    Case("missing-attribute-own reliability critical code", "AttributeError", "module 'helpers' has no attribute 'halping'"),
    Case("missing-attribute reliability high code", "AttributeError", "'list' object has no attribute 'push'"),
    Case("missing-attribute-safety reliability critical code", "AttributeError", "'list' object has no attribute 'validate'"),
    Case("none-value reliability high code", "AttributeError", "'NoneType' object has no attribute 'go'"),
    Case("none-value reliability high code", "TypeError", "'NoneType' object is not subscriptable"),
    Case("none-value reliability high code", "TypeError", "unsupported operand type(s) for +: 'int' and 'NoneType'"),
    Case("undefined-name reliability critical code", "NameError", "name 'foo' is not defined"),
    Case("unbound-local reliability critical code", "UnboundLocalError", "cannot access local variable 'n' where it is not associated with a value"),
    Case("unbound-local reliability critical code", "UnboundLocalError", "local variable 'n' referenced before assignment"),
    Case("import-project reliability critical code", "ImportError", "cannot import name 'helpin' from 'helpers' (/p/helpers.py)", line="from helpers import helpin"),
    Case("import-project reliability critical code", "ModuleNotFoundError", "No module named 'app.gone'", line="import app.gone"),
    Case("import-typo reliability critical code", "ModuleNotFoundError", "No module named 'helpres'", line="import helpres"),
    Case("import-typo reliability critical code", "ModuleNotFoundError", "No module named 'colections'", line="import colections"),
    Case("moved-stdlib-module reliability critical code", "ModuleNotFoundError", "No module named 'imp'", line="import imp"),
    Case("missing-dependency reliability critical external", "ModuleNotFoundError", "No module named 'numpy'", line="import numpy"),
    Case("import-name reliability critical code", "ImportError", "cannot import name 'Mapping' from 'collections' (/usr/lib/python3.11/collections/__init__.py)"),
    Case("circular-import reliability critical code", "ImportError", "cannot import name 'a' from partially initialized module 'app.agent' (most likely due to a circular import)"),
    Case("missing-method reliability critical code", "NotImplementedError", "", line="raise NotImplementedError"),
    Case("missing-method reliability critical code", "TypeError", "Can't instantiate abstract class Agent with abstract method run"),
    Case("recursion reliability high code", "RecursionError", "maximum recursion depth exceeded"),
    Case("syntax reliability critical code", "SyntaxError", "invalid syntax"),
    Case("missing-setting reliability high external", "KeyError", "'API_TOKEN'", line='os.environ["API_TOKEN"]', below=("<frozen os>",)),
    Case("missing-file reliability high external", "FileNotFoundError", "[Errno 2] No such file or directory: 'input/orders.csv'"),
    Case("missing-file reliability high external", "FileNotFoundError", "[Errno 2] No such file or directory: 'ffmpeg'", below=(f"{LIB}/subprocess.py",)),
    Case("connection reliability high transient", "ConnectionRefusedError", "[Errno 111] Connection refused", below=(f"{LIB}/socket.py",)),
    Case("connection reliability high transient", "requests.exceptions.ConnectionError", "HTTPConnectionPool: Max retries exceeded with url: /", below=(f"{SITE}/requests/adapters.py",)),
    Case("connection reliability high transient", "BrokenPipeError", "[Errno 32] Broken pipe"),
    Case("name-resolution reliability high transient", "socket.gaierror", "[Errno -2] Name or service not known", below=(f"{LIB}/socket.py",)),
    Case("service-unavailable reliability medium transient", "urllib.error.HTTPError", "HTTP Error 503: Service Unavailable", below=(f"{LIB}/urllib/request.py",)),
    Case("certificate reliability high external", "ssl.SSLCertVerificationError", "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"),
    Case("address-in-use reliability high external", "OSError", "[Errno 98] Address already in use"),
    Case("disk-full reliability high transient", "OSError", "[Errno 28] No space left on device"),
    Case("control-flow reliability low external", "KeyboardInterrupt", ""),
    # auditability
    Case("logging-failure auditability high code", "TypeError", "not all arguments converted during string formatting", line='log.info("x", 1)', below=(f"{LIB}/logging/__init__.py",)),
    Case("logging-failure auditability high code", "ValueError", "I/O operation on closed file.", line='log.info("x")', below=(f"{LIB}/logging/__init__.py",)),
    Case("logging-failure auditability high code", "ValueError", "Unable to configure handler 'file'", below=(f"{LIB}/logging/config.py",)),
    Case("logging-failure auditability high code", "KeyError", "'user'", notes=("--- Logging error ---",)),
    Case("log-closed auditability high code", "ValueError", "I/O operation on closed file.", line="self.log_file.write(text)"),
    Case("audit-trail auditability high code", "KeyError", "'user'", path="app/audit.py", line="return entry['user']"),
    Case("audit-trail auditability high code", "AttributeError", "'dict' object has no attribute 'user'", path="app/audit.py"),
    # governance
    Case("policy-refusal governance high policy", "PermissionError", "denied by policy", path=None),
    Case("policy-refusal governance high policy", "app.errors.ApprovalRequiredError", "ask first", line=RAISE),
    Case("policy-refusal governance high policy", "app.errors.ToolForbidden", "no", line=RAISE, mro=("builtins.PermissionError", "builtins.OSError")),
    Case("os-permission governance high external", "PermissionError", "[Errno 13] Permission denied: '/etc/shadow'"),
    Case("os-permission governance high external", "OSError", "[Errno 30] Read-only file system: '/x'"),
    Case("credentials governance high external", "openai.AuthenticationError", "Error code: 401 - Incorrect API key provided"),
    # performance
    Case("too-many-files performance high code", "OSError", "[Errno 24] Too many open files: 'x'"),
    Case("pool-exhausted performance high code", "sqlalchemy.exc.TimeoutError", "QueuePool limit of size 5 overflow 10 reached, connection timed out, timeout 30.00", below=(f"{SITE}/sqlalchemy/pool/impl.py",)),
    Case("out-of-memory performance critical external", "MemoryError", ""),
    Case("resource-leak performance medium code", "ResourceWarning", "unclosed file <_io.TextIOWrapper name='x'>"),
    Case("thread-exhaustion performance high code", "RuntimeError", "can't start new thread"),
    Case("slow performance medium code", "RuntimeError", "query took too long: 12 s", line=RAISE),
    # bug
    Case("argument-count bug high code", "TypeError", "f() missing 1 required positional argument: 'x'"),
    Case("argument-count bug high code", "TypeError", "f() got an unexpected keyword argument 'y'"),
    Case("operand-types bug high code", "TypeError", 'can only concatenate str (not "int") to str'),
    Case("operand-types bug high code", "TypeError", "sequence item 0: expected str instance, int found"),
    Case("not-callable bug high code", "TypeError", "'module' object is not callable"),
    Case("unpacking bug high code", "ValueError", "not enough values to unpack (expected 2, got 1)"),
    Case("changed-during-iteration bug high code", "RuntimeError", "dictionary changed size during iteration"),
    Case("coroutine-misuse bug high code", "TypeError", "'coroutine' object is not subscriptable"),
    Case("coroutine-misuse bug high code", "AttributeError", "'coroutine' object has no attribute 'get'"),
    Case("missing-key bug high code", "KeyError", "'user'"),
    Case("out-of-range bug high code", "IndexError", "list index out of range"),
    Case("division-by-zero bug high code", "ZeroDivisionError", "division by zero"),
    Case("assertion bug high code", "AssertionError", ""),
    Case("encoding bug medium code", "UnicodeDecodeError", "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
    Case("bad-value bug medium code", "json.decoder.JSONDecodeError", "Expecting value: line 1 column 1 (char 0)", below=(f"{LIB}/json/decoder.py",)),
    Case("bad-value bug medium code", "ValueError", "invalid literal for int() with base 10: 'x'"),
    Case("iteration-end bug medium code", "StopIteration", ""),
    Case("runtime-error bug medium code", "RuntimeError", "not started", line=RAISE),
    Case("file-typo bug high code", "FileNotFoundError", "[Errno 2] No such file or directory: 'data/setings.json'"),
    Case("file-kind bug medium code", "IsADirectoryError", "[Errno 21] Is a directory: 'data'"),
    Case("type-error bug high code", "TypeError", "unhashable type: 'list'"),
    Case("unclassified bug medium code", "app.errors.Odd", "something", line=RAISE),
    # nobody's code of ours
    Case("missing-key bug high external", "KeyError", "'user'", path=None, below=(f"{SITE}/other/main.py",)),
    Case("missing-key bug high code", "KeyError", "'user'", path=None),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.want.split()[0]}-{c.type}-{c.message[:40]}")
def test_each_crash_gets_its_row(case: Case, project: Project) -> None:
    found = analyze(case.report(project.root), project)
    assert f"{found.signal} {found.issue_type} {found.severity} {found.nature}" == case.want
    assert found.root_cause.endswith(".")
    assert found.reason
    assert found.explanation


def test_every_row_of_the_table_is_covered_by_a_case() -> None:
    unasked = {row.id for row in SIGNALS} - {case.want.split()[0] for case in CASES}
    assert unasked == {"system-error"}


def test_row_ids_are_unique() -> None:
    assert len({row.id for row in SIGNALS}) == len(SIGNALS)


@pytest.mark.parametrize(
    ("path", "line"), [("app/agent.py", "x.catalog()"), ("app/dialog.py", "x['user']"), ("app/changelog.py", "x['user']")]
)  # fmt: skip
def test_words_that_only_contain_log_are_no_audit_trail(path: str, line: str, project: Project) -> None:
    found = analyze(Case("", "KeyError", "'user'", path=path, line=line).report(project.root), project)
    assert found.signal == "missing-key"
