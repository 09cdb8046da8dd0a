"""Calls one function again with the arguments that were captured when it crashed.

Usage: `call.py FD`; on stdin a line with a token, then a JSON object: `module`, `file`, `qualname`, `payload`, `is_async`, `sys_path`, `root`, `probe`
(directory of the probe), `inbox`. To the descriptor the token and one JSON object, `kind` being `returned` (`repr`), `raised` (`report`), or `impossible` (`reason`).
The payload is a pickle that the crashed program wrote: it is opened here, inside the walls, and nowhere else.
"""

from __future__ import annotations

import ast
import asyncio
import functools
import importlib
import importlib.util
import inspect
import json
import os
import pickle
import reprlib
import sys
import types
from typing import Any, Iterator

MOST_ITEMS = 10_000  # a generator crashes only while it is consumed; an endless one must end


class Impossible(Exception):  # noqa: N818 - a verdict, not an error
    """The call cannot be made; the message says why."""


class _NotMain(ast.NodeTransformer):
    """Makes `__name__ == "__main__"` false without changing `__name__`, so that pickles and tracebacks fit."""

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        sides = [node.left, *node.comparators]
        named = any(isinstance(side, ast.Name) and side.id == "__name__" for side in sides)
        main = any(isinstance(side, ast.Constant) and side.value == "__main__" for side in sides)
        if len(sides) == 2 and named and main and isinstance(node.ops[0], (ast.Eq, ast.NotEq)):
            return ast.copy_location(ast.Constant(isinstance(node.ops[0], ast.NotEq)), node)
        return node


def load_probe(directory: str) -> Any:
    """Loads the probe's capture from its path, under the private name that the probe itself uses."""
    package = types.ModuleType("_selfheal_probe")
    package.__path__ = [directory]
    sys.modules["_selfheal_probe"] = package
    return importlib.import_module("_selfheal_probe.capture")


def load_module(name: str, file: str) -> types.ModuleType:
    """Imports the module by name, or runs its file when it was the main program or has no importable name."""
    if name and name != "__main__":
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not (name + ".").startswith(error.name + "."):
                raise
        else:
            if not file or same_file(getattr(module, "__file__", None) or "", file):
                return module
    if not file or not os.path.isfile(file):
        raise Impossible("the module " + name + " cannot be found in the copy")
    with open(file, "rb") as source:
        tree = _NotMain().visit(ast.parse(source.read(), file))
    module = types.ModuleType(name or "__main__")
    module.__file__ = file
    sys.modules[module.__name__] = module
    exec(compile(ast.fix_missing_locations(tree), file, "exec", dont_inherit=True), module.__dict__)
    return module


def same_file(one: str, other: str) -> bool:
    """Tells whether two paths are one file."""
    return os.path.realpath(one) == os.path.realpath(other)


def resolve(module: types.ModuleType, qualname: str) -> Any:
    """Follows a qualified name to the function, under class and static methods and properties."""
    found: Any = module
    for name in qualname.split("."):
        if name == "<locals>":
            raise Impossible(qualname + " is defined inside a function and cannot be reached from outside")
        try:
            found = inspect.getattr_static(found, name)
        except AttributeError:
            raise Impossible(qualname + " is not in the module " + module.__name__) from None
        if isinstance(found, (classmethod, staticmethod)):
            found = found.__func__
        elif isinstance(found, functools.cached_property):
            found = found.func
    return found


def layers(found: Any, depth: int = 6) -> Iterator[types.FunctionType]:
    """Yields functions under decorators: wrapped, in closures, in partials and properties."""
    if isinstance(found, types.FunctionType):
        yield found
    if depth == 0:
        return
    below = [
        getattr(found, name, None) for name in ("__wrapped__", "__func__", "func", "fget", "fset", "callback")
    ]
    if isinstance(found, types.FunctionType):
        for cell in found.__closure__ or ():
            try:
                below.append(cell.cell_contents)
            except ValueError:
                continue  # an empty cell
    for item in below:
        if item is not None and callable(item) and item is not found:
            yield from layers(item, depth - 1)


def undecorated(found: Any, qualname: str, file: str, args: Any, kwargs: Any) -> Any:
    """Finds the function whose frame was captured: arguments belong to it, not to its decorators."""
    name = qualname.rpartition(".")[2]
    fitting = [
        f
        for f in layers(found)
        if f.__code__.co_name == name and (not file or same_file(f.__code__.co_filename, file))
    ]
    for function in fitting:
        try:
            inspect.signature(function, follow_wrapped=False).bind(*args, **kwargs)
        except TypeError:
            continue
        return function
    if fitting:
        return fitting[0]
    if callable(found):
        return found
    raise Impossible(qualname + " is not callable")


def arguments(payload: str) -> tuple[Any, Any]:
    """Unpickles the captured arguments."""
    try:
        with open(payload, "rb") as file:
            data = pickle.load(file)
        return tuple(data["args"]), dict(data["kwargs"])
    except BaseException as error:
        raise Impossible(
            "the captured arguments cannot be read: " + type(error).__name__ + ": " + str(error)[:300]
        ) from None


def call(function: Any, args: Any, kwargs: Any) -> Any:
    """Calls; awaits what must be awaited and consumes what is lazy, because only then it crashes."""
    result = function(*args, **kwargs)
    if inspect.isawaitable(result):

        async def wait() -> Any:
            return await result

        return asyncio.run(wait())
    if inspect.isasyncgen(result):

        async def drain() -> list[Any]:
            items: list[Any] = []
            async for item in result:
                items.append(item)
                if len(items) >= MOST_ITEMS:
                    break
            return items

        return asyncio.run(drain())
    if inspect.isgenerator(result):
        items = []
        for item in result:
            items.append(item)
            if len(items) >= MOST_ITEMS:
                break
        return items
    return result


def shown(value: Any) -> str:
    """Bounded `repr` that survives a broken one."""
    brief = reprlib.Repr()
    brief.maxstring = brief.maxother = 500
    brief.maxlist = brief.maxdict = brief.maxtuple = brief.maxset = 20
    try:
        return brief.repr(value)[:2000]
    except BaseException as error:
        return "<repr failed: " + type(error).__name__ + ">"


def without_us(error: BaseException) -> BaseException:
    """Cuts this script's own frames off the front of the traceback."""
    trace = error.__traceback__
    ours = (
        os.path.dirname(os.path.abspath(__file__)),
        os.path.dirname(asyncio.__file__),
        "<frozen importlib",
    )
    while (
        trace is not None and trace.tb_next is not None and trace.tb_frame.f_code.co_filename.startswith(ours)
    ):
        trace = trace.tb_next
    importing = trace
    while importing is not None and importing.tb_frame.f_code.co_filename == importlib.__file__:
        importing = importing.tb_next
    return error.with_traceback(importing or trace)


def answer_for(spec: Any) -> dict[str, Any]:
    """Makes the call and says how it ended."""
    capture = load_probe(spec["probe"])
    stage = "loading the module"
    try:
        module = load_module(spec["module"], spec["file"])
        stage = "finding the function"
        found = resolve(module, spec["qualname"])
        args, kwargs = arguments(spec["payload"])
        function = undecorated(found, spec["qualname"], spec["file"], args, kwargs)
        stage = "the call"
        return {"kind": "returned", "repr": shown(call(function, args, kwargs))}
    except Impossible as reason:
        return {"kind": "impossible", "reason": str(reason)}
    except SystemExit as error:
        return {
            "kind": "impossible",
            "reason": stage + " ended the program (SystemExit: " + str(error.code)[:200] + ")",
        }
    except BaseException as error:
        report = capture.capture_exception(without_us(error), root=spec["root"])
        return {"kind": "raised", "stage": stage, "report": report}


def main(argv: list[str]) -> None:
    """Reads the specification, answers, and leaves at once: the call may have started threads."""
    number = int(argv[1])
    os.set_inheritable(number, False)
    token = sys.stdin.readline().strip()
    spec = json.load(sys.stdin)
    sys.path[0:1] = spec["sys_path"]
    sys.argv = [spec["file"]]
    answer = (token + json.dumps(answer_for(spec)) + "\n").encode("utf-8")
    sys.stdout.flush()
    sys.stderr.flush()
    while answer:
        answer = answer[os.write(number, answer) :]
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv)
