"""The real `sentry-sdk` reports to the intake over loopback: nothing of it is stood in for."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from shell import GREETER, PYTHON, Shell, tree

from selfheal_tui.model.crash import CrashReport
from selfheal_tui.model.kinds import ChainLink
from selfheal_tui.model.serial import to_builtins
from selfheal_tui.model.settings import IntakeSettings
from selfheal_tui.supervisor.sentry import SentryIntake

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("sentry_sdk") is None,
    reason="sentry-sdk is not installed (dependency group dev): the real client is NOT tested",
)
SECRET = "hunter2-correct-horse"
HEAD = f"""
import logging, sys, threading
import sentry_sdk
sentry_sdk.init(release="app@1.2", environment="staging")
def parse(cfg, key):
    password = "{SECRET}"
    nested = {{"db": {{"api_key": "{SECRET}", "host": "db1"}}}}
    return cfg[key].strip()
"""


class Program:
    def __init__(self, folder: Path, intake: SentryIntake, got: list[CrashReport]) -> None:
        self.folder, self.intake, self.got = folder, intake, got

    def __call__(self, body: str, dsn: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
        (self.folder / "app.py").write_text(HEAD + body)
        before = tree(self.folder)
        done = subprocess.run(
            [sys.executable, "app.py"],
            cwd=self.folder,
            env={**os.environ, **({} if environ else {"SENTRY_DSN": dsn or self.intake.dsn}), **environ},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert tree(self.folder) == before
        return done


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    got: list[CrashReport] = []
    with SentryIntake(got.append, "127.0.0.1:0", IntakeSettings()) as intake:
        yield Program(tmp_path, intake, got)


def test_an_uncaught_exception_comes_in_with_frames_and_locals(program: Program) -> None:
    done = program('parse({"a": None}, "a")\n')

    assert done.returncode == 1
    (report,) = program.got
    assert (report.kind, report.process.handled) == ("exception", False)
    assert report.raised.type == "AttributeError"
    last = report.raised.frames[-1]
    assert (last.file, last.qualname) == (str(program.folder / "app.py"), "parse")
    assert last.source.strip() == "return cfg[key].strip()"
    shown = {local.name: local for local in last.locals}
    assert shown["cfg"].keys == ("a",)
    assert shown["key"].repr == "'a'"
    assert (report.context["release"], report.context["environment"]) == ("app@1.2", "staging")
    assert report.process.python.startswith(f"3.{sys.version_info.minor}.")


def test_secrets_in_locals_never_get_further(program: Program) -> None:
    program('parse({"a": None}, "a")\n')

    text = json.dumps(to_builtins(program.got[0]))
    assert SECRET not in text
    assert "db1" in text


def test_logged_exceptions_come_in_with_what_was_logged_before(program: Program) -> None:
    program(
        'logging.getLogger("app").warning("about to parse")\n'
        'try:\n    parse({}, "zz")\nexcept KeyError:\n    logging.getLogger("app").exception("parse failed")\n'
    )

    (report,) = program.got
    assert (report.kind, report.process.handled) == ("logged", True)
    assert (report.raised.type, report.raised.evidence.name) == ("KeyError", "zz")
    assert (report.context["logger"], report.context["message"]) == ("app", "parse failed")
    assert "about to parse" in report.context["breadcrumbs"]


def test_exceptions_of_threads_come_in(program: Program) -> None:
    program('t = threading.Thread(target=parse, args=({}, "k"), name="w")\nt.start()\nt.join()\n')

    assert [report.kind for report in program.got] == ["thread"]


def test_chains_keep_order_and_link(program: Program) -> None:
    program(
        "def outer():\n    try:\n        parse({}, 'k')\n    except KeyError as error:\n"
        "        raise ValueError('wrapped') from error\n"
        "try:\n    outer()\nexcept ValueError as error:\n    sentry_sdk.capture_exception(error)\n"
    )

    (report,) = program.got
    assert [(info.type, info.link) for info in report.chain] == [
        ("ValueError", ChainLink.RAISED),
        ("KeyError", ChainLink.CAUSE),
    ]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exception groups came with 3.11")
def test_groups_keep_their_members(program: Program) -> None:
    program("raise ExceptionGroup('several', [ValueError('one'), KeyError('two')])\n")

    (report,) = program.got
    assert [(info.bare_type, info.link.value) for info in report.chain] == [
        ("ExceptionGroup", "raised"),
        ("ValueError", "group"),
        ("KeyError", "group"),
    ]


def test_spotlight_alone_is_enough(program: Program) -> None:
    host, port = program.intake.address
    program('parse({}, "k")\n', SENTRY_SPOTLIGHT=f"http://{host}:{port}/stream")

    assert [report.raised.type for report in program.got] == ["KeyError"]


def test_a_client_with_the_wrong_key_is_refused_and_its_program_unharmed(tmp_path: Path) -> None:
    got: list[CrashReport] = []
    limits = IntakeSettings(sentry_token="right-key")
    with SentryIntake(got.append, "127.0.0.1:0", limits) as intake:
        run = Program(tmp_path, intake, got)
        host, port = intake.address
        wrong = run('parse({}, "k")\n', dsn=f"http://wrong@{host}:{port}/1")
        refused = intake.snapshot().refused
        assert got == []
        run('parse({}, "k")\n', dsn=f"http://right-key@{host}:{port}/1")

    assert wrong.returncode == 1
    assert "KeyError: 'k'" in wrong.stderr
    assert refused >= 1  # the client also reports what it lost
    assert len(got) == 1


def test_a_storm_is_limited_and_the_client_backs_off(tmp_path: Path) -> None:
    got: list[CrashReport] = []
    with SentryIntake(got.append, "127.0.0.1:0", IntakeSettings(events_per_minute=5)) as intake:
        run = Program(tmp_path, intake, got)
        run(
            "for n in range(60):\n    try:\n        parse({}, str(n))\n"
            "    except KeyError as error:\n        sentry_sdk.capture_exception(error)\nsentry_sdk.flush(5)\n"
        )
        counts = intake.snapshot()

    assert len(got) == 5
    assert 1 <= counts.limited < 55  # after the first refusal the client keeps the rest to itself


@pytest.mark.skipif(
    importlib.util.find_spec("flask") is None,
    reason="flask is not installed (dependency group dev): its integration is NOT tested",
)
def test_a_flask_application_reports_its_requests(program: Program) -> None:
    program(
        "import flask\napp = flask.Flask('shop')\n"
        "@app.get('/cart')\ndef cart():\n    return parse({}, flask.request.args['k'])\n"
        "print(app.test_client().get('/cart?k=sku&token=" + SECRET + "').status_code)\n"
    )

    (report,) = program.got
    assert (report.raised.type, report.process.handled) == ("KeyError", False)
    assert report.raised.frames[-1].qualname == "parse"
    assert report.context["transaction"] == "cart"
    assert "/cart" in report.context["request"]
    assert SECRET not in json.dumps(to_builtins(report))


@pytest.mark.timeout(120)
def test_served_crashes_become_incidents_that_are_healed(tmp_path: Path) -> None:
    program = (
        "import sentry_sdk\nfrom greeter import Greeter\nsentry_sdk.init()\n\n"
        'print(Greeter("Ada").greeting())\n'
    )
    toml = f'environment = "local"\n[project]\ninterpreter = "{PYTHON}"\n'
    shell = Shell(tmp_path, {**GREETER, "main.py": program, "selfheal.toml": toml})
    serve = shell.start("serve", "--sentry", "127.0.0.1:0", "--json")
    try:
        assert serve.stderr is not None
        dsn = ""
        for line in serve.stderr:
            if found := re.search(r'"dsn": "([^"]+)"', line):
                dsn = found[1]
                break
        environ = {**shell.environ, "SENTRY_DSN": dsn}
        first = subprocess.run([PYTHON, "main.py"], cwd=tmp_path, env=environ, capture_output=True, text=True)
        for line in serve.stderr:
            if '"on probation"' in line or '"closed"' in line or '"parked"' in line:
                break
        second = subprocess.run(
            [PYTHON, "main.py"], cwd=tmp_path, env=environ, capture_output=True, text=True
        )
    finally:
        serve.terminate()
        rest = serve.communicate(timeout=60)[1]

    assert "AttributeError" in first.stderr
    assert (second.returncode, second.stdout) == (0, "Good day, Ada\n")
    closed = next(line for line in rest.splitlines() if "SentryIntakeClosed" in line)
    assert json.loads(closed)["written"] == 1
    assert shell.only_incident()["count"] == 1


def test_a_second_engine_and_an_open_address_are_refused_with_the_reason(tmp_path: Path) -> None:
    shell = Shell(tmp_path, GREETER)
    opened = shell("serve", "--sentry", "0.0.0.0:0", "--once")

    assert opened.returncode == 78
    assert "intake.sentry_token" in opened.stderr
