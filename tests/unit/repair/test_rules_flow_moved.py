"""Names and modules that moved, were renamed or removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfheal_tui.model.candidate import Candidate, CannotFix
from selfheal_tui.repair.rules import moved, moved_imports
from selfheal_tui.repair.rules.engine import RuleProposer
from selfheal_tui.repair.rules.stdlib_moves import METHOD_RENAMES, MODULE_MOVES, MOVES, NO_HEIR
from selfheal_tui.repair.rules.target import is_stdlib, module_members
from selfheal_tui.source.project import Project
from selfheal_tui.source.tracebacks import parse_traceback
from tests.unit.repair.crashlab import Lab
from tests.unit.repair.flowcases import Fix, Trap, asked, check_fix, check_trap, name_of

RULES = (*moved.RULES, *moved_imports.RULES)

FIXES = [
    Fix("abc attribute", "import collections\n\nassert isinstance({}, collections.Mapping)\nassert isinstance([], collections.Sequence)\n", "collections.abc.Sequence"),
    Fix("abc under an alias", "import collections as c\n\nassert isinstance({}, c.Mapping)\n", "c.abc.Mapping"),
    Fix("abc import", "from collections import Mapping, OrderedDict, Callable as Fn\n\nassert Mapping and OrderedDict and Fn\n", "from collections import OrderedDict\nfrom collections.abc import Mapping, Callable as Fn"),
    Fix("abc import in a block", "def f():\n    from collections import Mapping, deque\n    return Mapping, deque\n\n\nf()\n", "    from collections import deque\n    from collections.abc import Mapping"),
    Fix("gcd", "import fractions\n\nassert fractions.gcd(4, 6) == 2\n", "math.gcd(4, 6)"),
    Fix("gcd import", "from fractions import gcd\n\nassert gcd(4, 6) == 2\n", "from math import gcd"),
    Fix("clock", "import time\n\nassert time.clock() > 0\n", "time.perf_counter()"),
    Fix("base64", "import base64\n\nassert base64.encodestring(b'x')\n", "base64.encodebytes"),
    Fix("getargspec", "import inspect\n\nassert inspect.getargspec(lambda a: a).args == ['a']\n", "inspect.getfullargspec"),
    Fix("letters", "import string\n\nassert string.letters\n", "string.ascii_letters"),
    Fix("izip", "import itertools\n\nassert list(itertools.izip([1], [2]))\n", "list(zip([1], [2]))"),
    Fix("urllib quote", "import urllib\n\nassert urllib.quote('a b')\n", "urllib.parse.quote"),
    Fix("urllib2", "import urllib2\n\nassert urllib2.Request('http://x')\ntry:\n    pass\nexcept urllib2.URLError:\n    pass\n", "urllib.request.Request"),
    Fix("from urllib2", "from urllib2 import Request, URLError\n\nassert Request and URLError\n", "from urllib.error import URLError"),
    Fix("Queue", "import Queue\n\nassert Queue.Queue()\n", "import queue as Queue"),
    Fix("StringIO", "from StringIO import StringIO\n\nassert StringIO()\n", "from io import StringIO"),
    Fix("several in one import", "import os, cPickle\n\nassert os and cPickle.dumps(1)\n", "import os\nimport pickle as cPickle"),
    Fix("iteritems", "def f(d):\n    return [k for k, v in d.iteritems()]\n\n\nassert f({1: 2}) == [1]\n", "d.items()"),
    Fix("has_key", "def f(d):\n    return d.has_key(1)\n\n\nassert f({1: 2})\n", "(1 in d)"),
    Fix("isAlive", "import threading\n\nassert threading.current_thread().isAlive()\n", ".is_alive()"),
    Fix("tostring", "from array import array\n\nassert array('b', [1]).tostring()\n", ".tobytes()"),
    Fix("getchildren", "import xml.etree.ElementTree as ET\n\nassert not ET.fromstring('<a/>').getchildren()\n", "list(ET.fromstring('<a/>'))"),
    Fix("next", "it = iter([1])\ngen = (x for x in it)\nassert gen.next() == 1\n", "next(gen)"),
    Fix("message", "def show(error):\n    return error.message\n\n\nassert show(ValueError('x')) == 'x'\n", "return str(error)"),
    Fix("decode of text", "def f(s):\n    return s.decode('utf-8')\n\n\nassert f('x') == 'x'\n", "return s\n"),
    Fix("unicode", "def f(s):\n    return isinstance(s, unicode) or isinstance(s, basestring)\n\n\nassert f('x')\n", "isinstance(s, str) or"),
    Fix("xrange", "assert list(xrange(2)) == [0, 1]\n", "list(range(2))"),
    Fix("reduce", "assert reduce(lambda a, b: a + b, [1, 2]) == 3\n", "from functools import reduce"),
    Fix("func_name", "def f():\n    pass\n\n\nassert f.func_name == 'f'\n", "f.__name__"),
    Fix("maxint", "import sys\n\nassert sys.maxint\n", "sys.maxsize"),
    Fix("string types", "import types\n\nassert isinstance('', types.StringType)\n", "isinstance('', str)"),
    Fix("os.errno", "import os\n\nassert os.errno.ENOENT\n", "assert errno.ENOENT"),
]  # fmt: skip

TRAPS = [
    Trap("unknown attribute", "import collections\n\ncollections.Nothing\n"),
    Trap("a dictionary of the project", "class Box:\n    pass\n\n\nBox().iteritems()\n"),
    Trap("package that is not installed", "import not_a_package_at_all\n"),
    Trap("no heir", "import sets\n", "builtin set"),
    Trap("cmp", "cmp(1, 2)\n", "cmp_to_key"),
]


@pytest.mark.parametrize(("case", "mode"), asked(FIXES), ids=name_of)
def test_the_new_place_is_used(case: Fix, mode: str, tmp_path: Path) -> None:
    check_fix(case, mode, tmp_path, RULES)


@pytest.mark.parametrize("case", TRAPS, ids=name_of)
def test_what_never_moved_is_left_alone(case: Trap, tmp_path: Path) -> None:
    check_trap(case, "probe", tmp_path, RULES)


LATER = [
    ("import imp\n\nimp.reload(sys)\n", "ModuleNotFoundError: No module named 'imp'", "import importlib\n\nimportlib.reload(sys)"),
    ("from imp import reload\n", "ModuleNotFoundError: No module named 'imp'", "from importlib import reload"),
    ("from pipes import quote\n", "ModuleNotFoundError: No module named 'pipes'", "from shlex import quote"),
    ("from distutils.spawn import find_executable\n", "ModuleNotFoundError: No module named 'distutils'", "from shutil import which as find_executable"),
    ("import numpy as np\n\nnp.float(1)\n", "AttributeError: module 'numpy' has no attribute 'float'", "\nfloat(1)"),
    ("from flask import Flask, Markup\n", "ImportError: cannot import name 'Markup' from 'flask' (x)", "from flask import Flask\nfrom markupsafe import Markup"),
]  # fmt: skip


def findings(tmp_path: Path, code: str, error: str) -> list[Candidate | CannotFix]:
    """What the rules say to a crash of another interpreter, of which only the text is here."""
    lab = Lab(tmp_path, {"main.py": code})
    wanted = error.rpartition("'")[0].rpartition("'")[2]
    line = next((i for i, t in enumerate(code.splitlines(), 1) if f".{wanted}" in t), 1)
    text = f'Traceback (most recent call last):\n  File "{lab.root}/main.py", line {line}, in <module>\n    {code.splitlines()[line - 1]}\n{error}\n'
    report = Project(lab.root).localise(parse_traceback(text))
    return list(RuleProposer(RULES).propose(lab.context(report=report)))


@pytest.mark.parametrize(("code", "error", "after"), LATER, ids=lambda v: str(v)[:40])
def test_moves_of_later_versions_are_known(code: str, error: str, after: str, tmp_path: Path) -> None:
    found = findings(tmp_path, code, error)
    assert isinstance(found[0], Candidate), found
    assert after in found[0].edits[0].text


def test_a_module_without_heir_is_explained_with_what_to_use_instead(tmp_path: Path) -> None:
    found = findings(
        tmp_path, "import imp\n\nimp.load_source('a', 'b')\n", "ModuleNotFoundError: No module named 'imp'"
    )
    assert isinstance(found[0], CannotFix)
    assert "importlib" in found[0].explanation


def test_every_replacement_in_the_standard_library_exists_in_this_interpreter() -> None:
    import sys

    missing = [
        f"{move.module}.{move.name}"
        for move in MOVES.values()
        if move.module and move.name and is_stdlib(sys.executable, move.module)
        and move.name.partition(".")[0] not in module_members(sys.executable, move.module)
    ]  # fmt: skip
    assert missing == []


def test_the_tables_do_not_contradict_each_other() -> None:
    assert not {m.partition(".")[0] for m in MODULE_MOVES if "." not in m} & (set(NO_HEIR) - {"dummy_thread"})
    assert all(new for _, new in METHOD_RENAMES.values())
