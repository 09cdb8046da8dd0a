"""Finds what of a file is alive in this process: its modules, functions, caches, running frames, instances.

One pass of the garbage collector over its objects finds them wherever they are referred to from. Changes nothing but
objects that `gc.freeze` has hidden, which become visible (and are hidden again when they were most of them).
Standard library only, CPython 3.9+.
"""

from __future__ import annotations

import builtins
import functools
import gc
import inspect
import os
import sys
import threading
from contextlib import contextmanager
from itertools import compress
from types import AsyncGeneratorType, CodeType, CoroutineType, FunctionType, GeneratorType
from typing import Any, Iterator, Sequence

_CACHE_TYPE: type = type(functools.lru_cache(maxsize=1)(lambda: None))
_MAX_LAYERS = 50  # of decorators around one function
_SUFFIXES_OF_C = (".so", ".pyd")


class Space:
    """One module's namespace: a file may be loaded as several, for example as `__main__` and by its name."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names
        self.name = str(names.get("__name__", "?"))


class LiveFile:
    """What is alive of one source file.

    Attributes:
        path: The file's real path.
        filename: The name its code carries.
        spaces: The namespaces that were made from it.
        functions: Every live function of it, whoever holds it.
        caches: Every live `lru_cache` around one of them.
        wrappers: Functions and caches of any file that wrap another one.
        compiled: Names of modules which were built from it by a C compiler.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.filename = path
        self.spaces: list[Space] = []
        self.functions: list[FunctionType] = []
        self.caches: list[Any] = []
        self.wrappers: list[Any] = []
        self.compiled: list[str] = []

    @property
    def loaded(self) -> bool:
        """Whether the program has anything of this file."""
        return bool(self.spaces or self.functions or self.compiled)


class _Paths:
    """Maps the file names that code and modules carry to the files in question, each resolved once."""

    def __init__(self, files: dict[str, LiveFile]) -> None:
        self._files = files
        self._bases = {os.path.basename(path) for path in files}
        self._known: dict[str, Any] = {}

    def get(self, filename: str) -> Any:
        try:
            return self._known[filename]
        except KeyError:
            found = None
            if os.path.basename(filename) in self._bases:
                found = self._files.get(os.path.realpath(filename))
            self._known[filename] = found
            return found


@contextmanager
def all_objects_visible() -> Iterator[None]:
    """Lifts `gc.freeze`, which hides objects from every search, for the time of a search."""
    frozen = gc.get_freeze_count()
    if not frozen:
        yield
        return
    # Refreezing takes in all that was born since and would never be collected then: done only where the
    # program evidently froze its bulk on purpose. (3.12 freezes a few hundred objects of its own.)
    visible = len(gc.get_objects())
    gc.unfreeze()
    try:
        yield
    finally:
        if frozen > visible:
            gc.freeze()


def find_live(paths: Sequence[str]) -> dict[str, LiveFile]:
    """Returns what is alive of each file, by real path."""
    files = {path: LiveFile(path) for path in paths}
    known = _Paths(files)
    stems = {os.path.splitext(path)[0]: live for path, live in files.items()}
    for module in list(sys.modules.values()):
        names = getattr(module, "__dict__", None)
        file = names.get("__file__") if type(names) is dict else None
        if type(file) is not str or type(names) is not dict:
            continue
        live = known.get(file)
        if live is not None:
            _add_space(live, names)
        elif file.endswith(_SUFFIXES_OF_C):
            built = stems.get(os.path.join(os.path.dirname(file), os.path.basename(file).split(".")[0]))
            if built is not None:
                built.compiled.append(str(names.get("__name__")))
    caches = []
    wrappers = []
    for thing in _functions_and_caches():
        kind = type(thing)
        if getattr(thing, "__wrapped__", None) is not None:
            wrappers.append(thing)
        if kind is FunctionType:
            live = known.get(thing.__code__.co_filename)
            if live is not None:
                live.functions.append(thing)
                live.filename = thing.__code__.co_filename
                names = thing.__globals__
                file = names.get("__file__")
                if type(file) is str and known.get(file) is live:
                    _add_space(live, names)
        elif kind is _CACHE_TYPE:
            caches.append(thing)
    for cache in caches:
        for inner in unwrapped(cache):
            live = known.get(inner.__code__.co_filename) if type(inner) is FunctionType else None
            if live is not None and cache not in live.caches:
                live.caches.append(cache)
    for live in files.values():
        live.wrappers = wrappers
    return files


def unwrapped(wrapper: Any) -> Iterator[Any]:
    """Yields what a wrapper wraps, layer by layer, without asking objects of the program anything."""
    for _ in range(_MAX_LAYERS):
        if type(wrapper) is not FunctionType and type(wrapper) is not _CACHE_TYPE:
            return
        wrapper = getattr(wrapper, "__wrapped__", None)
        yield wrapper


def _add_space(live: LiveFile, names: dict[str, Any]) -> None:
    if all(space.names is not names for space in live.spaces):
        live.spaces.append(Space(names))


def _functions_and_caches() -> list[Any]:
    if sys.version_info >= (3, 10):
        # Since 3.10 every function refers to its builtins, and a cache to its type: the collector then searches
        # in C, several times faster than looking at each object here.
        found = gc.get_referrers(builtins.__dict__, _CACHE_TYPE)
        functions = [thing for thing in found if type(thing) is FunctionType or type(thing) is _CACHE_TYPE]
        if functions:
            return functions
    wanted = frozenset((FunctionType, _CACHE_TYPE))
    everything = gc.get_objects()
    return list(compress(everything, map(wanted.__contains__, map(type, everything))))


def instances_of(owner: type) -> list[Any]:
    """Returns the live instances of a class and its subclasses, as far as the collector tracks them."""
    kinds = {owner}
    todo = [owner]
    while todo:
        below: type
        for below in type.__subclasses__(todo.pop()):
            if below not in kinds:
                kinds.add(below)
                todo.append(below)
    everything = gc.get_objects()
    return list(compress(everything, map(kinds.__contains__, map(type, everything))))


def frames_of(filename: str) -> Iterator[CodeType]:
    """Yields the code of all functions of a file which are on some thread's stack or suspended."""
    for top in list(sys._current_frames().values()):
        frame: Any = top
        while frame is not None:
            code = frame.f_code
            if code.co_filename == filename and code.co_flags & inspect.CO_OPTIMIZED:
                yield code
            frame = frame.f_back
    for code, _ in _suspended():
        if code.co_filename == filename:
            yield code


def _suspended() -> Iterator[tuple[CodeType, str]]:
    kinds = frozenset((GeneratorType, CoroutineType, AsyncGeneratorType))
    everything = gc.get_objects()
    for thing in compress(everything, map(kinds.__contains__, map(type, everything))):
        kind = type(thing)
        prefix = {GeneratorType: "gi_", CoroutineType: "cr_"}.get(kind, "ag_")
        if getattr(thing, prefix + "frame") is not None:
            yield getattr(thing, prefix + "code"), kind.__name__.replace("_", " ")


def running_code(codes: set[CodeType]) -> dict[CodeType, str]:
    """Returns which of the codes are on some thread's stack or held by something suspended, and where."""
    by_id = {id(code): code for code in codes}
    found: dict[CodeType, str] = {}
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    for ident, top in sys._current_frames().items():
        frame: Any = top
        while frame is not None:
            code = by_id.get(id(frame.f_code))
            if code is not None:
                found.setdefault(code, f"on the stack of thread {names.get(ident, ident)}")
            frame = frame.f_back
    lazy = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
    if any(code.co_flags & lazy for code in codes):
        for code, kind in _suspended():
            if id(code) in by_id:
                found.setdefault(by_id[id(code)], f"suspended in a {kind}")
    return found
