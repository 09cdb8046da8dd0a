"""Turns a proposer's answer into code that may be merged, or refuses it.

A model's answer is text like any other: fenced or indented, sometimes with parts left out. Whatever
was left out would be deleted by merging, so such answers are refused, never guessed at.
"""

from __future__ import annotations

import ast
import io
import re
import textwrap
import tokenize
import warnings

from selfheal_tui.source.position import MODULE, definitions
from selfheal_tui.source.text import split_lines, with_newlines

_FENCE = re.compile(r"^[ \t]*(?:```|~~~)")
_WHAT = r"(?:code|logic|implementation|body|methods?|functions?|class|file|module)"
_ELIDED = re.compile(
    r"#\s*[\[(<]?\s*(?:\.{3}|…)"
    r"|#.*\b(?:rest|existing|previous|other|remaining|unchanged|same|code)\b.*(?:\.{3}|…)\s*[\])>]?\s*$"
    rf"|#.*\brest of (?:the |your |this )?{_WHAT}\b"
    rf"|#\s*(?:keep |the |all |your |\()*(?:existing|previous|original|remaining|other|same) {_WHAT}"
    r"(?: here| below| above| unchanged| remains?.*| stays?.*| is .*| are .*)?\s*\)?\s*$"
    rf"|#.*\b(?:{_WHAT}|rest|else|above|below) (?:is |are |remains? |stays? )?unchanged\b"
    r"|#\s*\(?unchanged\)?\s*$"
    r"|#.*\b(?:same as (?:before|above|the original|original)\s*$|(?:omitted|elided|truncated) for brevity)",
    re.IGNORECASE,
)
"""Comments with which models stand for code that they left out."""
_STUBS = frozenset({"overload", "abstractmethod"})


class MergeRefusedError(ValueError):
    """A snippet cannot be merged without guessing; the message says why and what would help."""


def clean_snippet(snippet: str) -> str:
    r"""Takes the code out of an answer.

    Args:
        snippet: Code, perhaps in one fenced block, perhaps indented as a whole.

    Returns:
        The code with `\n` newlines, beginning at no indentation.

    Raises:
        MergeRefusedError: No code, or several blocks.
    """
    text = with_newlines(snippet, "\n")
    code = text if _parses(text) else _unfenced(text)
    code = _without_blank_start(code)
    if not code.strip():
        raise MergeRefusedError("the answer has no code")
    return code


def _unfenced(text: str) -> str:
    """Takes the code out of its fence; fences inside of its docstrings do not end it."""
    lines = text.split("\n")
    fences = [number for number, line in enumerate(lines) if _FENCE.match(line)]
    if not fences:
        return text
    whole = "\n".join(lines[fences[0] + 1 : fences[-1] if len(fences) > 1 else None])
    if len(fences) > 2 and not _parses(whole):
        raise MergeRefusedError("the answer has 2 code blocks or more: give all code in one")
    return whole


def _parses(code: str) -> bool:
    try:
        parse_quietly(_without_blank_start(code), "")
    except MergeRefusedError:
        return False
    return True


def _without_blank_start(code: str) -> str:
    lines = code.split("\n")
    while lines and not lines[0].strip():
        lines.pop(0)
    return _dedented("\n".join(lines).rstrip() + "\n") if lines else ""


def _dedented(code: str) -> str:
    if not code[0].isspace():
        return code
    dedented = textwrap.dedent(code)
    if not dedented[0].isspace():
        return dedented
    # Text inside a string may begin further left than the code; only the tokenizer can tell.
    indent = code[: len(code) - len(code.lstrip(" \t"))]
    inside = _lines_inside_strings("if True:\n" + code)
    lines = code.split("\n")
    return "\n".join(
        line if number + 2 in inside else line.removeprefix(indent) for number, line in enumerate(lines)
    )


def _lines_inside_strings(code: str) -> set[int]:
    inside: set[int] = set()
    try:
        for token in tokenize.generate_tokens(io.StringIO(code).readline):
            if token.start[0] != token.end[0] and token.type not in (tokenize.NEWLINE, tokenize.NL):
                inside.update(range(token.start[0] + 1, token.end[0] + 1))
    except (tokenize.TokenError, SyntaxError):
        return set()
    return inside


def parse_quietly(code: str, what: str) -> ast.Module:
    """Parses code without the warnings that it may deserve.

    Raises:
        MergeRefusedError: It does not parse.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(code)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            line = getattr(error, "lineno", None)
            where = f" in line {line}" if line else ""
            raise MergeRefusedError(
                f"{what} does not parse{where}: {getattr(error, 'msg', error)}"
            ) from error


def refuse_elided(code: str, tree: ast.Module, original: str, original_tree: ast.Module) -> None:
    """Refuses code that leaves parts out.

    Args:
        code: The snippet.
        tree: Its tree.
        original: The module it is for; comments and `...` that stand there already are fine.
        original_tree: Its tree.

    Raises:
        MergeRefusedError: A comment or an ellipsis stands for code.
    """
    known = {line.strip() for line in split_lines(original)}
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        comment = token.string.strip()
        if token.type != tokenize.COMMENT or not _ELIDED.search(comment):
            continue
        if not any(comment in line for line in known):
            raise MergeRefusedError(
                f"code is left out ({comment!r}): give every function that changes in full"
            )
    allowed = {name.rpartition(".")[2] for name in _with_ellipsis(original_tree)}
    for name in _with_ellipsis(tree):
        if name.rpartition(".")[2] not in allowed:
            raise MergeRefusedError(
                f"“...” stands for code in {name}: give every function that changes in full"
            )


def _with_ellipsis(tree: ast.Module) -> list[str]:
    """Names the definitions that hold a bare `...` statement, declarations aside."""
    found = []
    for name, node in [(MODULE, tree), *definitions(tree)]:
        decorators = {ast.unparse(d).rpartition(".")[2] for d in getattr(node, "decorator_list", ())}
        if not decorators & _STUBS and any(_is_ellipsis(inner) for inner in _own(node)):
            found.append(name)
    return found


def _own(node: ast.AST) -> list[ast.AST]:
    """Lists the nodes of a definition without those of definitions inside."""
    out, todo = [], list(ast.iter_child_nodes(node))
    while todo:
        inner = todo.pop()
        out.append(inner)
        if not isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            todo += ast.iter_child_nodes(inner)
    return out


def _is_ellipsis(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and node.value.value is Ellipsis
    )
