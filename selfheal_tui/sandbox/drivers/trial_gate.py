"""Stops a program right before it first calls a function of the files in question, and lets it go on with other code.

Everything up to that call is the same for all variants of those functions, so that one start serves them all: the
process waits at the gate and forks for each variant. Used by `trials.py`; standard library only.

Every function of the files that is no closure gets an innermost decorator, which keeps the function object and gives
it a code object that leads here. Whoever holds the function, under whatever decorator, comes by.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import inspect
import pickle
import types
from typing import Any, Callable

GATE, ENTER = "__selfheal_gate__", "__selfheal_enter__"
MOST_INPUTS = 40
LARGEST_INPUT = 100_000
_OPTIMIZED = 1  # CO_OPTIMIZED: code of a function, not of a class body or module
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Misfit(Exception):  # noqa: N818 - a verdict, not an error
    """A variant's function cannot take the place of the one that is there."""


def _numbered(names: dict[str, int], name: str) -> str:
    names[name] = names.get(name, 0) + 1
    return name + "#" + str(names[name])


def gated(text: str, file: str, wanted: set[tuple[str, str]]) -> types.CodeType:
    """Compiles a file with a gate before each of its functions, or only before those that are wanted."""
    tree = ast.parse(text, file)
    names: dict[str, int] = {}

    def mark(body: list[Any], prefix: str) -> None:
        for node in body:
            if isinstance(node, _FUNCTIONS):
                key = ast.Constant(file + ":" + _numbered(names, prefix + node.name))
                if wanted and (file, prefix + node.name) not in wanted:
                    continue
                call = ast.Call(ast.Name(GATE, ast.Load()), [key], [])
                for part in ast.walk(call):
                    part.lineno = part.end_lineno = node.lineno  # type: ignore[attr-defined]
                    part.col_offset = part.end_col_offset = node.col_offset  # type: ignore[attr-defined]
                node.decorator_list.append(call)
            elif isinstance(node, ast.ClassDef):
                mark(node.body, prefix + node.name + ".")
            else:
                for field in ("body", "orelse", "finalbody", "handlers"):
                    inner = getattr(node, field, None)
                    if isinstance(inner, list):
                        for item in inner:
                            mark(item.body if isinstance(item, ast.ExceptHandler) else [item], prefix)

    mark(tree.body, "")
    return compile(tree, file, "exec", dont_inherit=True)


def codes_of(text: str, file: str) -> dict[str, types.CodeType]:
    """Compiles a file as it is, and finds the code of each function that has a gate."""
    found: dict[str, types.CodeType] = {}
    names: dict[str, int] = {}

    def look(code: types.CodeType, prefix: str) -> None:
        for item in code.co_consts:
            if not isinstance(item, types.CodeType) or item.co_name.startswith("<"):
                continue
            if item.co_flags & _OPTIMIZED:
                found[file + ":" + _numbered(names, prefix + item.co_name)] = item
            else:
                look(item, prefix + item.co_name + ".")

    look(compile(text, file, "exec", dont_inherit=True), "")
    return found


def _leading(code: types.CodeType, number: int) -> str:
    """Source of a function of the same signature and kind, since frameworks look at both, that leads to the gate."""
    names = list(code.co_varnames)
    plain, named = code.co_argcount, code.co_kwonlyargcount
    given, keywords = names[:plain], names[plain : plain + named]
    left = names[plain + named :]
    several = left.pop(0) if code.co_flags & inspect.CO_VARARGS else ""
    rest = left.pop(0) if code.co_flags & inspect.CO_VARKEYWORDS else ""
    if any(not name.isidentifier() for name in (*given, *keywords)):
        return "def gate(*args, **kwargs): return " + ENTER + "(" + str(number) + ", args, kwargs)"
    header = list(given)
    if code.co_posonlyargcount:
        header.insert(code.co_posonlyargcount, "/")
    if several or keywords:
        header.append("*" + several)
    header += keywords + (["**" + rest] if rest else [])
    args = "(" + "".join(name + ", " for name in given) + ("*" + several + "," if several else "") + ")"
    kwargs = (
        "{"
        + "".join(repr(name) + ": " + name + ", " for name in keywords)
        + ("**" + rest if rest else "")
        + "}"
    )
    call = ENTER + "(" + str(number) + ", " + args + ", " + kwargs + ")"
    head = "def gate(" + ", ".join(header) + "): "
    if code.co_flags & inspect.CO_COROUTINE:
        return "async " + head + "return await " + call
    if code.co_flags & inspect.CO_ASYNC_GENERATOR:
        return "async " + head + "\n async for item in " + call + ": yield item"
    if code.co_flags & inspect.CO_GENERATOR:
        return head + "return (yield from " + call + ")"
    return head + "return " + call


class Gate:
    """The gate of one process, and what is done there.

    Attributes:
        opened: What to do at the first call; does not return in the process that waits there.
        waiting: Whether no function was called yet.
        codes: Code of the functions once the gate is open, by key; those that are not in it keep their own.
        recorder: Collects arguments of calls from outside, or None.
    """

    def __init__(self, opened: Callable[[], None]) -> None:
        self.opened = opened
        self.waiting = True
        self.functions: list[tuple[str, types.FunctionType, types.CodeType]] = []
        self.codes: dict[str, types.CodeType] = {}
        self.recorder: Recorder | None = None
        setattr(builtins, GATE, self.decorator)
        setattr(builtins, ENTER, self.enter)

    def decorator(self, key: str) -> Callable[[Any], Any]:
        """Makes the decorator of one function."""

        def install(function: Any) -> Any:
            if isinstance(function, types.FunctionType):
                number = len(self.functions)
                self.functions.append((key, function, function.__code__))
                if self.waiting or self.recorder is not None:
                    self.lead(number)
                else:
                    self.exchange(number)
            return function

        return install

    def lead(self, number: int) -> None:
        """Makes a function lead to the gate."""
        _, function, code = self.functions[number]
        made: dict[str, Any] = {}
        exec(_leading(code, number), made)
        trampoline = made["gate"].__code__
        function.__code__ = trampoline.replace(co_freevars=code.co_freevars, co_name=code.co_name)

    def exchange(self, number: int) -> None:
        """Gives a function the code it has in the variant."""
        _, function, _ = self.functions[number]
        try:
            function.__code__ = self.code(number)
        except ValueError as error:
            raise Misfit(str(error)) from None

    def code(self, number: int) -> types.CodeType:
        """The code of a function in the variant."""
        key, _, own = self.functions[number]
        return self.codes.get(key, own)

    def go_on(self, codes: dict[str, types.CodeType]) -> None:
        """Opens the gate for a variant; with a recorder, calls still come by."""
        self.waiting = False
        self.codes = codes
        for number in range(len(self.functions)):
            if self.recorder is None:
                self.exchange(number)
            else:
                self.lead(number)

    def enter(self, number: int, args: Any, kwargs: Any) -> Any:
        """A function was called."""
        if self.waiting:
            self.opened()
        function = self.callable(number)
        if self.recorder is None:
            return function(*args, **kwargs)
        return self.recorder.call(self.functions[number][0], function, args, kwargs)

    def callable(self, number: int) -> Callable[..., Any]:
        """The function with its code in the variant, whatever code it has itself."""
        _, function, _ = self.functions[number]
        if self.recorder is None:
            return function
        made = types.FunctionType(
            self.code(number),
            function.__globals__,
            function.__name__,
            function.__defaults__,
            function.__closure__,
        )
        made.__kwdefaults__ = function.__kwdefaults__
        return made

    def named(self, key: str) -> Callable[..., Any] | None:
        """Finds a function by its key."""
        return next((function for name, function, _ in self.functions if name == key), None)


class Recorder:
    """Keeps the arguments of calls that come from outside of the files in question, or from what noticed the fault."""

    def __init__(self, noticing: list[list[str]]) -> None:
        self.noticing = {(file, name) for file, name in noticing}
        self.depth = 0
        self.inputs: dict[tuple[str, bytes], None] = {}
        self.unreadable = 0

    def call(self, key: str, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Calls, and keeps the arguments as they were before."""
        file, _, name = key.rpartition("#")[0].rpartition(":")
        if (file, name.rpartition(".")[2]) in self.noticing:
            return function(*args, **kwargs)
        if self.depth == 0 and len(self.inputs) < MOST_INPUTS:
            try:
                blob = pickle.dumps((args, kwargs))
                if len(blob) > LARGEST_INPUT:
                    raise ValueError("too large")
                self.inputs[key, blob] = None
            except Exception:
                self.unreadable += 1
        self.depth += 1
        try:
            return function(*args, **kwargs)
        finally:
            self.depth -= 1


def version(texts: dict[str, str]) -> dict[str, types.CodeType]:
    """Compiles the functions of a variant's files."""
    codes: dict[str, types.CodeType] = {}
    for file, text in texts.items():
        codes.update(codes_of(text, file))
    return codes


def put_gates(texts: dict[str, str], wanted: set[tuple[str, str]]) -> None:
    """Puts gates into files that are yet to be imported, before all functions or those that are wanted."""
    program: Any = importlib.import_module("trial_program")
    for file, text in texts.items():
        program.CODES[file] = gated(text, file, wanted)
