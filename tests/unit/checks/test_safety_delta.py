"""What a patch could newly do to the world, in pairs of code."""

from __future__ import annotations

import pytest

from selfheal_tui.checks.findings import Finding
from selfheal_tui.checks.pairs import make_pair
from selfheal_tui.checks.safety import safety_findings
from selfheal_tui.model.kinds import Verdict

HARMLESS = "import os\n\ndef f(p, c):\n    return p.x\n"


def findings(before: str, after: str) -> list[Finding]:
    return safety_findings(make_pair("m.py", before, after))


def verdict(before: str, after: str) -> str:
    worst = {f.verdict for f in findings(before, after)}
    return "fail" if Verdict.FAIL in worst else "warn" if Verdict.WARN in worst else "pass"


def body(code: str, head: str = "import os") -> str:
    lines = "\n".join("    " + line for line in code.splitlines())
    return f"{head}\n\ndef f(p, c):\n{lines}\n    return p.x\n"


DANGEROUS = {
    "from os import system": body("system(c)", "import os\nfrom os import system"),
    "from os import system as other": body("run(c)", "import os\nfrom os import system as run"),
    "module alias": body("o.system(c)", "import os as o"),
    "local module alias": body("o = os\no.system(c)"),
    "tuple alias": body("a, b = os, 1\na.system(c)"),
    "default argument": "import os\n\ndef f(p, c, m=os):\n    m.system(c)\n",
    "getattr put together": body("getattr(os, 'sys' + 'tem')(c)"),
    "getattr joined": body("getattr(os, ''.join(['sys', 'tem']))(c)"),
    "getattr reversed": body("getattr(os, 'metsys'[::-1])(c)"),
    "getattr formatted": body("getattr(os, f\"{'sys'}tem\")(c)"),
    "getattr computed": body("getattr(os, c)(p)"),
    "write": body("open(p, 'w').write(c)"),
    "write by keyword": body("open(p, mode='a').write(c)"),
    "write with a computed mode": body("open(p, c)"),
    "io.open": body("io.open(p, 'w')", "import os, io"),
    "write_text": body("p.write_text(c)"),
    "Path.unlink": body("Path(p).unlink()", "import os\nfrom pathlib import Path"),
    "unlink on anything": body("p.unlink()"),
    "os.remove": body("os.remove(p)"),
    "rmtree": body("shutil.rmtree(p)", "import os, shutil"),
    "rmtree renamed": body("clean(p)", "import os\nfrom shutil import rmtree as clean"),
    "urllib": body("urlopen(p)", "import os\nfrom urllib.request import urlopen"),
    "urllib module": body("urllib.request.urlopen(p)", "import os, urllib.request"),
    "requests": body("requests.post(p, c)", "import os, requests"),
    "httpx client": body("httpx.Client()", "import os, httpx"),
    "socket": body("socket.socket()", "import os, socket"),
    "builtins.eval": body("builtins.eval(c)", "import os, builtins"),
    "builtins alias": body("b.eval(c)", "import os\nimport builtins as b"),
    "eval": body("eval(c)"),
    "eval given another name": body("e = eval\ne(c)"),
    "eval handed on": body("list(map(eval, c))"),
    "exec": body("exec(c)"),
    "compile": body("compile(c, 'x', 'exec')"),
    "__import__": body("__import__('os').system(c)"),
    "__import__ computed": body("__import__(c)"),
    "importlib": body("importlib.import_module(c)", "import os, importlib"),
    "import_module renamed": body("load(c)", "import os\nfrom importlib import import_module as load"),
    "sys.modules": body("sys.modules['os'].system(c)", "import os, sys"),
    "subprocess": body("subprocess.run(c)", "import os, subprocess"),
    "subprocess renamed": body("go(c)", "import os\nfrom subprocess import Popen as go"),
    "os.exec": body("os.execvp(p, c)"),
    "os.kill": body("os.kill(p, 9)"),
    "pickle": body("pickle.loads(c)", "import os, pickle"),
    "marshal": body("marshal.loads(c)", "import os, marshal"),
    "yaml": body("yaml.load(c)", "import os, yaml"),
    "yaml with an unsafe loader": body("yaml.load(c, Loader=yaml.Loader)", "import os, yaml"),
    "shelve": body("shelve.open(p)", "import os, shelve"),
    "ctypes": body("ctypes.CDLL(p)", "import os, ctypes"),
    "subclasses": body("().__class__.__base__.__subclasses__()"),
    "globals of a function": body("f.__globals__['os']"),
    "__builtins__": body("__builtins__['eval'](c)"),
    "code object": body("f.__code__ = c.__code__"),
    "frame": body("sys._getframe().f_globals", "import os, sys"),
    "globals() by name": body("globals()['__builtins__']"),
    "globals() computed": body("globals()[c](p)"),
    "module dict": body("os.__dict__['system'](c)"),
    "vars of a module": body("vars(os)['system'](c)"),
    "module in a list": body("[os][0].system(c)"),
    "module as argument": body("c(os)"),
    "attrgetter": body("attrgetter('system')(os)(c)", "import os\nfrom operator import attrgetter"),
    "partial": body("partial(os.system, c)()", "import os\nfrom functools import partial"),
    "star import": "from os import *\n\ndef f(p, c):\n    system(c)\n    return p.x\n",
    "settrace": body("sys.settrace(c)", "import os, sys"),
    "atexit": body("atexit.register(c)", "import os, atexit"),
    "signal": body("signal.signal(2, c)", "import os, signal"),
    "patched builtin": body("builtins.open = c", "import os, builtins"),
    "patched stdlib": body("json.loads = c", "import os, json"),
    "patched by setattr": body("setattr(json, 'loads', c)", "import os, json"),
    "in an annotation": "import os\n\ndef f(p: os.system('x'), c):\n    return p.x\n",
    "in a default": "import os\n\ndef f(p, c=os.system('x')):\n    return p.x\n",
    "in a decorator": "import os\n\n@os.system\ndef f(p, c):\n    return p.x\n",
    "at module level": "import os\nos.system('x')\n\ndef f(p, c):\n    return p.x\n",
    "in a class body": "import os\n\nclass A:\n    from os import system\n\ndef f(p, c):\n    return p.x\n",
    "in a lambda": body("return (lambda x: os.system(x))(c)"),
    "unverified TLS": body("c(verify=False)"),
    "shell": body("c(p, shell=True)"),
    "switched by a dict": body("c(**{'verify': False})"),
    "hostname unchecked": body("c.check_hostname = False"),
    "pickles in numpy": body("np.load(p, allow_pickle=True)", "import os\nimport numpy as np"),
    "async subprocess": body("c.create_subprocess_exec(p)"),
    "posix": body("posix.system(c)", "import os, posix"),
    "conditional alias": body("g = os.system if c else None\ng(p)"),
    "walrus": body("(m := os).system(c)"),
}

QUESTIONABLE = {
    "threads": body("threading.Thread(target=c).start()", "import os, threading"),
    "sleep": body("time.sleep(1)", "import os, time"),
    "secret from the environment": body("os.environ['API_KEY']"),
    "secret by getenv": body("os.getenv('DB_PASSWORD')"),
    "environment changed": body("os.environ['A'] = c"),
    "directory made": body("os.makedirs(p, exist_ok=True)"),
    "recursion limit": body("sys.setrecursionlimit(10 ** 6)", "import os, sys"),
    "computed attribute": body("getattr(p, c)"),
    "input": body("input()"),
    "patched project module": body("config.DEBUG = c", "import os\nfrom app import config"),
    "method resolution": body("type(p).__mro__"),
}

CLEAN = {
    "class name": body("return self.__class__.__name__".replace("self", "p")),
    "reading a file": body("open(p).read()"),
    "reading bytes": body("open(p, 'rb').read()"),
    "constant getattr": body("getattr(p, 'name')"),
    "isinstance with a library type": body("isinstance(p, socket.socket)", "import os, socket"),
    "catching a library error": body(
        "try:\n    p()\nexcept requests.RequestException:\n    raise", "import os, requests"
    ),
    "environment without secrets": body("os.environ.get('HOME')"),
    "os.path": body("os.path.join(p, c)"),
    "safe yaml": body("yaml.safe_load(c)", "import os, yaml"),
    "safe loader": body("yaml.load(c, Loader=yaml.SafeLoader)", "import os, yaml"),
    "urllib.parse": body("urllib.parse.quote(c)", "import os, urllib.parse"),
    "json": body("json.loads(c)", "import os, json"),
    "str.replace": body("c.replace('a', 'b')"),
    "list.remove": body("c.remove(p)"),
    "re.compile": body("re.compile(c)", "import os, re"),
    "a local called like a module": body("requests = []\nrequests.append(c)"),
    "a parameter called like a module": "import os\n\ndef f(p, subprocess):\n    return subprocess.x\n",
    "annotation": "import os, socket\n\ndef f(p: socket.socket, c) -> socket.socket:\n    return p.x\n",
    "package metadata": body("importlib.metadata.version(c)", "import os, importlib.metadata"),
    "str()": body("str(c)"),
    "mangled class": body("type(p).__name__"),
    "constant": body("c = os.sep"),
}


@pytest.mark.parametrize("name", DANGEROUS)
def test_a_new_dangerous_capability_fails_however_it_is_spelt(name: str) -> None:
    assert verdict(HARMLESS, DANGEROUS[name]) == "fail", findings(HARMLESS, DANGEROUS[name])


@pytest.mark.parametrize("name", QUESTIONABLE)
def test_a_new_questionable_capability_asks_a_person(name: str) -> None:
    assert verdict(HARMLESS, QUESTIONABLE[name]) == "warn", findings(HARMLESS, QUESTIONABLE[name])


@pytest.mark.parametrize("name", CLEAN)
def test_harmless_code_is_let_through(name: str) -> None:
    assert findings(HARMLESS, CLEAN[name]) == []


@pytest.mark.parametrize("name", [*DANGEROUS, *QUESTIONABLE])
def test_what_the_code_did_before_it_may_go_on_doing(name: str) -> None:
    code = (DANGEROUS | QUESTIONABLE)[name]
    assert findings(code, code) == []
    assert findings(code, code.replace("return p.x", "return p.y")) == []


RUNS = "import subprocess\n\ndef f(p):\n    subprocess.run(['ls', p])\n\ndef g(p):\n    return p\n"


def test_a_keyword_more_on_a_known_call_is_no_news() -> None:
    assert findings(RUNS, RUNS.replace("p])", "p], timeout=5)")) == []


def test_other_arguments_of_a_known_command_ask_a_person() -> None:
    assert verdict(RUNS, RUNS.replace("'ls'", "'rm'")) == "warn"


def test_a_shell_for_a_known_command_fails() -> None:
    assert verdict(RUNS, RUNS.replace("p])", "p], shell=True)")) == "fail"


def test_a_known_call_in_another_function_asks_a_person() -> None:
    assert verdict(RUNS, RUNS.replace("return p", "subprocess.run(['ls', p])")) == "warn"


def test_a_known_call_that_moved_to_a_helper_is_no_news() -> None:
    after = RUNS.replace("    subprocess.run(['ls', p])\n", "    run(p)\n") + (
        "\ndef run(p):\n    subprocess.run(['ls', p])\n"
    )
    assert findings(RUNS, after) == []


def test_the_import_that_code_was_missing_brings_nothing_new() -> None:
    before = "def f(c):\n    return subprocess.run(c)\n"
    assert findings(before, "import subprocess\n\n" + before) == []


def test_an_undefined_name_bound_to_something_powerful_asks_a_person() -> None:
    before = "def f(c):\n    return run(c)\n"
    assert verdict(before, "from subprocess import run\n\n" + before) == "warn"


def test_an_undefined_name_bound_to_something_powerful_of_another_name_fails() -> None:
    before = "def f(c):\n    return cleanup(c)\n"
    assert verdict(before, "from shutil import rmtree as cleanup\n\n" + before) == "fail"


def test_one_more_write_where_files_are_written_asks_a_person() -> None:
    before = "def f(p):\n    open(p, 'w').write('x')\n\ndef g(p):\n    return p\n"
    assert verdict(before, before.replace("return p", "open(p + '.log', 'w')")) == "warn"


def test_a_new_file_is_held_against_nothing() -> None:
    pair = make_pair("m.py", None, DANGEROUS["eval"])
    assert any(f.verdict is Verdict.FAIL for f in safety_findings(pair))


def test_an_original_that_does_not_parse_answers_only_for_new_lines() -> None:
    broken = "import os\n\ndef f(c:\n    os.system(c)\n"
    fixed = "import os\n\ndef f(c):\n    os.system(c)\n"
    assert safety_findings(make_pair("m.py", broken, fixed)) == []
    worse = fixed + "    eval(c)\n"
    assert [f.line for f in safety_findings(make_pair("m.py", broken, worse))] == [5]
