# ruff: noqa: PT018 - a script, not a test
"""Copies real modules of the standard library, swaps functions of them for marked versions, and swaps back.

    python swap_real_code.py PROBE_FOLDER

The copies are code that the swapper was not written against; each version of Python has other functions swapped. References to all functions are taken before: each of
them must run marked code after the swap and exactly the old code after swapping back. CPython 3.9+.
"""

from __future__ import annotations

import ast
import asyncio
import gc
import importlib
import json
import os
import random
import shutil
import sys
import tempfile
from pathlib import Path
from types import FunctionType

from swap_driver import load_swap

MODULES = (
    "json.decoder", "json.encoder", "argparse", "textwrap", "configparser", "dataclasses", "asyncio.queues",
    "asyncio.locks", "asyncio.tasks", "string", "csv", "shlex", "difflib", "statistics", "fractions", "tokenize",
    "enum", "collections", "contextlib", "zipfile", "functools", "typing",
)  # fmt: skip
PER_MODULE = 1


def copy_module(name, folder):
    """Copies a module, or its whole package, under a name of its own; returns that name."""
    top = name.split(".")[0]
    source = importlib.import_module(top)
    if hasattr(source, "__path__"):
        target = Path(folder, "own_" + top)
        if not target.exists():
            shutil.copytree(source.__path__[0], target, ignore=shutil.ignore_patterns("__pycache__", "test*"))
        return name.replace(top, "own_" + top, 1)
    shutil.copy(source.__file__, Path(folder, f"own_{name}.py"))
    return "own_" + name


def marked(text, node, mark):
    """The text with a first statement in one function that notes that it was reached, or None."""
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and len(node.body) > 1:
        first = node.body[1]
    lines = text.splitlines(keepends=True)
    line = lines[first.lineno - 1]
    if line[: first.col_offset].strip() or getattr(first, "decorator_list", None):
        return None
    note = f"__import__('sys').marks.append({mark!r})\n"
    return "".join([*lines[: first.lineno - 1], line[: first.col_offset] + note, *lines[first.lineno - 1 :]])


def nodes(tree):
    found = []

    def visit(node, prefix):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                found.append((prefix + child.name, child))
                visit(child, f"{prefix}{child.name}.<locals>.")
            elif isinstance(child, ast.ClassDef):
                visit(child, f"{prefix}{child.name}.")
            else:
                visit(child, prefix)

    visit(tree, "")
    return found


def alive(file):
    return [one for one in gc.get_objects() if type(one) is FunctionType and one.__code__.co_filename == file]


def mentions(code, mark):
    return mark in code.co_consts


def one_module(name, swapper, folder, chance):
    own = copy_module(name, folder)
    module = importlib.import_module(own)
    file, text = module.__file__, Path(module.__file__).read_text(encoding="utf-8")
    swapper.remember_sources(folder)
    held = alive(file)
    before = {id(one): (one.__code__.co_code, one.__code__.co_firstlineno, one.__defaults__) for one in held}
    state = {key: id(value) for key, value in vars(module).items()}
    swaps = reached = 0
    choices = nodes(ast.parse(text))
    chance.shuffle(choices)
    for qualname, node in choices:
        if swaps >= PER_MODULE:
            break
        line = min([node.lineno, *(one.lineno for one in node.decorator_list)])
        mine = [
            one for one in held if one.__code__.co_firstlineno == line and one.__code__.co_name == node.name
        ]
        new = marked(text, node, f"{own}:{qualname}")
        if not mine or new is None:
            continue
        others = [one for one in held if all(one is not other for other in mine)]
        Path(file).write_text(new, encoding="utf-8")
        outcome = swapper.swap_files([file], root=folder)
        assert outcome.ok, (qualname, outcome)
        for one in mine:
            assert mentions(one.__code__, f"{own}:{qualname}"), (qualname, one)
        assert not any(mentions(one.__code__, f"{own}:{qualname}") for one in others), qualname
        sys.marks.clear()
        exercise(name, module)
        reached += f"{own}:{qualname}" in sys.marks
        Path(file).write_text(text, encoding="utf-8")
        outcome = swapper.swap_files([file], root=folder)
        assert outcome.ok, (qualname, outcome)
        after = {
            id(one): (one.__code__.co_code, one.__code__.co_firstlineno, one.__defaults__) for one in held
        }
        changed = [one for one in held if after[id(one)] != before[id(one)]]
        assert not changed, (qualname, changed)
        swaps += 1
    now = {key: id(value) for key, value in vars(module).items()}
    assert now == state, {key for key in now if now[key] != state.get(key)}
    exercise(name, module)
    return swaps, reached


def exercise(name, module):  # noqa: C901 - one line for each module
    """Uses the copy, so that swapped code really runs."""
    if name == "json.decoder":
        assert module.JSONDecoder().decode('{"a": [1, 2.5, "x\\u0041"]}') == {"a": [1, 2.5, "xA"]}
    elif name == "json.encoder":
        assert module.JSONEncoder(indent=1, sort_keys=True).encode({"b": [1], "a": None})
    elif name == "argparse":
        parser = module.ArgumentParser(prog="p")
        parser.add_argument("--n", type=int, default=1, help="number")
        parser.add_argument("rest", nargs="*")
        assert parser.parse_args(["--n", "3", "a"]).n == 3 and parser.format_help()
    elif name == "textwrap":
        assert (
            module.fill("a b c " * 30, 20)
            and module.dedent("  a\n  b\n") == "a\nb\n"
            and module.indent("a", " ")
        )
    elif name == "configparser":
        parser = module.ConfigParser()
        parser.read_string("[a]\nx = 1\ny = %(x)s2\n")
        assert parser.getint("a", "y") == 12
    elif name == "dataclasses":
        kind = module.make_dataclass("P", [("x", int), ("y", int, module.field(default=2))], order=True)
        assert (
            module.asdict(kind(1)) == {"x": 1, "y": 2} and kind(1) < kind(2) and module.replace(kind(1), y=3)
        )
    elif name in ("asyncio.queues", "asyncio.locks"):
        asyncio.run(use_asyncio(name, module))
    elif name == "difflib":
        assert list(module.unified_diff(["a"], ["b"])) and module.get_close_matches("ab", ["abc", "x"])
    elif name == "statistics":
        assert module.mean([1, 2, 3]) == 2 and module.stdev([1, 2, 3]) == 1
    elif name == "fractions":
        assert module.Fraction(1, 3) + module.Fraction("1/6") == module.Fraction(1, 2)
    elif name == "shlex":
        assert module.split("a 'b c'") == ["a", "b c"] and module.quote("a b")
    elif name == "enum":
        color = module.Enum("Color", "RED BLUE")
        assert color.RED.value == 1 and color["BLUE"] is color(2) and repr(color.RED)


async def use_asyncio(name, module):
    if name == "asyncio.queues":
        queue = module.Queue(maxsize=1)
        await queue.put(1)
        assert await queue.get() == 1 and queue.empty()
        queue.task_done()
        await queue.join()
    else:
        lock = module.Lock()
        async with lock:
            assert lock.locked()
        event = module.Event()
        event.set()
        assert await event.wait()


def main(probe):
    seed = "{}.{}".format(*sys.version_info[:2])
    swapper = load_swap(probe)
    folder = os.path.realpath(tempfile.mkdtemp(prefix="swap-"))
    sys.path.insert(0, folder)
    sys.marks = []
    try:
        for name in MODULES:
            problem, swaps, reached = "", 0, 0
            try:
                swaps, reached = one_module(name, swapper, folder, random.Random(f"{seed} {name}"))
            except ImportError as error:
                print(f"{name} cannot be copied on this version: {error}", file=sys.stderr)
            except Exception as error:
                problem = f"{type(error).__name__}: {error}"[:2000]
            print(json.dumps({"name": name, "problem": problem, "swaps": swaps, "reached": reached}))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main(sys.argv[1])
