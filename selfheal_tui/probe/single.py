"""Writes the whole probe as one Python file, for programs whose environment must stay clean.

The file holds the sources of `probe/` as texts and a small importer that loads each when it is needed, so that it
is the same code, readable, and as lazy. The same sources give the same file. Reads the probe's folder, nothing else.
"""

from __future__ import annotations

import hashlib
import os
from typing import Iterator

HERE = os.path.dirname(os.path.abspath(__file__))
LEFT_OUT = frozenset({"environment", "single"})
"""They start programs and write this file; inside a program nobody needs them."""
MARK = "# selfheal probe: the whole of it in one file"

_LICENSE = """\
MIT License

Copyright (c) 2026 the selfheal-tui developers

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE."""

_DOC = '''\
"""Reports the crashes of this program to selfheal, and takes healed code in while the program runs.

    from {module} import install, heal, guard, progress

    install(root="/path/to/project")      # reports go to <root>/.selfheal/inbox, if that is there
    @heal(retry="safe", wait=30)          # call again with the healed code
    def work(): ...

Standard library only, CPython 3.9+. Without `selfheal` running the program runs as if this were not here.
"""
'''

_LOADER = '''\
import sys as _sys

__all__ = ["guard", "heal", "install", "progress"]
__version__ = {version!r}

_PACKAGE = {package!r}
_PACKAGES = {packages!r}
_HOMES = {{"guard": "guard", "heal": "guard", "install": "facade", "progress": "progress"}}


class _Loader:
    """Finds and loads the parts of the probe that stand below as texts, and nothing else."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        part = name[len(_PACKAGE) + 1 :] if name.startswith(_PACKAGE + ".") else ""
        if part not in _SOURCES:
            return None
        from importlib.machinery import ModuleSpec

        return ModuleSpec(name, _Loader, origin=_place(part), is_package=part in _PACKAGES)

    @staticmethod
    def create_module(spec):
        return None

    @staticmethod
    def exec_module(module):
        part = module.__name__[len(_PACKAGE) + 1 :]
        module.__file__ = _place(part)
        exec(compile(_SOURCES[part], module.__file__, "exec", dont_inherit=True), module.__dict__)


def _place(part):
    """A name for tracebacks; there is no such file."""
    return "/" + _PACKAGE + "/" + part.replace(".", "/") + ("/__init__.py" if part in _PACKAGES else ".py")


def __getattr__(name):
    """Loads what is offered when it is first asked for."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError("module %r has no attribute %r" % (__name__, name))
    __import__(_PACKAGE + "." + home)
    globals()[name] = found = getattr(_sys.modules[_PACKAGE + "." + home], name)
    return found


'''


_START = """\
if _PACKAGE not in _sys.modules:
    _package = type(_sys)(_PACKAGE)
    _package.__path__ = []
    _sys.modules[_PACKAGE] = _package
    _sys.meta_path.append(_Loader)
"""


def build(version: str, module: str = "selfheal_probe") -> str:
    """Makes the text of the file.

    Args:
        version: Version of this package.
        module: Name under which programs will import it.

    Returns:
        Python source, for CPython 3.9 and newer.

    Raises:
        OSError: The probe's own files cannot be read.
    """
    sources = dict(_parts())
    packages = tuple(sorted(name for name in sources if any(n.startswith(name + ".") for n in sources)))
    digest = hashlib.sha256(repr(sorted(sources.items())).encode()).hexdigest()
    lines = [
        f"# Version {version}, sha256 of its parts {digest[:16]}; made by `selfheal probe --write`, not to be edited."
    ]
    header = [MARK, *lines, "#", *(f"# {line}".rstrip() for line in _LICENSE.splitlines()), ""]
    loader = _LOADER.format(version=version, package="_selfheal_single_" + digest[:8], packages=packages)
    return "\n".join(header) + _DOC.format(module=module) + "\n" + loader + _texts(sources)


def _parts() -> Iterator[tuple[str, str]]:
    """Yields the modules of the probe by dotted name, sorted."""
    for folder, folders, files in sorted(os.walk(HERE)):
        folders[:] = [name for name in folders if name not in ("boot", "__pycache__")]
        inside = os.path.relpath(folder, HERE).replace(os.sep, ".")
        for file in sorted(files):
            name = file[: -len(".py")]
            if not file.endswith(".py") or (inside == "." and name in {*LEFT_OUT, "__init__"}):
                continue
            part = inside if name == "__init__" else name if inside == "." else f"{inside}.{name}"
            with open(os.path.join(folder, file), encoding="utf-8") as source:
                yield part, source.read()


def _texts(sources: dict[str, str]) -> str:
    """Writes the sources a line each, so that they can be read and compared."""
    out = ["_SOURCES = {"]
    for name in sorted(sources):
        out.append(f"    {name!r}: (")
        out += [f"        {line!a}" for line in sources[name].splitlines(keepends=True)] or ['        ""']
        out.append("    ),")
    out += ["}", "", _START]
    return "\n".join(out)
