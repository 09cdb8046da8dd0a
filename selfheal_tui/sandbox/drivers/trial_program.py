"""Runs the program of a replay inside this process, with the code of some files exchanged; standard library only.

Used by `trials.py`. Nothing is written to disk: a variant of a file is put in where the import system asks for its code.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import os
import runpy
import sys
import threading
import types
from typing import Any

CODES: dict[str, types.CodeType] = {}
"""Code to be run instead of that of the file, by real path."""


def exchange_code() -> None:
    """Makes imports take code from `CODES` first; source and compiled files of the others are used as they are."""
    original = importlib.machinery.SourceFileLoader.get_code

    def get_code(self: Any, fullname: str) -> Any:
        code = CODES.get(os.path.realpath(self.path)) if CODES else None
        return original(self, fullname) if code is None else code

    importlib.machinery.SourceFileLoader.get_code = get_code  # type: ignore[method-assign]  # that is the point


def read_text(file: str) -> str:
    """Reads a source file as the interpreter does."""
    import tokenize

    with tokenize.open(file) as opened:
        return opened.read()


def edited(text: str, edits: list[Any]) -> str:
    """Applies edits `[start, end, new]` in characters; none overlap."""
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def main_module(file: str) -> types.ModuleType:
    """Makes a fresh `__main__`."""
    module = types.ModuleType("__main__")
    module.__file__ = file
    module.__dict__["__builtins__"] = __builtins__
    sys.modules["__main__"] = module
    return module


def run(program: dict[str, Any]) -> int:
    """Runs the program to its end.

    Args:
        program: `kind` (`script`, `module`, `code` or `call`), `target`, `args`, and for `call` its `spec`.

    Returns:
        Its exit status; 1 for an exception that nobody caught.
    """
    try:
        _start(program)
        threading._shutdown()  # type: ignore[attr-defined]  # what the interpreter does before it ends
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        return 1
    return 0


def _start(program: dict[str, Any]) -> None:
    kind, target, arguments = program["kind"], program["target"], program["args"]
    if kind == "script":
        file = os.path.abspath(target)
        sys.argv = [target, *arguments]
        sys.path[0] = os.path.dirname(os.path.realpath(file))
        code = CODES.get(os.path.realpath(file))
        if code is None:
            with open(file, "rb") as opened:
                code = compile(opened.read(), target, "exec", dont_inherit=True)
        exec(code, main_module(target).__dict__)
    elif kind == "module":
        sys.argv = [target, *arguments]
        sys.path[0] = os.getcwd()
        runpy.run_module(target, run_name="__main__", alter_sys=True)
    elif kind == "code":
        sys.argv = ["-c", *arguments]
        sys.path[0] = ""
        exec(compile(target, "<string>", "exec", dont_inherit=True), main_module("<string>").__dict__)
    else:
        _call(program["spec"])


def _call(spec: dict[str, Any]) -> None:
    call: Any = importlib.import_module("call")

    sys.path[0:1] = spec["sys_path"]
    sys.argv = [spec["file"]]
    module = call.load_module(spec["module"], spec["file"])
    found = call.resolve(module, spec["qualname"])
    args, kwargs = call.arguments(spec["payload"])
    call.call(call.undecorated(found, spec["qualname"], spec["file"], args, kwargs), args, kwargs)
