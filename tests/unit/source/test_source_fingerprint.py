"""The same crash is one crash, however it was captured; different faults stay apart."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.model.crash import CrashReport, ExceptionInfo, Frame, ProcessFacts
from selfheal_tui.model.kinds import CaptureSource, ChainLink
from selfheal_tui.model.serial import from_builtins
from selfheal_tui.source.fingerprint import FINGERPRINT_VERSION, fingerprint, fold
from selfheal_tui.source.position import failing_expression
from selfheal_tui.source.project import Project
from selfheal_tui.source.tracebacks import parse_traceback

APP = {
    "src/shop/__init__.py": "",
    "src/shop/cart.py": (
        "class Cart:\n    def total(self, items):\n        return sum(self.price(i) for i in items)\n\n"
        "    def price(self, item):\n        return item['prise'] * 2\n\n"
        "def attribute(c):\n    return c.totl\n\n"
        "def recursive(n):\n    return recursive(n - 1) if n else missing\n\n"
        "def ping(n):\n    return pong(n)\n\ndef pong(n):\n    return ping(n - 1) if n else {}['gone']\n\n"
        "def endless(n):\n    return endless2(n)\n\ndef endless2(n):\n    return endless(n)\n\n"
        "def wrapped(c):\n    try:\n        return attribute(c)\n    except AttributeError as error:\n"
        "        raise ValueError('sk-a1B2c3D4e5F6g7H8i9J0') from error\n\n"
        "def decode():\n    import json\n    return json.loads('{')\n"
    ),
    "run.py": (
        "import sys\nsys.path.insert(0, 'src')\nfrom shop.cart import *\n"
        "c = Cart()\nn = int(sys.argv[2])\n"
        "cases = {\n"
        "  'key': lambda: c.total([{}]), 'attribute': lambda: attribute(c), 'deep': lambda: recursive(n),\n"
        "  'ping': lambda: ping(n), 'endless': lambda: endless(1), 'wrapped': lambda: wrapped(c), 'decode': decode,\n"
        "}\n"
        "def main():\n    cases[sys.argv[1]]()\n\n"
        "def capture():\n"
        "    import json, os, traceback\n"
        "    from selfheal_tui.probe.capture import capture_exception\n"
        "    try:\n        main()\n"
        "    except Exception as error:\n"
        "        print(json.dumps([capture_exception(error, root=os.getcwd()), traceback.format_exc()]))\n\n"
        "capture()\n"
    ),
}
CASES = ["key", "attribute", "deep", "ping", "wrapped", "decode", "endless"]


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    root = tmp_path_factory.mktemp("app")
    for path, text in APP.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return Project(root)


def captured(project: Project, case: str, depth: int = 4) -> tuple[CrashReport, str]:
    done = subprocess.run(
        [sys.executable, "run.py", case, str(depth)],
        cwd=project.root,
        capture_output=True,
        text=True,
        check=True,
    )
    document, text = json.loads(done.stdout)
    return from_builtins(document, CrashReport), text


@pytest.mark.parametrize("case", CASES)
def test_a_crash_read_from_text_is_the_crash_that_the_probe_saw(project, case):
    probed, text = captured(project, case)
    probed, printed = project.localise(probed), project.localise(parse_traceback(text))
    assert fingerprint(probed) == fingerprint(printed)
    (_, left), (_, right) = probed.suspect(), printed.suspect()
    assert (left.path, left.qualname) == (right.path, right.qualname)
    source = project.read(right.path).text
    if right.col is not None:
        assert failing_expression(source, right) == failing_expression(source, left)


def test_the_depth_of_a_recursion_makes_no_difference_and_the_fault_does(project):
    prints = {}
    for case in CASES:
        few, many = (project.localise(parse_traceback(captured(project, case, n)[1])) for n in (5, 12))
        prints[case] = fingerprint(few).value
        assert fingerprint(many).value == prints[case]
    assert len({prints[case] for case in CASES}) == len(CASES)


def test_an_edit_above_and_another_machine_make_no_difference(project, tmp_path):
    _, text = captured(project, "key")
    before = fingerprint(project.localise(parse_traceback(text)))
    for path, content in APP.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content)
    there = text.replace(str(project.root), "/srv/elsewhere")
    assert fingerprint(Project(tmp_path).localise(parse_traceback(there))) == before
    moved = tmp_path / "src/shop/cart.py"
    moved.write_text(
        "# a comment\n\n" + APP["src/shop/cart.py"].replace("        return sum(", "        return  sum(")
    )
    shifted = there.replace("/srv/elsewhere", str(tmp_path))
    for old, new in (("line 3,", "line 5,"), ("line 6,", "line 8,")):
        shifted = shifted.replace(f'cart.py", {old}', f'cart.py", {new}')
    assert fingerprint(Project(tmp_path).localise(parse_traceback(shifted))) == before
    assert before.version == FINGERPRINT_VERSION
    assert len(before.value) == 16


def report(*frames: Frame, kind: str = "KeyError", message: str = "'a'", cwd: str = "") -> CrashReport:
    info = ExceptionInfo(type=kind, message=message, frames=frames)
    return CrashReport("0" * 32, 0.0, CaptureSource.TEXT, (info,), process=ProcessFacts(cwd=cwd))


def frame(file: str, line: int = 6, source: str = "return item['prise'] * 2", name: str = "price") -> Frame:
    return Frame(file=file, qualname=name, line=line, source=source)


@pytest.mark.parametrize(
    ("given_frame", "cwd", "path"),
    [
        (frame("/docker/app/src/shop/cart.py"), "", "src/shop/cart.py"),
        (frame("C:\\work\\shop\\cart.py"), "", "src/shop/cart.py"),
        (frame("src/shop/cart.py"), "", "src/shop/cart.py"),
        (frame("cart.py"), "src/shop", "src/shop/cart.py"),
        (frame("/docker/app/src/shop/cart.py", source="something else"), "", None),
        (frame("/docker/app/src/shop/cart.py", source=""), "", None),
        (frame("/usr/lib/python3.11/cart.py"), "", None),
        (frame("/v/lib/python3.11/site-packages/shop/cart.py"), "", None),
        (frame("/docker/app/src/shop/cart.py", line=999), "", None),
        (frame("<string>"), "", None),
        (frame(__file__), "", None),
        (frame("../../../etc/passwd"), "", None),
    ],
)
def test_a_frame_is_in_app_only_when_its_file_is_certain(project, given_frame, cwd, path):
    where = str(project.root / cwd) if cwd else ""
    (found,) = project.localise(report(given_frame, cwd=where)).raised.frames
    assert (found.path, found.in_app) == (path, path is not None)
    if path:
        assert (found.qualname, found.module) == ("Cart.price", "shop.cart")


def test_two_files_that_fit_equally_are_neither(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "m.py").write_text("def f():\n    boom()\n")
    (found,) = Project(tmp_path).localise(report(frame("/x/m.py", 2, "boom()", "f"))).raised.frames
    assert not found.in_app
    (found,) = Project(tmp_path).localise(report(frame("/x/two/m.py", 2, "boom()", "f"))).raised.frames
    assert found.path == "two/m.py"


def test_localising_again_changes_nothing_and_columns_move_to_the_file(project):
    line = replace(frame("/app/src/shop/cart.py"), col=7, end_col=20, end_line=6)
    once = project.localise(report(line))
    (found,) = once.raised.frames
    assert (found.col, found.end_col) == (15, 28)
    assert failing_expression(project.read(found.path).text, found) == "item['prise']"
    assert project.localise(once) == once


def test_a_syntax_error_is_suspected_where_it_is(tmp_path):
    (tmp_path / "bad.py").write_text("x = 1\ndef f(:\n    pass\n")
    text = f'Traceback (most recent call last):\n  File "{tmp_path}/gone.py", line 1, in <module>\n    import bad\n  File "{tmp_path}/bad.py", line 2\n    def f(:\n          ^\nSyntaxError: invalid syntax\n'
    project = Project(tmp_path)
    once = project.localise(parse_traceback(text))
    assert (once.suspect()[1].path, once.suspect()[1].line) == ("bad.py", 2)
    assert project.localise(once) == once


def test_the_deepest_cause_decides_and_its_type_counts():
    def chain(cause: str) -> CrashReport:
        own = Frame(file="/p/a.py", qualname="f", line=1, source="x", path="a.py", in_app=True)
        raised = ExceptionInfo("ValueError", "m", (own,))
        return replace(report(own), chain=(raised, ExceptionInfo(cause, "c", (own,), ChainLink.CAUSE)))

    assert fingerprint(chain("OSError")) == fingerprint(chain("OSError"))
    assert fingerprint(chain("OSError")) != fingerprint(chain("EOFError"))


def test_a_crash_in_foreign_code_alone_has_a_fingerprint_too():
    foreign = [Frame(file=f"/lib/{n}.py", qualname="f", line=n, module=f"m{n}", source="x") for n in range(9)]
    assert fingerprint(report(*foreign)) == fingerprint(report(*foreign[3:]))
    assert fingerprint(report(*foreign)) != fingerprint(report(*foreign[:3]))


@given(
    st.lists(st.sampled_from("abc"), max_size=6),
    st.lists(st.sampled_from("abcd"), min_size=1, max_size=4),
    st.integers(2, 9),
)
def test_repeating_a_cycle_more_often_folds_to_the_same(before, cycle, times):
    key = {c: ("m", c, c) for c in "abcdz"}
    head, body = [key[c] for c in before], [key[c] for c in cycle]
    end = [key["z"]]
    assert fold([*head, *body * times, *end]) == fold([*head, *body * (times + 1), *end])


def test_paths_of_the_report_are_never_trusted(project):
    evil = [frame(str(Path(project.root) / ".." / "x.py")), frame("a\0b"), frame("x" * 5000)]
    assert not any(f.in_app for f in project.localise(report(*evil)).raised.frames)
