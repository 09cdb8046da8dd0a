"""The text a program was started from, to be compared with the text that is on disk now.

Python does not keep it, so it is remembered while the file still has it (`remember_sources`), given by the caller, or
found in `linecache`; in every case it is believed only when compiling it gives exactly the code that is alive. It is
only ever compared, never run. Reads files below the root; removes only bytecode that contradicts its source.
Standard library only, CPython 3.9+.
"""

from __future__ import annotations

import ast
import importlib.util
import linecache
import marshal
import os
import sys
import threading
from types import CodeType
from typing import Iterator, Mapping, Optional

from .codes import code_key, walk_codes
from .live import LiveFile

MAX_SOURCE = 4_000_000  # bytes of one file
MAX_REMEMBERED = 64_000_000  # bytes in all

_texts: dict[str, bytes] = {}
_lock = threading.Lock()


class Version:
    """One version of a file, parsed and compiled under the name that its live code carries."""

    def __init__(self, data: bytes, filename: str) -> None:
        """Raises SyntaxError or ValueError when it is not Python."""
        self.data = data
        self.tree: ast.Module = ast.parse(data, filename)
        self.code: CodeType = compile(data, filename, "exec", dont_inherit=True)
        self.flags = 0
        for statement in self.tree.body:
            if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
                for alias in statement.names:
                    feature = getattr(__import__("__future__"), alias.name, None)
                    self.flags |= getattr(feature, "compiler_flag", 0)


def is_below(path: str, root: str) -> bool:
    """Whether a real path lies below a real folder."""
    return path.startswith(root.rstrip(os.sep) + os.sep)


def read_source(path: str) -> bytes:
    """Reads a source file, or raises OSError or ValueError."""
    with open(path, "rb") as file:
        data = file.read(MAX_SOURCE + 1)
    if len(data) > MAX_SOURCE:
        raise ValueError(f"larger than {MAX_SOURCE} bytes")
    return data


def remember_sources(root: str) -> int:
    """Keeps the present text of all loaded modules below a folder, unless it is already kept.

    Call it while the files are still as the program loaded them: at the start, and when a crash is reported.

    Args:
        root: The project's root.

    Returns:
        How many files were added.
    """
    real_root = os.path.realpath(root)
    added = 0
    for module in list(sys.modules.values()):
        file = getattr(module, "__dict__", {}).get("__file__")
        if type(file) is not str or not file.endswith(".py"):
            continue
        path = os.path.realpath(file)
        if not is_below(path, real_root):
            continue
        with _lock:
            if path in _texts or sum(map(len, _texts.values())) > MAX_REMEMBERED:
                continue
            try:
                _texts[path] = read_source(path)
                added += 1
            except (OSError, ValueError):
                continue
    return added


def replace_remembered(texts: Mapping[str, bytes]) -> None:
    """Notes what the program runs from now on."""
    with _lock:
        _texts.update(texts)


def earlier_version(live: LiveFile, now: bytes, before: Mapping[str, str]) -> Optional[Version]:
    """Returns the version of a file that is alive, or None when no known text is that one."""
    for data in _candidates(live, now, before):
        try:
            version = Version(data, live.filename)
        except (SyntaxError, ValueError, RecursionError):
            continue
        codes = [code for _, code in walk_codes(version.code)]
        keys = {(code.co_firstlineno, code_key(code)) for code in codes}
        names = {code.co_name for code in codes}
        # A function that an earlier swap removed may live on a while in a call that is not over.
        mine = [one.__code__ for one in live.functions if one.__code__.co_name in names]
        if all((code.co_firstlineno, code_key(code)) in keys for code in mine):
            return version
    return None


def _candidates(live: LiveFile, now: bytes, before: Mapping[str, str]) -> Iterator[bytes]:
    with _lock:
        kept = _texts.get(live.path)
    if kept is not None:
        yield kept
    for path, text in before.items():
        if os.path.realpath(path) == live.path:
            yield text.encode("utf-8")
    # Without a function to check it against, only a text that was surely alive is believed.
    if live.functions:
        entry = linecache.cache.get(live.filename)
        if entry is not None and len(entry) == 4:
            yield "".join(entry[2]).encode("utf-8")
        yield now


def drop_contradicting_bytecode(path: str, version: Version) -> None:
    """Removes a cached .pyc that Python would take for this text although it holds other code.

    Bytecode is recognised by the source's time in whole seconds and its size: two writes within one second of
    the same size leave a .pyc that wins over the newer text in every process started later.
    """
    cached = importlib.util.cache_from_source(path)
    try:
        status = os.stat(path)
        with open(cached, "rb") as file:
            header = file.read(16)
            rest = file.read(4 * MAX_SOURCE)
    except OSError:
        return
    stamp = (int(status.st_mtime) & 0xFFFFFFFF).to_bytes(4, "little")
    size = (status.st_size & 0xFFFFFFFF).to_bytes(4, "little")
    if header[:4] != importlib.util.MAGIC_NUMBER or header[4:] != b"\0\0\0\0" + stamp + size:
        return
    try:
        code = marshal.loads(rest)  # noqa: S302 - compared only; Python itself would run it
        same = isinstance(code, CodeType) and code_key(code) == code_key(version.code)
    except (ValueError, EOFError, TypeError):
        same = False
    if not same:
        try:
            os.unlink(cached)
        except OSError:
            return
