"""Asks the target interpreter about its standard library: module names, what they export, signatures.

Only modules of the standard library are ever imported there, in isolated mode (`-I`), with a time
limit; project code and installed packages are never imported by this module. Answers are kept for the
life of the process. When the interpreter does not answer, ours stands in for it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from functools import lru_cache
from typing import Any

SECONDS = 15.0
"""Time limit of one question; starting an interpreter on a busy machine can take seconds."""

_NAMES = """
import sys, json
names = getattr(sys, 'stdlib_module_names', None)
if names is None:
    import pkgutil, sysconfig
    names = {m.name for m in pkgutil.iter_modules([sysconfig.get_path('stdlib'), sysconfig.get_path('platstdlib') + '/lib-dynload'])} | set(sys.builtin_module_names)
print(json.dumps(sorted(n for n in names if not n.startswith('_'))))
"""

_MEMBERS = """
import sys, json, importlib, types
obj = importlib.import_module(sys.argv[1])
for part in filter(None, sys.argv[2].split('.')):
    obj = getattr(obj, part)
print(json.dumps([n for n in dir(obj) if not n.startswith('__')]))
"""

_PARAMETERS = r"""
import sys, json, importlib, inspect
obj = importlib.import_module(sys.argv[1])
for part in sys.argv[2].split('.'):
    obj = getattr(obj, part)
try:
    print(json.dumps([[p.name, p.kind.name] for p in inspect.signature(obj).parameters.values()]))
except ValueError:  # written in C, without a signature: the first line of its documentation shows one
    import re
    shown = re.match(re.escape(sys.argv[2].rpartition('.')[2]) + r'\((.*?)\)(?: |$)', (obj.__doc__ or '').replace(chr(10), ' '))
    print(json.dumps([[n, 'POSITIONAL_OR_KEYWORD'] for n in re.findall(r'(?<![\w=])[a-z]\w+', shown[1] if shown else '')]))
"""

_EXPORTS = """
import sys, json, importlib, types, warnings
warnings.simplefilter('ignore')
found = {}
for name in sys.argv[1].split(','):
    try:
        module = importlib.import_module(name)
    except Exception:
        continue
    public = getattr(module, '__all__', None)
    if public is None:
        public = [n for n in dir(module) if not n.startswith('_') and not isinstance(getattr(module, n, None), types.ModuleType)
                  and getattr(getattr(module, n), '__module__', name) == name]
    found[name] = sorted(public)
print(json.dumps(found))
"""

COMMON_MODULES: tuple[str, ...] = (
    "collections", "collections.abc", "pathlib", "dataclasses", "typing", "datetime", "functools", "itertools",
    "enum", "abc", "contextlib", "copy", "decimal", "fractions", "json", "math", "operator", "os", "os.path", "random",
    "re", "shutil", "statistics", "string", "subprocess", "sys", "tempfile", "textwrap", "threading", "time", "types",
    "uuid", "asyncio", "concurrent.futures", "queue", "logging", "io", "hashlib", "heapq", "bisect", "inspect",
    "urllib.parse", "urllib.request", "urllib.error", "unittest.mock", "traceback", "warnings", "weakref", "zipfile",
    "argparse", "base64", "csv", "glob", "importlib", "multiprocessing", "numbers", "pprint", "secrets", "signal",
    "socket", "sqlite3", "struct", "timeit", "xml.etree.ElementTree", "configparser", "getpass", "platform", "ast",
    "html", "http.server", "email.message", "ipaddress", "keyword", "array", "calendar", "difflib", "fnmatch", "gzip",
    "contextvars", "selectors", "ssl", "stat", "zoneinfo", "types", "unittest", "http", "http.client", "logging.handlers",
)  # fmt: skip
"""Modules whose exports are looked through for a name that was never imported, likeliest first."""


@lru_cache(maxsize=256)
def _ask(interpreter: str, code: str, *arguments: str) -> Any:
    for executable in dict.fromkeys((interpreter, sys.executable)):
        if not executable:
            continue
        try:
            done = subprocess.run(
                [executable, "-I", "-B", "-c", code, *arguments],
                capture_output=True,
                timeout=SECONDS,
                stdin=subprocess.DEVNULL,
                check=False,
            )
        except (OSError, subprocess.SubprocessError):
            continue
        if done.returncode == 0:
            try:
                return json.loads(done.stdout)
            except ValueError:
                continue
        return None
    return None


def stdlib_modules(interpreter: str) -> frozenset[str]:
    """Top-level public module names of the interpreter's standard library."""
    return frozenset(_ask(interpreter, _NAMES) or sys.stdlib_module_names)


def is_stdlib(interpreter: str, module: str) -> bool:
    """Whether a dotted module name belongs to the standard library."""
    return module.partition(".")[0] in stdlib_modules(interpreter)


_LOUD = frozenset({"antigravity", "this", "idlelib", "turtledemo", "lib2to3", "test", "tkinter", "turtle"})
"""Modules that do something visible when imported, or need a display; never asked about."""


def module_members(interpreter: str, module: str, inside: str = "") -> tuple[str, ...]:
    """Names that a module of the standard library (or a class in it) has.

    Args:
        interpreter: The target's executable.
        module: Dotted module name.
        inside: Dotted path of a class inside it; empty for the module itself.

    Returns:
        Names without dunders; empty when the module is not of the standard library or does not load.
    """
    if module.partition(".")[0] in _LOUD or not (module == "builtins" or is_stdlib(interpreter, module)):
        return ()
    return tuple(_ask(interpreter, _MEMBERS, module, inside) or ())


def call_parameters(interpreter: str, module: str, qualname: str) -> tuple[tuple[str, str], ...]:
    """Parameters of a callable of the standard library, as (name, kind); empty when unknown."""
    if module.partition(".")[0] in _LOUD or not (module == "builtins" or is_stdlib(interpreter, module)):
        return ()
    answer = _ask(interpreter, _PARAMETERS, module, qualname) or ()
    return tuple((str(name), str(kind)) for name, kind in answer)


def exporters(interpreter: str, name: str) -> list[str]:
    """Modules among `COMMON_MODULES` that export a name, likeliest first."""
    exports: dict[str, list[str]] = _ask(interpreter, _EXPORTS, ",".join(COMMON_MODULES)) or {}
    return [module for module in dict.fromkeys(COMMON_MODULES) if name in exports.get(module, ())]


_INSTALLED = """
import sys, json, importlib.util
print(json.dumps(importlib.util.find_spec(sys.argv[1]) is not None))
"""


def is_installed(interpreter: str, package: str) -> bool:
    """Whether a top-level package can be found by the interpreter; it is looked for, never imported."""
    return package.isidentifier() and bool(_ask(interpreter, _INSTALLED, package))
