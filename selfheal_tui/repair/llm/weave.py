"""Turns a parsed answer into whole new file texts, or says what is wrong with it.

Here the closed list holds: only functions that were shown as changeable, new functions in places that
were offered, and statements at module or class level found by one exact match. Protected files are never
touched, whatever the answer says. Reads nothing from disk and writes nothing.
"""

from __future__ import annotations

import ast
import difflib
import io
import re
import textwrap
import tokenize
import warnings
from collections import defaultdict
from dataclasses import dataclass

from selfheal_tui.model.candidate import FileEdit
from selfheal_tui.model.diagnosis import Location
from selfheal_tui.repair.llm.answer import Answer, Block, MalformedAnswerError, Replacement
from selfheal_tui.repair.llm.excerpts import MODULE, Evidence
from selfheal_tui.repair.llm.sealing import Seal
from selfheal_tui.repair.llm.strings import keep_strings
from selfheal_tui.source.position import definitions, find_definition, first_line
from selfheal_tui.source.project import Project
from selfheal_tui.source.text import SourceText, split_lines, with_newlines

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_ELIDED = re.compile(
    r"\.\.\.|…|rest of|existing (?:code|logic|implementation)|unchanged|(?:stays|remains?|is) the same|"
    r"same as (?:before|above|original)|omitted|your code here|no change",
    re.IGNORECASE,
)
_NEAR = 3
_ASK = ", or ask to see it first, with a line `SHOW: path :: name`"


@dataclass(frozen=True, slots=True)
class Woven:
    """An answer as it would stand in the files.

    Attributes:
        edits: Whole new contents.
        targets: Functions (or `<module>`) that change.
        adds_imports: Modules newly imported.
    """

    edits: tuple[FileEdit, ...]
    targets: tuple[Location, ...]
    adds_imports: tuple[str, ...]


def weave(answer: Answer, evidence: Evidence, seal: Seal, project: Project) -> Woven:
    """Builds the new files.

    Args:
        answer: The parsed answer, with at least one block.
        evidence: What was shown and what may be changed.
        seal: Puts the secrets back that were left out.
        project: Tells which files are protected.

    Returns:
        The edits, each different from its file in more than layout.

    Raises:
        MalformedAnswerError: The answer cannot be used; the message is for the model.
    """
    by_path: dict[str, list[Block]] = defaultdict(list)
    for block in answer.blocks:
        _check_place(block, evidence, project)
        by_path[block.path].append(block)
    edits, targets, imported = [], [], set()
    for path, blocks in by_path.items():
        source = evidence.files[path]
        text = source.text
        for block in blocks:
            text = _put(text, block, source, seal)
            targets.append(Location(path, block.qualname, _line_of(source.text, block.qualname)))
        before, after = _parse(source.text, path), _parse(text, path)
        if ast.dump(before) == ast.dump(after):
            continue
        try:
            source.encode(text)
        except UnicodeEncodeError as error:
            raise MalformedAnswerError(
                f"{path} is encoded as {source.encoding}, which lacks a character of the answer: {error}"
            ) from error
        edits.append(FileEdit(path, source.sha256, text, source.encoding))
        imported |= _imports(after) - _imports(before)
    if not edits:
        raise MalformedAnswerError("the answer changes nothing: the code is the same as before")
    return Woven(tuple(edits), tuple(targets), tuple(sorted(imported)))


def _check_place(block: Block, evidence: Evidence, project: Project) -> None:
    where = f"{block.path} :: {block.qualname}"
    known = {path for path, _ in (*evidence.functions, *evidence.classes)} | evidence.modules
    if block.path not in known or block.path not in evidence.files:
        raise MalformedAnswerError(
            f"{block.path} may not be changed; change only the places that were listed{_ASK}"
        )
    reason = project.protected(block.path)
    if reason:
        raise MalformedAnswerError(f"{block.path} may not be changed: {reason}")
    if block.replacements:
        if block.qualname == MODULE and block.path in evidence.modules:
            return
        if (block.path, block.qualname) in evidence.classes:
            return
        raise MalformedAnswerError(
            f"search and replace is for module level only; give {where} as a whole function"
        )
    if block.qualname == MODULE:
        raise MalformedAnswerError(
            f"{where} needs a search and replace block; new functions go under their own name"
        )
    if (block.path, block.qualname) in evidence.functions:
        return
    if find_definition(evidence.files[block.path].text, block.qualname) is not None:
        raise MalformedAnswerError(
            f"{where} may not be changed; change only the places that were listed{_ASK}"
        )
    owner = block.qualname.rpartition(".")[0]
    if owner and (block.path, owner) not in evidence.classes:
        raise MalformedAnswerError(f"nothing may be added to {owner}; add only where the list says so")
    if not owner and block.path not in evidence.modules:
        raise MalformedAnswerError(
            f"no function may be added to {block.path}; add only where the list says so"
        )


def _put(text: str, block: Block, source: SourceText, seal: Seal) -> str:
    where = f"{block.path} :: {block.qualname}"
    try:
        if block.replacements:
            new = text
            for item in block.replacements:
                new = _replace(new, item, block, source, seal)
            _hold_to(text, new, _new_classes(text, new, where), where)
            return new
        return _put_function(text, seal.reveal(block.code), block)
    except MalformedAnswerError:
        raise
    except (ValueError, RecursionError) as error:
        raise MalformedAnswerError(f"{where}: {error}") from error


def _put_function(text: str, code: str, block: Block) -> str:
    from selfheal_tui.source.merge import MergeRefusedError, merge_snippet

    where = f"{block.path} :: {block.qualname}"
    snippet = _single_function(textwrap.dedent(code), block.qualname, where)
    old = find_definition(text, block.qualname)
    former = "" if old is None else ast.get_source_segment(text, old) or ""
    _refuse_elision(snippet, text if old is None else former, where)
    snippet = keep_strings(former, snippet)
    try:
        merged = merge_snippet(text, snippet, qualname=block.qualname).text
    except MergeRefusedError as error:
        raise MalformedAnswerError(f"{where} does not fit into the file: {error}") from error
    _hold_to(text, merged, {block.qualname}, where)
    return merged


def _single_function(code: str, qualname: str, where: str) -> str:
    """Checks that a block is imports and one function of the right name; takes it out of a class around it."""
    tree = _parse(code, where)
    owner, _, name = qualname.rpartition(".")
    rest = [n for n in tree.body if not isinstance(n, ast.Import | ast.ImportFrom)]
    if len(rest) == 1 and isinstance(rest[0], ast.ClassDef) and rest[0].name == owner.rpartition(".")[2]:
        inner = rest[0].body
        if len(inner) == 1 and isinstance(inner[0], _Function):
            lines = split_lines(code)
            head = "".join(lines[: first_line(rest[0]) - 1])
            body = "".join(lines[first_line(inner[0]) - 1 : inner[0].end_lineno])
            return _single_function(head + textwrap.dedent(body), qualname, where)
    if len(rest) != 1 or not isinstance(rest[0], _Function):
        raise MalformedAnswerError(
            f"the block for {where} must hold that one function and nothing else but imports"
        )
    if rest[0].name != name:
        raise MalformedAnswerError(f"the block for {where} defines {rest[0].name}, not {name}")
    return code


def _replace(text: str, item: Replacement, block: Block, source: SourceText, seal: Seal) -> str:
    search = with_newlines(seal.reveal(item.search), source.newline)
    replace = with_newlines(seal.reveal(item.replace), source.newline)
    pattern = re.compile(r"(?:\A|(?<=[\r\n]))" + re.escape(search) + r"(?=\r\n|\r|\n|\Z)")
    hits = list(pattern.finditer(text))
    if len(hits) != 1:
        count = "is not in" if not hits else f"occurs {len(hits)} times in"
        raise MalformedAnswerError(
            f"the search part {item.search.strip()[:120]!r} {count} {block.path}; "
            f"it must occur exactly once, letter by letter{_nearest(text, item.search)}"
        )
    _refuse_elision(item.replace, text, f"{block.path} :: {block.qualname}")
    start, end = hits[0].span()
    first = len(split_lines(text[:start])) + 1
    last = first + len(split_lines(search)) - 1
    _check_level(text, first, last, block)
    if not replace:
        end += len(source.newline) if text.startswith(source.newline, end) else 0
    return text[:start] + replace + text[end:]


def _nearest(text: str, search: str) -> str:
    first = next((line.strip() for line in search.split("\n") if line.strip()), "")
    lines = {line.strip() for line in split_lines(text)[:20_000] if line.strip()}
    near = difflib.get_close_matches(first[:500], [line[:500] for line in lines], n=_NEAR, cutoff=0.5)
    return f". The nearest lines there: {near}" if near else ""


def _check_level(text: str, first: int, last: int, block: Block) -> None:
    inside = []
    for qualname, node in definitions(_parse(text, block.path)):
        begin, end = first_line(node), getattr(node, "end_lineno", 0) or 0
        if begin <= last and first <= end:
            if isinstance(node, _Function):
                raise MalformedAnswerError(
                    f"the search part lies inside {qualname}; functions are given whole under their own header"
                )
            inside.append(qualname)
    if block.qualname == MODULE:
        if inside:
            raise MalformedAnswerError(f"the search part lies inside class {inside[-1]}, not at module level")
    elif not inside or inside[-1] != block.qualname:
        raise MalformedAnswerError(f"the search part does not lie in the body of {block.qualname}")


def _refuse_elision(new: str, old: str, where: str) -> None:
    """Refuses stand-ins for code; what looks like one but stood there before is no stand-in."""
    before = {comment.strip() for comment in _comments(old)}
    for comment in _comments(new):
        if comment.strip() not in before and _ELIDED.search(comment):
            raise MalformedAnswerError(f"{where} is abbreviated ({comment[:80]!r}); write every line out")
    if _ellipses(new) > _ellipses(old):
        raise MalformedAnswerError(f"{where} is abbreviated with `...`; write every line out")


def _comments(code: str) -> list[str]:
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(textwrap.dedent(code)).readline))
    except (tokenize.TokenError, SyntaxError):
        return [line for line in code.split("\n") if line.lstrip().startswith("#")]
    return [token.string for token in tokens if token.type == tokenize.COMMENT]


def _ellipses(code: str) -> int:
    try:
        tree = _quiet_parse(textwrap.dedent(code))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return len(re.findall(r"^\s*(?:\.\.\.|…)\s*$", code, re.MULTILINE))
    return sum(
        isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant) and n.value.value is Ellipsis
        for n in ast.walk(tree)
    )


def _new_classes(before: str, after: str, where: str) -> set[str]:
    """Classes that came whole: their methods came with them."""
    old = {name for name, node in definitions(_parse(before, where)) if isinstance(node, ast.ClassDef)}
    new = {name for name, node in definitions(_parse(after, where)) if isinstance(node, ast.ClassDef)}
    return new - old


def _hold_to(before: str, after: str, allowed: set[str], where: str) -> None:
    """Checks that no function but the allowed ones (and functions inside them) came, went or changed."""
    old, new = _functions(before, where), _functions(after, where)
    for qualname in old.keys() | new.keys():
        inside = any(qualname == a or qualname.startswith(f"{a}.") for a in allowed)
        if not inside and old.get(qualname) != new.get(qualname):
            raise MalformedAnswerError(
                f"{where} also changes {qualname}; give each function under its own header"
            )


def _functions(text: str, where: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for qualname, node in definitions(_parse(text, where)):
        outer = qualname.partition(".<locals>.")[0]
        if isinstance(node, _Function) and outer == qualname:
            found[qualname].append(ast.dump(node))
    return found


def _quiet_parse(code: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(code)


def _parse(code: str, where: str) -> ast.Module:
    try:
        return _quiet_parse(code)
    except SyntaxError as error:
        raise MalformedAnswerError(
            f"{where} is not valid Python: {error.msg} (line {error.lineno})"
        ) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise MalformedAnswerError(f"{where} is not valid Python: {error}") from error


def _imports(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add("." * node.level + (node.module or ""))
    return found


def _line_of(text: str, qualname: str) -> int:
    node = None if qualname == MODULE else find_definition(text, qualname)
    return getattr(node, "lineno", 1)
