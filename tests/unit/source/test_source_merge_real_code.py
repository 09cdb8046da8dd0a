"""Real packages as witnesses: a function merged over itself changes no byte, and an addition is only that."""

from __future__ import annotations

import ast
import copy
import importlib.util
import inspect
import random
import warnings
from pathlib import Path

import pytest

from selfheal_tui.source.merge import merge_snippet
from selfheal_tui.source.position import definitions, first_line
from selfheal_tui.source.text import read_source, split_lines

PACKAGES = (
    "json",
    "argparse",
    "dataclasses",
    "tinydb",
    "click",
    "rich",
    "textual",
    "email",
    "asyncio",
    "shutil",
)
ADDED = "selfheal_probe = 1"
MOST_CHARACTERS, MOST_FUNCTIONS = 100_000, 8


def sources(package: str) -> list[Path]:
    origin = Path(importlib.util.find_spec(package).origin)
    files = sorted(origin.parent.rglob("*.py")) if origin.name == "__init__.py" else [origin]
    return [file for file in files if "test" not in file.parts]


def functions(file: Path) -> list[tuple[str, str, ast.AST]]:
    text = read_source(file).text
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(text)
    return [(text, name, node) for name, node in definitions(tree) if not isinstance(node, ast.ClassDef)]


def some(cases: list[tuple[str, str, ast.AST]], rng: random.Random) -> list[tuple[str, str, ast.AST]]:
    """Draws functions, fewer of them from large files, since the time of a merge goes with the file's size."""
    drawn, size = [], 0
    for case in rng.sample(cases, len(cases)):
        drawn.append(case)
        size += len(case[0])
        if size > MOST_CHARACTERS or len(drawn) == MOST_FUNCTIONS:
            break
    return drawn


def check(text: str, name: str, node: ast.AST) -> None:
    own = "".join(split_lines(text)[first_line(node) - 1 : node.end_lineno])
    same = merge_snippet(text, own, qualname=name, line=node.lineno)
    assert (same.text, same.changed, same.added_imports) == (text, (), ())
    reformatted = merge_snippet(text, ast.unparse(node), qualname=name, line=node.lineno)
    assert reformatted.text == text
    if node.body[0].lineno == node.lineno or isinstance(node.body[-1].__dict__.get("value"), ast.Constant):
        return  # a body on the line of its `def` has to be rewritten to hold two statements
    node = copy.deepcopy(node)
    node.body.append(ast.parse(ADDED).body[0])
    longer = merge_snippet(text, ast.unparse(node), qualname=name, line=node.lineno)
    lines = split_lines(longer.text)
    assert [line for line in lines if ADDED not in line] == split_lines(text)
    assert sum(ADDED in line for line in lines) == 1


@pytest.mark.parametrize("package", PACKAGES)
def test_a_function_merged_over_itself_leaves_every_byte_and_an_added_line_is_all_that_changes(package):
    rng = random.Random(package)
    small = [file for file in sources(package) if file.stat().st_size < 60_000] or sources(package)
    files = rng.sample(small, min(4, len(small)))
    cases = [case for file in files for case in functions(file)]
    for case in some(cases, rng):
        check(*case)


def mutate(node: ast.AST, rng: random.Random) -> ast.AST:
    """Deletes, doubles, swaps or adds statements somewhere inside of a copy of a function."""
    node = copy.deepcopy(node)
    blocks = [
        value
        for inner in ast.walk(node)
        for _, value in ast.iter_fields(inner)
        if isinstance(value, list) and value and isinstance(value[0], ast.stmt)
    ]
    for _ in range(rng.randint(1, 3)):
        block = rng.choice(blocks)
        at = rng.randrange(len(block))
        match rng.choice(["delete", "double", "swap", "add", "replace"]):
            case "delete" if len(block) > 1:
                del block[at]
            case "double":
                block.insert(at, copy.deepcopy(block[at]))
            case "swap" if len(block) > 1:
                block[at - 1], block[at] = block[at], block[at - 1]
            case "replace":
                block[at] = ast.parse("if guard:\n    x = 1\nelse:\n    return 2").body[0]
            case _:
                block.insert(at, ast.parse(ADDED).body[0])
    return node


def meaning(node: ast.AST) -> str:
    node = copy.deepcopy(node)
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            inner.value = inspect.cleandoc(inner.value)
    return ast.dump(node)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_changed_function_means_what_was_asked_and_nothing_else_moves(package):
    rng = random.Random(package)
    small = [file for file in sources(package) if file.stat().st_size < 60_000] or sources(package)
    cases = [case for file in rng.sample(small, min(4, len(small))) for case in functions(file)]
    for text, name, node in some(cases, rng):
        wanted = mutate(node, rng)
        doc = ast.get_docstring(node, clean=False)
        if (doc is not None and ast.get_docstring(wanted, clean=False) != doc) or "..." in ast.unparse(node):
            continue  # a docstring that is left out is kept on purpose; an ellipsis is refused on purpose
        merged = merge_snippet(text, ast.unparse(wanted), qualname=name, line=node.lineno).text
        index = [found.lineno for _, found in definitions(ast.parse(text))].index(node.lineno)
        before, after = ast.parse(text), ast.parse(merged)
        outer = next(n for q, n in definitions(after) if q == name and first_line(n) == first_line(node))
        assert meaning(outer) == meaning(ast.parse(ast.unparse(wanted)).body[0]), (name, index)
        start, stop = first_line(node) - 1, node.end_lineno
        old, new = split_lines(text), split_lines(merged)
        assert new[:start] == old[:start]
        assert new[len(new) - (len(old) - stop) :] == old[stop:]
        assert len(list(ast.walk(before))) > 0


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.skipif("not config.getoption('-m')", reason="exhaustive: run with -m slow")
@pytest.mark.parametrize("package", PACKAGES)
def test_every_function_merged_over_itself_leaves_every_byte(package):
    for file in sources(package):
        for case in functions(file):
            check(*case)
