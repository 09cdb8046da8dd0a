"""What the classification table may ask about one crash, computed once.

Predicates in `signals` read these facts and nothing else. Facts come from the report and from reading the
project; nothing here writes, runs code, or decides what a crash means.
"""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath

from selfheal_tui.model.crash import CrashReport, ExceptionInfo, Frame
from selfheal_tui.source.project import OutsideRootError, Project
from selfheal_tui.source.text import UnreadableSourceError

_ERRNO = re.compile(r"\[(?:Errno|WinError) (-?\d+)\]")
_QUOTED = re.compile(r"'([^']*)'")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

KNOWN_BASES: dict[str, tuple[str, ...]] = {
    "gaierror": ("OSError",),
    "herror": ("OSError",),
    "SSLError": ("OSError",),
    "SSLCertVerificationError": ("SSLError", "OSError"),
    "URLError": ("OSError",),
    "HTTPError": ("OSError",),
    "TimeoutExpired": ("SubprocessError",),
    "CalledProcessError": ("SubprocessError",),
    "JSONDecodeError": ("ValueError",),
    "BrokenProcessPool": ("RuntimeError",),
    "FrozenInstanceError": ("AttributeError",),
    "UnsupportedOperation": ("OSError", "ValueError"),
    "InvalidStateError": ("Exception",),
}
"""Bases of common non-built-in exceptions, for tracebacks in text form that carry no MRO (Python library reference)."""


def _listed(names: str) -> frozenset[str]:
    return frozenset(names.split())


_POPULAR = _listed(
    "attr attrs bs4 click cv2 dateutil django dotenv flask httpx jose jwt lxml mock nose numpy orjson pandas pil psutil "
    "pydantic pytest pytz redis regex requests rich scipy simplejson six tomli toml torch tqdm typer ujson uvloop yaml"
)
"""Much-used packages, so that one that is not installed is not taken for a misspelt module of the standard library."""
_LONG_NAME = 8  # letters from which two edits still look like one word


def words_of(name: str) -> frozenset[str]:
    """Splits an identifier or path into lower-case words: `AuditLog/write_all` → audit, log, write, all."""
    return frozenset(w.lower() for w in _WORD.findall(name))


def lineage_of(error: ExceptionInfo) -> frozenset[str]:
    """Returns the bare names of an exception's type and all its bases, as far as they are known."""
    names: set[str] = {error.bare_type, *(m.rpartition(".")[2] for m in error.mro)}
    for name in sorted(names):
        names.update(KNOWN_BASES.get(name, ()))
    for name in sorted(names):
        cls = getattr(builtins, name, None)
        if isinstance(cls, type) and issubclass(cls, BaseException):
            names.update(base.__name__ for base in cls.__mro__)
    return frozenset(names - {"object"})


def closest(name: str, choices: Iterable[str], *, distance: int = 2) -> str:
    """Returns the choice that looks like a misspelling of a name, or an empty string.

    Args:
        name: What was written.
        choices: What exists.
        distance: Largest Damerau-Levenshtein distance; names under five letters get one edit only.

    Returns:
        The nearest choice; empty when none is near, or when the name itself exists.
    """
    from rapidfuzz.distance import DamerauLevenshtein

    limit = distance if len(name) >= 5 else 1
    best = min(
        ((DamerauLevenshtein.distance(name, c, score_cutoff=limit), c) for c in choices if len(c) > 2),
        default=(limit + 1, ""),
    )
    return best[1] if 0 < best[0] <= limit else ""


@dataclass(frozen=True)
class Facts:
    """One crash as the table sees it.

    Attributes:
        report: The crash, frames localised.
        error: The exception to explain: the one with the suspect frame, else the one that was raised.
        frame: The suspect frame; None when no frame is the project's own.
        project: The live project, read only.
    """

    report: CrashReport
    error: ExceptionInfo
    frame: Frame | None
    project: Project

    @classmethod
    def of(cls, report: CrashReport, project: Project) -> Facts:
        """Collects the facts of a crash whose frames are localised."""
        found = report.suspect()
        error, frame = found or (report.raised, None)
        return cls(report, error, frame, project)

    def about(self, error: ExceptionInfo) -> Facts:
        """Returns the facts of another exception of the same chain."""
        frame = next((f for f in reversed(error.frames) if f.in_app), None)
        return Facts(self.report, error, frame, self.project)

    @cached_property
    def lineage(self) -> frozenset[str]:
        """Bare names of the type and its bases."""
        return lineage_of(self.error)

    @property
    def message(self) -> str:
        """The exception's message."""
        return self.error.message

    @cached_property
    def lower(self) -> str:
        """Type and message in lower case."""
        return f"{self.error.type}: {self.error.message}".lower()

    @cached_property
    def errno(self) -> int | None:
        """The system's error number in the message, if there is one."""
        found = _ERRNO.search(self.message)
        return int(found[1]) if found else None

    @cached_property
    def innermost(self) -> Frame | None:
        """The frame that raised."""
        return self.error.frames[-1] if self.error.frames else None

    @cached_property
    def below(self) -> tuple[Frame, ...]:
        """Frames inside the suspect frame's call: other people's code."""
        frames = self.error.frames
        if self.frame is None:
            return frames
        return (
            frames[max(i for i, f in enumerate(frames) if f is self.frame) + 1 :]
            if self.frame in frames
            else ()
        )

    @cached_property
    def text(self) -> str:
        """Text of the suspect's file as it is now; empty when it cannot be read."""
        if self.frame is None or self.frame.path is None:
            return ""
        try:
            return self.project.read(self.frame.path).text
        except (UnreadableSourceError, OutsideRootError, OSError):
            return ""

    @cached_property
    def line_text(self) -> str:
        """The failing line, stripped."""
        if self.frame is None:
            return ""
        if self.frame.source:
            return self.frame.source.strip()
        lines = self.text.splitlines()
        return lines[self.frame.line - 1].strip() if 0 < self.frame.line <= len(lines) else ""

    @cached_property
    def raised_by_project(self) -> bool:
        """Whether a `raise` statement of the project made the exception."""
        return (
            self.innermost is not None and self.innermost is self.frame and self.line_text.startswith("raise")
        )

    @cached_property
    def place_words(self) -> frozenset[str]:
        """Words of the suspect's file name and function."""
        if self.frame is None:
            return frozenset()
        stem = PurePath(self.frame.path or self.frame.file).with_suffix("").as_posix()
        return words_of(stem) | words_of(self.frame.qualname)

    @cached_property
    def file_words(self) -> frozenset[str]:
        """Words of the suspect's file name alone."""
        return words_of(PurePath(self.frame.path or self.frame.file).stem) if self.frame else frozenset()

    @cached_property
    def identifier(self) -> str:
        """The missing name, attribute, key, module or keyword; empty when there is none."""
        name = self.error.evidence.name
        if name:
            return name
        if "KeyError" in self.lineage:
            try:
                value = ast.literal_eval(self.message)
            except (ValueError, SyntaxError, MemoryError, RecursionError):
                return self.message if self.message.isidentifier() else ""
            return value if isinstance(value, str) else str(value)
        quoted = _QUOTED.findall(self.message)
        if not quoted or not ({"NameError", "AttributeError", "ImportError", "TypeError"} & self.lineage):
            return ""
        if "ImportError" in self.lineage or "NameError" in self.lineage:
            return str(quoted[0])
        if "has no attribute" in self.message or "keyword argument" in self.message:
            return str(quoted[-1])
        return ""

    @cached_property
    def owner(self) -> str:
        """Bare name of the type (or module) that lacked an attribute."""
        if self.error.evidence.obj_type and "module" not in self.message[:8]:
            return self.error.evidence.obj_type.rpartition(".")[2]
        found = re.match(r"(?:type object |partially initialized module |module )?'([^']+)'", self.message)
        return found[1] if found else ""

    @cached_property
    def owner_is_ours(self) -> bool:
        """Whether the class or module that lacked an attribute is the project's own."""
        evidence = self.error.evidence
        if evidence.obj_file and self.project.relative(evidence.obj_file):
            return self.project.is_in_app(evidence.obj_file)
        if not self.owner.isidentifier() and not self.owner.replace(".", "").isidentifier():
            return False
        if "module '" in self.message:
            return self.project.find_module(self.owner) is not None
        if hasattr(builtins, self.owner) or self.owner == "NoneType":
            return False
        pattern = re.compile(rf"^\s*class\s+{re.escape(self.owner)}\b", re.MULTILINE)
        return any(pattern.search(self._read(path)) for path in self.project.python_files())

    def _read(self, path: str) -> str:
        try:
            return self.project.read(path).text
        except (UnreadableSourceError, OutsideRootError, OSError):
            return ""

    @cached_property
    def top_module(self) -> str:
        """First part of the module that could not be imported."""
        found = re.search(r"No module named '?([\w.]+)'?", self.message) or re.search(
            r"from '([\w.]+)'", self.message
        )
        return found[1].partition(".")[0] if found else ""

    @cached_property
    def project_modules(self) -> frozenset[str]:
        """Top-level module and folder names of the project, and siblings of the suspect's file."""
        names: set[str] = set()
        here = PurePath(self.frame.path).parent if self.frame and self.frame.path else PurePath()
        for path in self.project.python_files():
            pure = PurePath(path)
            names.add(pure.parts[0].removesuffix(".py"))
            if pure.parts[0] in ("src", "lib") and len(pure.parts) > 1:
                names.add(pure.parts[1].removesuffix(".py"))
            if pure.parent == here:
                names.add(pure.stem)
        return frozenset(names)

    @cached_property
    def module_is_ours(self) -> bool:
        """Whether the module that failed to import is (or was meant to be) the project's."""
        return bool(self.top_module) and (
            self.top_module in self.project_modules or self.project.find_module(self.top_module) is not None
        )

    @cached_property
    def module_typo(self) -> str:
        """The project's or the standard library's module that the missing one looks like."""
        if not self.top_module or self.module_is_ours or self.top_module in sys.stdlib_module_names:
            return ""
        if self.top_module.lower() in _POPULAR:
            return ""
        known = self.project_modules | {m for m in sys.stdlib_module_names if not m.startswith("_")}
        near = closest(self.top_module, known, distance=1 if len(self.top_module) < _LONG_NAME else 2)
        return near if near[:1].lower() in self.top_module[:2].lower() else ""

    @property
    def removed_module(self) -> bool:
        """Whether the missing module once belonged to the standard library."""
        from selfheal_tui.repair.rules.stdlib_moves import REMOVED_MODULES

        return self.top_module in REMOVED_MODULES and not self.module_is_ours

    @cached_property
    def missing_path(self) -> str:
        """The path in a FileNotFoundError's message."""
        found = re.search(r": '(.+?)'(?: -> '.+')?$", self.message) or re.search(
            r"directory: (\S+)$", self.message
        )
        return found[1] if found else ""

    @cached_property
    def path_typo(self) -> str:
        """An existing project file that the missing path looks like, or an empty string."""
        if not self.missing_path:
            return ""
        wanted = PurePath(self.missing_path)
        if not wanted.is_absolute():
            wanted = PurePath(self.report.process.cwd or self.project.root) / wanted
        relative = self.project.relative(str(wanted))
        if relative is None:
            return ""
        parent = self.project.root / PurePath(relative).parent
        try:
            return closest(PurePath(relative).name, [entry.name for entry in parent.iterdir()])
        except OSError:
            return ""
