"""Reads a model's answer: a strict parser of one small format, for text that nobody vouches for.

It knows the format and nothing of the project: whether a place may be changed, and whether the code fits
there, is decided in `weave.py`. On any text whatever it returns an answer or raises
`MalformedAnswerError`, whose message is written for the model that gets it back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

MAX_CHARACTERS = 400_000
MAX_BLOCKS = 20
MAX_REASON = 400
DEFAULT_CONFIDENCE = 0.5


class MalformedAnswerError(ValueError):
    """An answer does not follow the format; the message tells the model what to change."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """One search and replace at module or class level, without the final newlines."""

    search: str
    replace: str


@dataclass(frozen=True, slots=True)
class Block:
    """What an answer wants at one place.

    Attributes:
        path: File, as the header names it.
        qualname: Function, class, or `<module>`.
        code: Whole new function; empty when there are replacements.
        replacements: Searches and replacements; empty when there is code.
    """

    path: str
    qualname: str
    code: str = ""
    replacements: tuple[Replacement, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """A place that a model asks to see.

    Attributes:
        path: File, relative to the root, as the answer names it.
        qualname: Function, class, or `<module>`.
    """

    path: str
    qualname: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A parsed answer.

    Attributes:
        reason: The sentence for the operator.
        confidence: What the model claims, 0 to 1.
        blocks: Changes; empty when it cannot fix, or has to see more.
        cannot_fix: Why the model declines; empty when it does not.
        wanted: What it has to see before it can answer.
    """

    reason: str = ""
    confidence: float = DEFAULT_CONFIDENCE
    blocks: tuple[Block, ...] = ()
    cannot_fix: str = ""
    wanted: tuple[Place, ...] = ()


_THINKING = re.compile(r"\A\s*<(think|thinking|reasoning)>.*?</\1>", re.DOTALL)
_HEADER = re.compile(
    r"#{2,4}[ \t]+`?(?P<path>[^`:\n]{1,400}?)`?[ \t]*::[ \t]*`?(?P<qualname>[\w.<>]{1,300})`?[ \t]*\Z"
)
_FENCE = re.compile(r"(?P<fence>`{3,}|~{3,})[ \t]*[\w+.-]{0,20}[ \t]*\Z")
_CANNOT = re.compile(r"\A[ \t]*\**CANNOT_FIX\**[ \t]*:[ \t]*(?P<reason>.*)\Z", re.DOTALL)
_SHOW = re.compile(
    r"\A[ \t]*(?:[-*][ \t]+)?[`*]*SHOW[`*]*[ \t]*:[ \t]*`?(?P<path>[^`:\n]{1,400}?)`?[ \t]*::[ \t]*`?(?P<qualname>[\w.<>]{1,300})`?[ \t]*\Z"
)
_REASON = re.compile(r"\A\**REASON\**[ \t]*:[ \t]*(?P<reason>.+)\Z")
_CONFIDENCE = re.compile(
    r"\A\**CONFIDENCE\**[ \t]*:[ \t]*\**(?P<number>[0-9]{1,3}(?:\.[0-9]{1,6})?|\.[0-9]{1,6})[ \t]*(?P<percent>%?)"
)
_SEARCH, _MIDDLE, _REPLACE = "<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE"


class _Part(StrEnum):
    """Where in a search and replace block a line stands."""

    OUTSIDE = "outside"
    SEARCH = "search"
    REPLACE = "replace"


def parse_answer(text: str) -> Answer:
    """Parses an answer.

    Args:
        text: What the model said.

    Returns:
        The answer: at least one block, or the reason why there is none.

    Raises:
        MalformedAnswerError: It follows the format in neither way.
    """
    if len(text) > MAX_CHARACTERS:
        raise MalformedAnswerError("the answer is far too long; answer with the changed functions only")
    text = _THINKING.sub("", text, count=1).strip()
    if not text:
        raise MalformedAnswerError("the answer is empty")
    declined = _CANNOT.match(text)
    if declined:
        return _declined(declined.group("reason"))
    return _Reader(re.split(r"\r\n|\r|\n", text)).read()


def _declined(reason: str) -> Answer:
    if re.search(r"^#{2,4}.*::", reason, re.MULTILINE):
        raise MalformedAnswerError("the answer says CANNOT_FIX and offers a fix; it must do one of the two")
    sentence = " ".join(reason.split())[:MAX_REASON]
    if not sentence:
        raise MalformedAnswerError("CANNOT_FIX must be followed by the reason")
    return Answer(cannot_fix=sentence)


class _Reader:
    """Goes through the lines once."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._at = 0
        self._reason = ""
        self._confidence = DEFAULT_CONFIDENCE
        self._blocks: list[Block] = []
        self._wanted: list[Place] = []

    def read(self) -> Answer:
        while self._at < len(self._lines):
            line = self._lines[self._at].rstrip()
            self._at += 1
            header = _HEADER.match(line)
            if header:
                self._block(header.group("path").strip(), header.group("qualname"))
            elif _FENCE.match(line):
                raise MalformedAnswerError(
                    "a code block has no header line; put `### path/to/file.py :: function` right above it"
                )
            elif _SEARCH in line:
                raise MalformedAnswerError(
                    "a search and replace block must stand inside a fenced block with a header"
                )
            else:
                self._remark(line)
        if self._wanted:
            if self._blocks:
                raise MalformedAnswerError(
                    "the answer asks to see more and offers a fix; it must do one of the two"
                )
            return Answer(wanted=tuple(dict.fromkeys(self._wanted)))
        if not self._blocks:
            raise MalformedAnswerError(
                "the answer has no block; give each changed function under a header line "
                "`### path/to/file.py :: function`, or answer with `CANNOT_FIX: reason`"
            )
        if len(self._blocks) > MAX_BLOCKS:
            raise MalformedAnswerError(
                f"the answer changes more than {MAX_BLOCKS} places; change only the cause"
            )
        return Answer(self._reason, self._confidence, tuple(self._blocks))

    def _remark(self, line: str) -> None:
        reason, confidence, show = _REASON.match(line), _CONFIDENCE.match(line), _SHOW.match(line)
        if reason and not self._reason:
            self._reason = " ".join(reason.group("reason").split())[:MAX_REASON]
        elif confidence:
            number = float(confidence.group("number"))
            self._confidence = min(1.0, number / 100 if confidence.group("percent") else number)
        elif show:
            self._wanted.append(Place(show.group("path").strip(), show.group("qualname")))
        elif _CANNOT.match(line):
            raise MalformedAnswerError("the answer says CANNOT_FIX and more; it must be the only line")

    def _block(self, path: str, qualname: str) -> None:
        where = f"{path} :: {qualname}"
        if any((b.path, b.qualname) == (path, qualname) for b in self._blocks):
            raise MalformedAnswerError(f"{where} is given twice; give it once")
        while self._at < len(self._lines) and not self._lines[self._at].strip():
            self._at += 1
        opening = _FENCE.match(self._lines[self._at].rstrip()) if self._at < len(self._lines) else None
        if opening is None:
            raise MalformedAnswerError(f"the header {where} must be followed by a fenced code block")
        self._at += 1
        body = self._fenced(opening.group("fence"), where)
        if any(line.rstrip() == _SEARCH for line in body):
            self._blocks.append(Block(path, qualname, replacements=_replacements(body, where)))
            return
        code = "\n".join(body).strip("\n")
        if not code.strip():
            raise MalformedAnswerError(f"the block for {where} is empty")
        self._blocks.append(Block(path, qualname, code=code + "\n"))

    def _fenced(self, fence: str, where: str) -> list[str]:
        body: list[str] = []
        while self._at < len(self._lines):
            line = self._lines[self._at]
            self._at += 1
            closing = line.rstrip()
            if len(closing) >= len(fence) and set(closing) == {fence[0]}:
                return body
            body.append(line)
        raise MalformedAnswerError(
            f"the block for {where} is not closed: the answer was cut off; answer more briefly"
        )


def _replacements(body: list[str], where: str) -> tuple[Replacement, ...]:
    found: list[Replacement] = []
    search: list[str] = []
    replace: list[str] = []
    part = _Part.OUTSIDE
    for line in body:
        mark = line.rstrip()
        if part is _Part.OUTSIDE and mark == _SEARCH:
            search, replace, part = [], [], _Part.SEARCH
        elif part is _Part.SEARCH and mark == _MIDDLE:
            part = _Part.REPLACE
        elif part is _Part.REPLACE and mark == _REPLACE:
            if not any(piece.strip() for piece in search):
                raise MalformedAnswerError(f"a search part for {where} is empty; search for an existing line")
            found.append(Replacement("\n".join(search), "\n".join(replace)))
            part = _Part.OUTSIDE
        elif part is _Part.SEARCH:
            search.append(line)
        elif part is _Part.REPLACE:
            replace.append(line)
        elif mark:
            raise MalformedAnswerError(
                f"text between the search and replace blocks for {where}: {mark[:80]!r}"
            )
    if part is not _Part.OUTSIDE:
        raise MalformedAnswerError(f"a search and replace block for {where} is not closed")
    return tuple(found)
