"""Commands and calls that crashed are run again in the copy, on every level of isolation."""

from __future__ import annotations

import asyncio
import os
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from selfheal_tui.model.kinds import Isolation
from selfheal_tui.model.ports import ReplayPlan, ReplayStatus, SandboxError
from selfheal_tui.model.settings import ProjectSettings, SandboxSettings
from selfheal_tui.sandbox.isolation import try_isolation
from selfheal_tui.sandbox.workspace import ProjectSandbox
from selfheal_tui.source.project import Project


@pytest.fixture(params=tuple(Isolation), ids=lambda level: level.value)
def level(request: pytest.FixtureRequest) -> Isolation:
    problem = try_isolation(request.param)
    if problem:
        pytest.skip(f"LOUD: {request.param.value} is not tested on this machine: {problem}")
    return request.param


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    made.mkdir()
    return made


def put(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_py", ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))


def sandbox(
    root: Path, level: Isolation | None = None, python: str = sys.executable, **limits: object
) -> ProjectSandbox:
    settings = SandboxSettings(**limits)  # type: ignore[arg-type]
    return ProjectSandbox(Project(root), settings, ProjectSettings(), python, isolation=level)


def command(root: Path, *argv: str, cwd: str = "", **more: object) -> ReplayPlan:
    return ReplayPlan("command", argv=argv, cwd=cwd or str(root), **more)  # type: ignore[arg-type]


BROKEN = """
import lib
if __name__ == "__main__":
    print(lib.pick({"a": 1}, "b"))
"""


def test_a_crash_is_red_before_and_green_after_its_fix(root, level):
    put(root, app_py=BROKEN, lib_py="def pick(d, k):\n    return d[k]\n")
    plan = command(root, "python3", "app.py")
    with sandbox(root, level).workspace() as workspace:
        before = workspace.replay(plan, seconds=30)
        assert before.status is ReplayStatus.CRASHED
        assert before.report is not None
        assert before.report.raised.bare_type == "KeyError"
        assert [frame.file for frame in before.report.raised.frames] == [
            str(root / "app.py"),
            str(root / "lib.py"),
        ]
        workspace.write({"lib.py": b"def pick(d, k):\n    return d.get(k)\n"})
        after = workspace.replay(plan, seconds=30)
        assert (after.status, after.report, after.exit_code) == (ReplayStatus.FINISHED, None, 0)
        assert "None" in after.output
        workspace.write({"lib.py": (root / "lib.py").read_bytes()})
        assert workspace.replay(plan, seconds=30).status is ReplayStatus.CRASHED


def test_fixes_of_equal_size_within_one_second_never_meet_stale_byte_code(root, level):
    put(root, app_py="import lib\nprint('value', lib.VALUE)\n", lib_py="VALUE = 0\n")
    with sandbox(root, level).workspace() as workspace:
        for value in range(1, 6):
            workspace.write({"lib.py": f"VALUE = {value}\n".encode()})
            assert f"value {value}" in workspace.replay(command(root, "python", "app.py"), seconds=30).output


def test_output_names_the_live_tree(root, level):
    put(root, app_py="print(__file__)\nprint(open('missing').read())\n")
    with sandbox(root, level).workspace() as workspace:
        result = workspace.replay(command(root, "python", str(root / "app.py")), seconds=30)
        assert str(root / "app.py") in result.output
        assert str(workspace.root) not in result.output


def test_arguments_that_name_files_of_the_project_mean_the_copy(root, level):
    put(root, app_py="import sys\nfor a in sys.argv[1:]: print(open(a.split('=')[-1]).read())\n", data="live")
    with sandbox(root, level).workspace() as workspace:
        workspace.write({"data": b"copied"})
        plan = command(root, "python", "app.py", str(root / "data"), f"--config={root}/data")
        assert workspace.replay(plan, seconds=30).output.split() == ["copied", "copied"]


def test_a_program_started_from_above_the_root_is_found_in_the_copy(root, level):
    put(root, app_py="print('copied' if CHANGED else '')\n")
    with sandbox(root, level).workspace() as workspace:
        workspace.write({"app.py": b"print('from the copy')\n"})
        plan = command(root, "python", "project/app.py", cwd=str(root.parent))
        assert "from the copy" in workspace.replay(plan, seconds=30).output


def test_modules_and_code_on_the_command_line_run(root, level):
    put(
        root, pkg____init___py="", pkg__main_py="from . import part\n", pkg__part_py="print('in', __name__)\n"
    )
    (root / "pkg" / "__init__.py").write_text("")
    (root / "pkg" / "main.py").write_text("from . import part\n")
    with sandbox(root, level).workspace() as workspace:
        assert "in pkg.part" in workspace.replay(command(root, "python", "-m", "pkg.main"), seconds=30).output
        assert (
            "in pkg.part"
            in workspace.replay(
                command(root, "python", "-X", "utf8", "-c", "import pkg.main"), seconds=30
            ).output
        )


def test_a_console_script_of_the_project_runs_under_the_target_interpreter(root, level):
    put(root, tool="#!/usr/bin/env python3\nimport sys\nprint('by', sys.executable)\n1 / 0\n")
    (root / "tool").chmod(0o755)
    with sandbox(root, level).workspace() as workspace:
        result = workspace.replay(command(root, "./tool"), seconds=30)
        assert result.report is not None
        assert result.report.raised.bare_type == "ZeroDivisionError"
        assert f"by {sys.executable}" in result.output


def test_import_paths_of_the_crashed_program_are_kept(root, level, tmp_path):
    put(root, src__inner_py="WHO = 'inner'\n", app_py="import inner, outer\nprint(inner.WHO, outer.WHO)\n")
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "outer.py").write_text("WHO = 'outer'\n")
    paths = (
        str(root),
        str(root / "src"),
        str(tmp_path / "library"),
        *(p for p in sys.path if "python3" in p),
    )
    with sandbox(root, level).workspace() as workspace:
        result = workspace.replay(command(root, "python", "app.py", sys_path=paths), seconds=30)
        assert "inner outer" in result.output


def test_an_import_path_that_would_open_the_home_directory_is_not_followed(
    root, tmp_path, monkeypatch, level
):
    if level is Isolation.UNSANDBOXED:
        pytest.skip("LOUD: UNSANDBOXED hides no files")
    home = tmp_path / "home"
    home.mkdir()
    (home / "secret.txt").write_text("secret")
    monkeypatch.setenv("HOME", str(home))
    put(root, app_py=f"print(open({str(home / 'secret.txt')!r}).read())\n")
    with sandbox(root, level).workspace() as workspace:
        result = workspace.replay(
            command(root, "python", "app.py", sys_path=(str(root), str(home))), seconds=30
        )
        assert result.status is ReplayStatus.CRASHED
        assert "secret\n" not in result.output


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        ((), "not known"),
        (("no-such-command-anywhere",), "was not found"),
        (("python", "{outside}/other.py"), "outside the project"),
    ],
)
def test_a_command_that_cannot_be_run_is_not_possible_and_never_green(root, tmp_path, argv, reason):
    (tmp_path / "other.py").write_text("print('ran')\n")
    argv = tuple(part.format(outside=tmp_path) for part in argv)
    with sandbox(root).workspace() as workspace:
        result = workspace.replay(command(root, *argv), seconds=30)
        assert result.status is ReplayStatus.NOT_POSSIBLE
        assert reason in result.reason


def test_a_script_whose_interpreter_is_missing_is_not_possible(root, level):
    put(root, tool="#!/no/such/interpreter\n")
    (root / "tool").chmod(0o755)
    with sandbox(root, level).workspace() as workspace:
        result = workspace.replay(command(root, "./tool"), seconds=30)
        assert result.status is ReplayStatus.NOT_POSSIBLE
        assert "cannot run" in result.reason


def test_ends_that_are_no_exceptions_are_told_apart(root, level):
    put(
        root,
        leave_py="import sys\nsys.exit(3)\n",
        abort_py="import os\nos.abort()\n",
        echo_py="print(input()[::-1])\n",
    )
    with sandbox(root, level).workspace() as workspace:
        left = workspace.replay(command(root, "python", "leave.py"), seconds=30)
        assert (left.status, left.exit_code) == (ReplayStatus.FINISHED, 3)
        aborted = workspace.replay(command(root, "python", "abort.py"), seconds=30)
        assert (aborted.status, aborted.report) == (ReplayStatus.CRASHED, None)
        assert "SIGABRT" in aborted.reason
        echoed = workspace.replay(command(root, "python", "echo.py", stdin=b"abc\n"), seconds=30)
        assert "cba" in echoed.output


def test_a_program_that_forges_or_hides_reports_is_not_green(root, level):
    put(
        root,
        app_py="""
        import os
        inbox = os.environ["SELFHEAL_INBOX"]
        open(inbox + "/1.json", "w").write("[]")
        os.symlink("/etc/passwd", inbox + "/2.json")
        os.mkfifo(inbox + "/3.json")
        """,
    )
    with sandbox(root, level).workspace() as workspace:
        result = workspace.replay(command(root, "python", "app.py"), seconds=30)
        assert result.status is ReplayStatus.CRASHED
        assert "3 crash reports could not be read" in result.reason


def test_long_output_keeps_its_end(root):
    put(root, app_py="print('x' * 3_000_000)\nprint('the end')\n")
    with sandbox(root).workspace() as workspace:
        result = workspace.replay(command(root, "python", "app.py"), seconds=30)
        assert len(result.output) < 80_000
        assert result.output.endswith("the end\n")


def test_only_named_variables_are_passed_in(root, monkeypatch):
    monkeypatch.setenv("APP_MODE", "batch")
    monkeypatch.setenv("APP_TOKEN", "hidden")
    put(root, app_py="import os\nprint(os.environ.get('APP_MODE'), os.environ.get('APP_TOKEN'))\n")
    with sandbox(root, pass_environment=("APP_MODE",)).workspace() as workspace:
        assert "batch None" in workspace.replay(command(root, "python", "app.py"), seconds=30).output


def test_bubblewrap_lets_programs_serve_themselves_and_share_locks(root):
    problem = try_isolation(Isolation.BUBBLEWRAP)
    if problem:
        pytest.skip(f"LOUD: {problem}")
    put(
        root,
        app_py="""
        import multiprocessing, socket
        server = socket.create_server(("127.0.0.1", 0))
        socket.create_connection(server.getsockname()).close()
        with multiprocessing.Lock():
            print("served and locked")
        """,
    )
    with sandbox(root, Isolation.BUBBLEWRAP).workspace() as workspace:
        assert "served and locked" in workspace.replay(command(root, "python", "app.py"), seconds=30).output


def test_an_environment_inside_the_project_is_usable_and_not_copied(root, level):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(root / ".venv")], check=True)
    python = str(root / ".venv" / "bin" / "python")
    library = next((root / ".venv" / "lib").glob("python3*")) / "site-packages"
    (library / "dependency.py").write_text("NAME = 'installed'\n")
    put(root, app_py="import dependency, sys\nprint(dependency.NAME, sys.prefix)\n1 / 0\n")
    with sandbox(root, level, python).workspace() as workspace:
        result = workspace.replay(command(root, ".venv/bin/python", "app.py"), seconds=30)
        assert f"installed {root / '.venv'}" in result.output
        assert result.status is ReplayStatus.CRASHED
        assert not any(
            path.name == "dependency.py" for path in workspace.root.rglob("*.py") if ".venv" not in path.parts
        )
        again = workspace.replay(command(root, python, str(root / "app.py")), seconds=30)
        assert again.status is ReplayStatus.CRASHED
    assert (library / "dependency.py").exists()


def call(
    root: Path, qualname: str, *args: object, module: str = "lib", file: str = "lib.py", **kwargs: object
) -> ReplayPlan:
    payload = root.parent / "payload.pickle"
    payload.write_bytes(pickle.dumps({"args": args, "kwargs": kwargs}))
    return ReplayPlan(
        "call", module=module, file=str(root / file), qualname=qualname, payload=str(payload), cwd=str(root)
    )


LIB = """
import functools

def traced(function):
    @functools.wraps(function)
    def inner(*args, **kwargs):
        return function(*args, **kwargs)
    return inner

def injecting(function):
    def inner(*args):
        return function("injected", *args)
    return inner

def plain(a, b=1):
    return a / b

class Base:
    def method(self, x):
        return x.missing
    @classmethod
    def made(cls, x):
        return x["k"]
    @staticmethod
    def fixed(x):
        return int(x)
    @property
    def shown(self):
        return self.nothing

@traced
def wrapped(x):
    return x + 1

@injecting
def injected(how, x):
    return how + x

async def later(x):
    return [][x]

def lazily(n):
    for i in range(n):
        yield 1 // (n - 1 - i)

async def lazily_later():
    yield 1
    raise LookupError("late")

def outer():
    def inner():
        pass
    return inner

def leave():
    raise SystemExit(0)

def vanish():
    import os
    os._exit(0)

def spin():
    while True:
        pass

def crash_hard():
    import os, signal
    os.kill(os.getpid(), signal.SIGSEGV)
"""


@pytest.mark.parametrize(
    ("qualname", "args", "error"),
    [
        ("plain", (1, 0), "ZeroDivisionError"),
        ("Base.method", (None, 1), "AttributeError"),
        ("Base.made", (None, {}), "KeyError"),
        ("Base.fixed", ("x",), "ValueError"),
        ("Base.shown", (1,), "AttributeError"),
        ("wrapped", ("x",), "TypeError"),
        ("injected", ("a", 1), "TypeError"),
        ("later", (0,), "IndexError"),
        ("lazily", (3,), "ZeroDivisionError"),
        ("lazily_later", (), "LookupError"),
    ],
)
def test_every_kind_of_function_can_be_called_again(root, qualname, args, error):
    put(root, lib_py=LIB)
    with sandbox(root).workspace() as workspace:
        result = workspace.replay(call(root, qualname, *args), seconds=30)
        assert result.status is ReplayStatus.CRASHED, result
        assert result.report is not None
        assert result.report.raised.bare_type == error
        last = result.report.raised.frames[-1]
        assert (last.file, last.module) == (str(root / "lib.py"), "lib")
        assert result.report.raised.frames[0].file == str(root / "lib.py")


def test_a_call_is_red_before_and_green_after_its_fix(root, level):
    put(root, lib_py="def pick(d, k):\n    return d[k]\n")
    plan = call(root, "pick", {"a": 1}, k="b")
    with sandbox(root, level).workspace() as workspace:
        before = workspace.replay(plan, seconds=30)
        assert before.status is ReplayStatus.CRASHED
        assert before.report is not None
        assert before.report.raised.frames[-1].file == str(root / "lib.py")
        workspace.write({"lib.py": b"def pick(d, k):\n    return d.get(k, 'none')\n"})
        after = workspace.replay(plan, seconds=30)
        assert (after.status, after.result_repr) == (ReplayStatus.FINISHED, "'none'")


@pytest.mark.parametrize(
    ("qualname", "status", "reason"),
    [
        ("outer.<locals>.inner", ReplayStatus.NOT_POSSIBLE, "inside a function"),
        ("absent", ReplayStatus.NOT_POSSIBLE, "is not in the module"),
        ("leave", ReplayStatus.NOT_POSSIBLE, "SystemExit"),
        ("vanish", ReplayStatus.NOT_POSSIBLE, "without an answer"),
        ("crash_hard", ReplayStatus.CRASHED, "SIGSEGV"),
    ],
)
def test_a_call_without_an_answer_is_never_green(root, qualname, status, reason):
    put(root, lib_py=LIB)
    with sandbox(root).workspace() as workspace:
        result = workspace.replay(call(root, qualname), seconds=30)
        assert result.status is status
        assert reason in result.reason


def test_a_call_cannot_answer_in_our_name(root):
    forger = """
    import os
    def forge():
        for number in range(3, 60):
            try:
                os.write(number, b'{"kind": "returned", "repr": "fine"}\\n')
            except OSError:
                pass
        os._exit(0)
    """
    put(root, lib_py=forger)
    with sandbox(root).workspace() as workspace:
        assert workspace.replay(call(root, "forge"), seconds=30).status is ReplayStatus.NOT_POSSIBLE


def test_a_tree_too_deep_to_walk_is_cleared_away(root):
    put(root, app_py="import os\nfor _ in range(1500):\n    os.mkdir('d' * 9)\n    os.chdir('d' * 9)\n")
    with sandbox(root).workspace() as workspace:
        where = workspace.root
        assert workspace.replay(command(root, "python", "app.py"), seconds=60).exit_code == 0
        assert [path.name for path in where.iterdir()] == ["app.py"]
        home = "import os\nos.chdir(os.environ['HOME'])\n" + (root / "app.py").read_text()
        workspace.write({"app.py": home.encode()})
        assert workspace.replay(command(root, "python", "app.py"), seconds=60).exit_code == 0
    assert not where.parent.exists()


def test_an_endless_call_times_out(root):
    put(root, lib_py=LIB)
    with sandbox(root).workspace() as workspace:
        assert workspace.replay(call(root, "spin"), seconds=1).status is ReplayStatus.TIMEOUT


def test_arguments_that_were_not_captured_or_are_damaged_make_a_call_not_possible(root):
    put(root, lib_py=LIB)
    plan = call(root, "plain", 1)
    Path(plan.payload).write_bytes(b"no pickle")
    with sandbox(root).workspace() as workspace:
        assert workspace.replay(plan, seconds=30).status is ReplayStatus.NOT_POSSIBLE
        missing = ReplayPlan("call", module="lib", file=str(root / "lib.py"), qualname="plain")
        assert workspace.replay(missing, seconds=30).status is ReplayStatus.NOT_POSSIBLE


MAIN = """
import json

class Job:
    def __init__(self, name):
        self.name = name

def work(job):
    return job.title

def main():
    raise AssertionError("the program must not run")

if __name__ == "__main__":
    main()
"""


def test_functions_and_classes_of_the_main_program_are_called_without_running_it(root, level):
    put(root, app_py=MAIN)
    maker = (
        f"exec(compile(open({str(root / 'app.py')!r}).read().replace('    main()', '    pass'), 'app', 'exec'))\n"
        "import pickle\n"
        f"open({str(root.parent / 'main.pickle')!r}, 'wb').write(pickle.dumps({{'args': (Job('x'),), 'kwargs': {{}}}}))\n"
    )
    subprocess.run([sys.executable, "-c", maker], check=True)
    plan = ReplayPlan(
        "call",
        module="__main__",
        file=str(root / "app.py"),
        qualname="work",
        payload=str(root.parent / "main.pickle"),
    )
    with sandbox(root, level).workspace() as workspace:
        result = workspace.replay(plan, seconds=30)
        assert result.status is ReplayStatus.CRASHED, result
        assert result.report is not None
        assert "'Job' object has no attribute 'title'" in result.report.raised.message
        frame = result.report.raised.frames[-1]
        assert (frame.module, frame.qualname, frame.file) == ("__main__", "work", str(root / "app.py"))


def test_a_module_that_crashes_while_it_is_loaded_says_so(root):
    put(root, lib_py="1 / 0\ndef go(): pass\n")
    with sandbox(root).workspace() as workspace:
        result = workspace.replay(call(root, "go"), seconds=30)
        assert result.status is ReplayStatus.CRASHED
        assert "before the call" in result.reason


def test_imports_are_tried_as_the_file_would(root, level):
    put(
        root,
        src__pkg__tool_py="def used(): ...\n",
        fatal_py="import os\nos._exit(0)\n",
        rude_py="raise SystemExit(0)\n",
    )
    statements = [
        "from pkg.tool import used",
        "from pkg.tool import missing",
        "import no_such_module",
        "import rude",
        "print('hi')",
        "import fatal",
        "import json",
    ]
    with sandbox(root, level).workspace() as workspace:
        probes = workspace.resolve_imports(statements, path="src/pkg/other.py")
        assert [probe.statement for probe in probes] == statements
        assert [probe.ok for probe in probes] == [True, False, False, False, False, False, False]
        assert "cannot import name 'missing'" in probes[1].problem
        assert str(workspace.root) not in probes[1].problem
        assert "ends the process" in probes[5].problem


def test_files_are_compiled_by_the_target_interpreter_without_running(root, level):
    put(root, good_py="raise SystemExit\n", bad_py="def f(:\n", worse_py="x = 1\nx = = 2\n")
    (root / "latin.py").write_bytes("# coding: latin-1\nx = 'é'\n".encode("latin-1"))
    (root / "null.py").write_bytes(b"x = 1\0\n")
    with sandbox(root, level).workspace() as workspace:
        problems = workspace.compile(["good.py", "bad.py", "worse.py", "latin.py", "null.py", "absent.py"])
        assert [(problem.path, problem.line) for problem in problems] == [
            ("bad.py", 1),
            ("worse.py", 2),
            ("null.py", 1),
            ("absent.py", 1),
        ]


@pytest.mark.parametrize("path", ["../x.py", "/etc/x", "", "a/../../x", "link/x.py"])
def test_a_candidate_cannot_be_written_outside_the_copy(root, path, tmp_path):
    (root / "link").symlink_to(tmp_path)
    with sandbox(root).workspace() as workspace:
        if path == "link/x.py":
            workspace.write({path: b"x"})  # the link was left out: this is a plain new directory in the copy
            assert (workspace.root / "link" / "x.py").read_bytes() == b"x"
        else:
            with pytest.raises(SandboxError, match="not a path inside"):
                workspace.write({path: b"x"})
    assert not (tmp_path / "x.py").exists()


def test_a_candidate_writes_through_a_link_as_applying_it_would(root):
    put(root, real_py="x = 1\n")
    (root / "alias.py").symlink_to("real.py")
    with sandbox(root).workspace() as workspace:
        workspace.write({"alias.py": b"x = 2\n"})
        assert (workspace.root / "alias.py").is_symlink()
        assert (workspace.root / "real.py").read_bytes() == b"x = 2\n"
    assert (root / "real.py").read_text() == "x = 1\n"


def test_the_copy_is_gone_afterwards_and_was_outside_the_root(root):
    put(root, app_py="x = 1\n")
    with sandbox(root).workspace() as workspace:
        where = workspace.root
        assert where.is_dir()
        assert not where.is_relative_to(root)
        assert where.name == root.name
    assert not where.exists()
    assert not where.parent.parent.exists()


def test_a_temporary_directory_inside_the_root_is_refused(root, monkeypatch):
    (root / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(root / "tmp"))
    with pytest.raises(SandboxError, match="TMPDIR"), sandbox(root).workspace():
        pass
    assert list((root / "tmp").iterdir()) == []


def interpreters() -> list[str]:
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = [
        str(p)
        for p in versions.glob("3.*/bin/python")
        if p.parent.parent.name.split(".")[1] in {"9", "10", "12", "13"}
    ]
    return sorted(found)


@pytest.mark.parametrize("python", interpreters() or ["none"])
def test_other_interpreters_run_in_the_copy(root, python):
    if python == "none":
        pytest.skip("LOUD: no other interpreters were found on this machine")
    put(root, app_py=BROKEN, lib_py=LIB + "\ndef pick(d, k):\n    return d[k]\n")
    with sandbox(root, None, python).workspace() as workspace:
        result = workspace.replay(command(root, "python", "app.py"), seconds=60)
        assert result.report is not None
        assert result.report.process.executable == python
        assert workspace.replay(call(root, "later", 0), seconds=60).status is ReplayStatus.CRASHED
        assert workspace.resolve_imports(["import lib"], path="app.py")[0].ok
        assert workspace.compile(["lib.py"]) == []


def test_a_workspace_can_be_used_from_a_thread_of_an_event_loop(root):
    put(root, app_py="print('ran')\n")

    async def go() -> str:
        with sandbox(root).workspace() as workspace:
            plan = command(root, "python", "app.py")
            results = await asyncio.gather(
                *(asyncio.to_thread(workspace.replay, plan, seconds=30) for _ in range(3))
            )
        return "".join(result.output for result in results)

    assert asyncio.run(go()).count("ran") == 3
