"""The probe as one file, in programs that have nothing else of selfheal, on every interpreter that is there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from fake_engine import FakeEngine, finish, start

from selfheal_tui.probe import places
from selfheal_tui.probe.single import build

VERSIONS = ("3.9", "3.10", "3.11", "3.12", "3.13")
WORK = "def double(number):\n    return nubmer * 2\n"
PRELUDE = """
import json, os, sys, threading, time
sys.path[:0] = [os.getcwd(), "vendored"]
import selfheal_probe
from selfheal_probe import guard, heal, install, progress
import work
try:
    import selfheal_tui
except ImportError:
    pass
else:
    sys.exit("the package can be imported here; the test shows nothing")
"""


def interpreters() -> dict[str, str]:
    """Finds one interpreter of each version, on PATH or where pyenv keeps them."""
    found = {}
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for version in VERSIONS:
        here = [sys.executable] if sys.version.startswith(version + ".") else []
        kept = sorted(str(path) for path in pyenv.glob(f"{version}.*/bin/python"))
        on_path = shutil.which(f"python{version}")
        for candidate in (*here, *kept, *([on_path] if on_path else [])):
            asked = subprocess.run([candidate, "-V"], capture_output=True, text=True)
            if asked.returncode == 0 and asked.stdout.startswith(f"Python {version}."):
                found[version] = candidate
                break
    return found


FOUND = interpreters()


@pytest.fixture(params=VERSIONS)
def interpreter(request: pytest.FixtureRequest) -> str:
    if request.param not in FOUND:
        pytest.skip(f"CPython {request.param} was not found on this machine: NOT TESTED on it")
    return FOUND[request.param]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "vendored").mkdir()
    (tmp_path / "vendored" / "selfheal_probe.py").write_text(build("1.2.3"), "utf-8")
    (tmp_path / "work.py").write_text(WORK)
    return tmp_path


def heals(engine: FakeEngine, report: dict[str, Any]) -> None:
    if report["kind"] == "guard":
        engine.heal(report, "work.py", "nubmer * 2", "number * 2")


def test_a_guarded_call_is_healed_where_nothing_of_selfheal_is_installed(
    root: Path, interpreter: str
) -> None:
    code = PRELUDE + (
        "install(root=os.getcwd())\n"
        'print(json.dumps([heal(retry="safe", wait=30)(work.double)(21), selfheal_probe.__version__]))'
    )
    with FakeEngine(root, heals) as engine:
        assert finish(start(root, code, interpreter=interpreter, isolated=True)) == [42, "1.2.3"]
    (report,) = engine.reports
    assert report["replay"][0]["qualname"] == "double"
    assert not [f for f in report["chain"][0]["frames"] if f.get("in_app") and "selfheal" in f["file"]]


def test_uncaught_crashes_are_reported_and_end_the_program_as_ever(root: Path, interpreter: str) -> None:
    (root / ".selfheal" / "inbox").mkdir(parents=True)
    program = start(root, PRELUDE + "install()\nwork.double(1)\n", interpreter=interpreter, isolated=True)
    _, err = program.communicate(timeout=60)
    assert program.returncode == 1
    assert err.splitlines()[-1].startswith("NameError: name 'nubmer' is not defined")
    (report,) = (root / ".selfheal" / "inbox").glob("*.json")
    assert json.loads(report.read_text())["chain"][0]["type"] == "NameError"


def test_with_no_engine_and_no_project_the_program_is_as_without_it(root: Path, interpreter: str) -> None:
    body = """
import work
double = {guarded}
try:
    double(1)
except NameError as error:
    trace, names = error.__traceback__, []
    while trace:
        names.append(trace.tb_frame.f_code.co_name)
        trace = trace.tb_next
    print(json.dumps([str(error), error.args, error.__context__ is None, threading.active_count(), names[-1]]))
"""
    plain = "import json, os, sys, threading\nsys.path.insert(0, os.getcwd())\n" + body.format(
        guarded="work.double"
    )
    guarded = PRELUDE + "install()\n" + body.format(guarded='heal(retry="safe", wait=1000)(work.double)')
    env = {"SELFHEAL_ENV": "dev", "TMPDIR": str(root)}
    began = time.monotonic()
    expected = finish(start(root, plain, interpreter=interpreter, isolated=True))
    assert finish(start(root, guarded, interpreter=interpreter, isolated=True, env=env)) == expected
    assert time.monotonic() - began < 900
    left = {path.name for path in root.iterdir()} - {"__pycache__"}
    assert left == {"vendored", "work.py", "program.py"}, "nothing is made where nobody listens"


def test_the_same_sources_make_the_same_file_and_it_says_what_it_is() -> None:
    text = build("1.2.3")
    assert text == build("1.2.3")
    assert "Version 1.2.3" in text
    assert "MIT License" in text
    assert text.isascii()
    compile(text, "selfheal_probe.py", "exec")


def test_the_command_writes_it_and_spares_other_peoples_files(tmp_path: Path) -> None:
    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "selfheal_tui", "probe", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )

    assert command("--write", "my_probe.py").returncode == 0
    first = (tmp_path / "my_probe.py").read_text()
    assert command("--write", "my_probe.py").returncode == 0, "an earlier copy is replaced"
    assert (tmp_path / "my_probe.py").read_text() == first
    assert command("--write", "-").stdout.startswith("# selfheal probe")
    (tmp_path / "precious.py").write_text("mine = 1\n")
    refused = command("--write", "precious.py")
    assert refused.returncode == 77
    assert (tmp_path / "precious.py").read_text() == "mine = 1\n"
    assert command("--write", "not-importable.py").returncode == 2
    assert command("--write", "precious.py", "--force").returncode == 0
    assert (tmp_path / "precious.py").read_text().startswith("# selfheal probe")


def test_an_engines_address_is_found_by_the_root_alone(tmp_path: Path) -> None:
    link = tmp_path / "link"
    (tmp_path / "real").mkdir()
    link.symlink_to(tmp_path / "real")
    assert places.doorbell_address(str(link)) == places.doorbell_address(str(tmp_path / "real"))
    assert places.doorbell_address(str(tmp_path)) != places.doorbell_address(str(link))
