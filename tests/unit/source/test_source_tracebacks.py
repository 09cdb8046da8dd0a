"""Reading crashes out of logs: CPython's format of every version, whatever loggers did to it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.model.kinds import CaptureSource, ChainLink
from selfheal_tui.source.tracebacks import NotATracebackError, parse_all, parse_traceback

# Raises each case, prints the traceback to stderr as the interpreter does, and what it was to stdout.
WITNESS = """
import json, sys, traceback

def deep(n):
    if n:
        return deep(n - 1)
    raise ValueError("bottom")

def ping(n):
    return pong(n)

def pong(n):
    return ping(n - 1) if n else {}["gone"]

class Thing:
    def method(self, d):
        return d["a"]["b"].c + 1

class Odd(Exception):
    pass

def chained():
    try:
        {}["a"]
    except KeyError as error:
        raise ValueError("multi\\nline\\n\\nmessage") from error

def during():
    try:
        chained()
    except ValueError:
        undefined_name

def syntax():
    compile("x = (1,\\ny = = 2\\n", "made.py", "exec")

def unprintable():
    raise Odd()

def unicode_line():
    name = "é"; return name.nope("ü")

def several_lines(d):
    return (d
            .get("x")
            .strip())

def keyword():
    def target(a): pass
    return target(b=1)

cases = [
    lambda: deep(6), lambda: ping(3), lambda: Thing().method({"a": {"b": None}}), chained, during, syntax,
    unprintable, unicode_line, lambda: several_lines({}), keyword, lambda: __import__("no.such.module"),
    lambda: (lambda: [1 / x for x in (1, 0)])(), lambda: sys.nope, lambda: exec("from json import nope"),
]

def chain_of(error):
    out = []
    while error is not None:
        message = str(error)
        if isinstance(error, SyntaxError):
            message = error.msg
        frames = [(f.f_code.co_filename, f.f_code.co_name, line) for f, line in traceback.walk_tb(error.__traceback__)]
        name = type(error).__name__
        out.append([name, message, frames])
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return out

case = cases[int(sys.argv[1])]
if len(sys.argv) > 2:
    case()
try:
    case()
except Exception as error:
    traceback.print_exc()
    print(json.dumps(chain_of(error)))
"""
CASES = 14


def interpreters() -> list[str]:
    found = [sys.executable]
    for version in ("3.9", "3.10", "3.12", "3.13"):
        for home in sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python")):
            found.append(str(home))
            break
        else:
            if other := shutil.which(f"python{version}"):
                found.append(other)
    return found


@pytest.mark.parametrize("interpreter", interpreters())
def test_real_tracebacks_are_read_as_what_was_raised(interpreter, tmp_path):
    script = tmp_path / "witness.py"
    script.write_text(WITNESS, encoding="utf-8")
    environ = {"PYTHONIOENCODING": "utf-8", "PYTHONDONTWRITEBYTECODE": "1"}
    for case in range(CASES):
        argv = [interpreter, str(script), str(case)]
        done = subprocess.run(argv, capture_output=True, text=True, encoding="utf-8", env=environ)
        uncaught = subprocess.run([*argv, "x"], capture_output=True, text=True, encoding="utf-8", env=environ)
        expected = json.loads(done.stdout)
        for printed, extra in ((done.stderr, 0), (uncaught.stderr, 0)):
            report = parse_traceback(printed)
            assert report.source is CaptureSource.TEXT
            assert [(i.bare_type, i.message) for i in report.chain] == [(t, m) for t, m, _ in expected], case
            for info, (_, _, frames) in zip(report.chain, expected, strict=True):
                got = [(f.file, f.qualname, f.line) for f in info.frames][-len(frames) :]
                assert [f[:2] for f in got] == [tuple(f[:2]) for f in frames][-len(got) :], case
                if printed is done.stderr:
                    assert got == [tuple(f) for f in frames], case
            assert extra == 0


def test_columns_of_markers_are_bytes_of_the_printed_line():
    text = (
        "Traceback (most recent call last):\n"
        '  File "a.py", line 3, in f\n'
        "    é = data['ü'][k] + 1\n"
        "        ~~~~~~~~~^^^\n"
        "KeyError: 'k'\n"
    )
    frame = parse_traceback(text).raised.frames[0]
    assert frame.source.encode()[frame.col : frame.end_col].decode() == "data['ü'][k]"
    assert frame.end_line == 3


@pytest.mark.parametrize("line", ["x = '日本' + a.b", "x =\ta.b"])
def test_where_columns_are_not_certain_there_are_none(line):
    text = f'Traceback (most recent call last):\n  File "a.py", line 3, in f\n    {line}\n        ^^^\nKeyError: 1\n'
    assert parse_traceback(text).raised.frames[0].col is None


PLAIN = """Traceback (most recent call last):
  File "/app/main.py", line 10, in <module>
    main()
  File "/app/main.py", line 7, in main
    return d["a"]
           ~^^^^^
KeyError: 'a'
"""


def decorated() -> list[tuple[str, str]]:
    stamped = "".join(
        f"2026-01-02 10:00:{n:02d},123 ERROR app  {line}\n" for n, line in enumerate(PLAIN.splitlines())
    )
    coloured = re.sub(r'"(/app/main.py)"', '\x1b[35m"\\1"\x1b[0m', PLAIN).replace(
        "KeyError", "\x1b[1;35mKeyError\x1b[0m"
    )
    return [
        ("bare", PLAIN),
        ("crlf", PLAIN.replace("\n", "\r\n")),
        ("after a log line", "ERROR:root:it broke\n" + PLAIN),
        ("header with prefix", "ERROR:root:" + PLAIN),
        ("indented", "".join("      " + line + "\n" for line in PLAIN.splitlines())),
        ("container prefix", "".join("web-1  | " + line + "\n" for line in PLAIN.splitlines())),
        ("stamped", stamped),
        ("followed by a record", PLAIN + "2026-01-02 10:00:00 INFO going on\n"),
        ("followed after a blank", "x\n" + PLAIN + "\ngoing on\n"),
        ("coloured", coloured),
        ("json", json.dumps({"level": "error", "exc": PLAIN, "n": 1}) + "\n"),
        ("json in json", json.dumps({"log": json.dumps({"exc": PLAIN, "n": 1}), "z": "q"}) + "\n"),
        ("repr", repr({"exc": PLAIN, "n": 1}) + "\n"),
        ("json with prefix", "2026 worker: " + json.dumps({"exc": "failed\n" + PLAIN, "n": 1})),
        ("in a thread", "Exception in thread Thread-1 (run):\n" + PLAIN),
        (
            "logging error",
            "--- Logging error ---\n"
            + PLAIN
            + "Call stack:\n  File \"/app/x.py\", line 1, in y\n    z\nMessage: 'q'\n",
        ),
    ]


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in decorated()])
def test_what_loggers_put_around_a_traceback_is_taken_off(text):
    report = parse_traceback(text)
    (info,) = report.chain
    assert (info.type, info.message, info.evidence.name) == ("KeyError", "'a'", "a")
    assert [(f.file, f.line, f.qualname) for f in info.frames] == [
        ("/app/main.py", 10, "<module>"),
        ("/app/main.py", 7, "main"),
    ]
    assert (info.frames[1].source, info.frames[1].col, info.frames[1].end_col) == ('return d["a"]', 7, 13)


GROUP = """  + Exception Group Traceback (most recent call last):
  |   File "/app/g.py", line 16, in <module>
  |     run()
  | ExceptionGroup: eg (3 sub-exceptions)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "/app/g.py", line 4, in f
    |     {}['a']
    |     ~~^^^^^
    | KeyError: 'a'
    |
    | The above exception was the direct cause of the following exception:
    |
    | Traceback (most recent call last):
    |   File "/app/g.py", line 6, in f
    |     raise ValueError('two
    | ValueError: two

lines
    +---------------- 2 ----------------
    | Exception Group Traceback (most recent call last):
    |   File "/app/g.py", line 14, in inner
    |     raise ExceptionGroup("nested", [OSError(2,'x')])
    | ExceptionGroup: nested (1 sub-exception)
    +-+---------------- 1 ----------------
      | FileNotFoundError: [Errno 2] x
      +------------------------------------
    +---------------- 3 ----------------
    | TypeError: plain
    +------------------------------------
"""


def test_exception_groups_are_read_with_their_members_and_their_causes():
    first = 'Traceback (most recent call last):\n  File "/app/g.py", line 15, in <module>\n    1/0\nZeroDivisionError: division by zero\n'
    chained = first + "\nDuring handling of the above exception, another exception occurred:\n\n" + GROUP
    assert [(i.link, i.type, i.message, len(i.frames)) for i in parse_traceback(chained).chain] == [
        (ChainLink.RAISED, "ExceptionGroup", "eg (3 sub-exceptions)", 1),
        (ChainLink.CONTEXT, "ZeroDivisionError", "division by zero", 1),
        (ChainLink.GROUP, "ValueError", "two\n\nlines", 1),
        (ChainLink.CAUSE, "KeyError", "'a'", 1),
        (ChainLink.GROUP, "ExceptionGroup", "nested (1 sub-exception)", 1),
        (ChainLink.GROUP, "FileNotFoundError", "[Errno 2] x", 0),
        (ChainLink.GROUP, "TypeError", "plain", 0),
    ]


def test_real_exception_groups_are_read(tmp_path):
    code = (
        "def f(n):\n    raise ExceptionGroup('g', [ValueError(n), ExceptionGroup('h', [KeyError('k')]), OSError('last')])\n"
        "try:\n    1/0\nexcept ZeroDivisionError:\n    f(1)\n"
    )
    script = tmp_path / "g.py"
    script.write_text(code)
    for interpreter in interpreters():
        done = subprocess.run([interpreter, str(script)], capture_output=True, text=True)
        if "ExceptionGroup" in done.stderr and "NameError" not in done.stderr:
            links = [(i.link.value, i.type) for i in parse_traceback(done.stderr).chain]
            assert links == [
                ("raised", "ExceptionGroup"),
                ("context", "ZeroDivisionError"),
                ("group", "ValueError"),
                ("group", "ExceptionGroup"),
                ("group", "KeyError"),
                ("group", "OSError"),
            ]


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ("NameError: name 'fo' is not defined. Did you mean: 'foo'?", ("fo", None, None, ("foo",), "name 'fo' is not defined")),
        ("NameError: name 'json' is not defined. Did you forget to import 'json'?", ("json", None, None, (), "name 'json' is not defined")),
        ("AttributeError: 'A' object has no attribute 'nam'. Did you mean: 'name'?", ("nam", "A", None, ("name",), "'A' object has no attribute 'nam'")),
        ("AttributeError: type object 'A' has no attribute 'x'", ("x", "A", None, (), None)),
        ("AttributeError: module 'sys' has no attribute 'x'", ("x", None, "sys", (), None)),
        ("ImportError: cannot import name 'x' from 'm.n' (/app/m/n.py)", ("x", None, "m.n", (), None)),
        ("ModuleNotFoundError: No module named 'a.b'", ("a.b", None, None, (), None)),
        ("TypeError: f() got an unexpected keyword argument 'x'", ("x", None, None, (), None)),
        ("UnboundLocalError: cannot access local variable 'x' where it is not associated with a value", ("x", None, None, (), None)),
        ("KeyError: 7", ("7", None, None, (), None)),
        ("KeyError: \"it's\"", ("it's", None, None, (), None)),
        ("ValueError", (None, None, None, (), "")),
    ],
)  # fmt: skip
def test_the_missing_name_is_read_from_the_message(last, expected):
    info = parse_traceback(
        f'Traceback (most recent call last):\n  File "/app/x.py", line 1, in f\n    y\n{last}\n'
    ).raised
    name, obj_type, module, names, message = expected
    evidence = info.evidence
    assert (evidence.name, evidence.obj_type, evidence.obj_module, evidence.obj_names) == (
        name,
        obj_type,
        module,
        names,
    )
    assert message is None or info.message == message


def test_a_syntax_error_has_its_place_with_and_without_a_traceback():
    block = '  File "/app/bad.py", line 3\n    def f(:\n          ^\nSyntaxError: invalid syntax\n'
    for text in (
        block,
        'Traceback (most recent call last):\n  File "/app/m.py", line 1, in <module>\n    import bad\n'
        + block,
    ):
        info = parse_traceback(text).raised
        assert (info.type, info.syntax) == ("SyntaxError", ("/app/bad.py", 3, 7, "def f(:"))


def test_repeated_lines_are_repeated_but_bounded():
    text = PLAIN.replace("    return d", "    return d").replace(
        "           ~^^^^^\n", "           ~^^^^^\n  [Previous line repeated 987654321 more times]\n"
    )
    assert 10 < len(parse_traceback(text).raised.frames) < 500


def test_notes_of_one_line_errors_are_notes():
    assert parse_traceback(PLAIN + "look at the config\n").raised.notes == ("look at the config",)


def test_a_log_gives_every_crash_and_the_last_that_ended_the_program():
    ignored = "Exception ignored in: <function A.__del__ at 0x7f>\n" + PLAIN.replace("'a'", "'z'")
    log = "start\n" + PLAIN + "\n" + PLAIN.replace("'a'", "'b'") + "\n" + ignored
    assert [r.raised.evidence.name for r in parse_all(log)] == ["a", "b", "z"]
    assert parse_traceback(log).raised.evidence.name == "b"


def test_secrets_in_messages_and_source_lines_are_masked():
    secret = "sk-" + "a1B2c3D4e5F6g7H8i9"
    text = PLAIN.replace('d["a"]', f'd["{secret}"]').replace("'a'", f"'{secret}'")
    report = parse_traceback(text)
    assert secret not in repr(report)


@pytest.mark.parametrize(
    "text",
    ["", "hello", "Traceback (most recent call last):\n", PLAIN.rsplit("KeyError", 1)[0], "ValueError: x"],
)
def test_text_without_a_whole_traceback_is_said_to_be_none(text):
    with pytest.raises(NotATracebackError, match="no Python traceback found"):
        parse_traceback(text)


FRAGMENTS = [*PLAIN.splitlines(keepends=True), *GROUP.splitlines(keepends=True), "\n", "\\n", '"', "\x1b[31m", "  | ", "x: y\n",
             "The above exception was the direct cause of the following exception:\n", '  File "a", line 3\n', "    ^^\n",
             "    ...<3 lines>...\n", "  [Previous line repeated 3 more times]\n", "SyntaxError: x\n"]  # fmt: skip


@given(st.one_of(st.text(), st.lists(st.sampled_from(FRAGMENTS), max_size=30).map("".join)))
def test_any_text_is_a_crash_or_none_and_nothing_else_happens(text):
    try:
        report = parse_traceback(text)
    except NotATracebackError:
        assert parse_all(text) == []
        return
    assert report.chain
    assert report.raised.link is ChainLink.RAISED


@pytest.mark.parametrize(
    "text", ['\\"' * 200_000 + "Traceback (most recent call last):\\n", "Traceback (most recent call last):" * 20_000,
             " " * 300_000 + "\n", ("  +-+- 1 -\n" + PLAIN) * 500, '"' * 100_000 + "Traceback (most recent call last):\\n"]
)  # fmt: skip
@pytest.mark.timeout(60)
def test_hostile_text_takes_no_more_than_linear_time(text):
    parse_all(text)
