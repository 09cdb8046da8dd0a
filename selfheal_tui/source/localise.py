"""Maps the frames of a crash to the files of a project.

A probe's file names are this machine's; those of a log may be another machine's, or relative to a
directory that is long gone. A frame is only ever called in-app when a file of the project is certain:
it is that very file, or the one file whose path ends alike and whose line reads the same.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from selfheal_tui.model.crash import CrashReport, ExceptionInfo, Frame
from selfheal_tui.model.kinds import CaptureSource
from selfheal_tui.probe.redaction import mask_text
from selfheal_tui.source.listing import is_file
from selfheal_tui.source.position import MODULE, reads_the_same, spans
from selfheal_tui.source.text import UnreadableSourceError, split_lines

if TYPE_CHECKING:
    from selfheal_tui.source.project import Project

_INSTALLED = re.compile(r"(^|/)(site-packages|dist-packages|lib(64)?/python\d+(\.\d+)?t?)/", re.IGNORECASE)


def localise(project: Project, report: CrashReport) -> CrashReport:
    """Fills in path, in-app flag, qualified name and module of every frame.

    A SyntaxError of an in-app file gets a frame of its own, since the interpreter names that file only in
    the message.

    Args:
        project: Where the code is.
        report: As captured.

    Returns:
        The localised report; localising it again changes nothing.
    """
    localiser = _Localiser(project, report.process.cwd, from_text=report.source is CaptureSource.TEXT)
    return report.with_chain(tuple(localiser.exception(info) for info in report.chain))


class _Localiser:
    def __init__(self, project: Project, cwd: str, *, from_text: bool) -> None:
        self._project = project
        self._cwd = cwd
        self._from_text = from_text
        self._lines = lru_cache(maxsize=256)(self._read_lines)
        self._spans = lru_cache(maxsize=256)(self._read_spans)
        self._names: dict[str, list[str]] | None = None

    def exception(self, info: ExceptionInfo) -> ExceptionInfo:
        frames = [self._frame(frame) for frame in info.frames]
        if info.syntax is not None:
            file, line, _, source = info.syntax
            extra = self._frame(Frame(file=file, qualname=MODULE, line=line, source=source))
            last = frames[-1] if frames else None
            if extra.in_app and (last is None or (last.path, last.line) != (extra.path, extra.line)):
                frames.append(extra)
        return replace(info, frames=tuple(frames))

    def _frame(self, frame: Frame) -> Frame:
        path = self._path(frame)
        if path is None:
            return replace(frame, path=None, in_app=False)
        in_app = self._project.is_in_app(path)
        if in_app:
            frame = self._where_it_stands_now(path, frame)
        qualname, module = frame.qualname, frame.module
        if in_app:
            qualname = self._qualname(path, frame)
            module = module or self._project.module_name(path)
        frame = replace(frame, path=path, in_app=in_app, qualname=qualname, module=module)
        return self._with_file_columns(path, frame) if in_app and self._from_text else frame

    def _with_file_columns(self, path: str, frame: Frame) -> Frame:
        """Moves columns that count from a printed (stripped) line to where the line stands in the file."""
        if not frame.source.strip() or not self._line_reads_the_same(path, frame):
            return frame
        line = self._lines(path)[frame.line - 1].rstrip("\r\n")
        shift = _indent_bytes(line) - _indent_bytes(frame.source)
        frame = replace(frame, source=mask_text(line))
        if not shift or frame.col is None or frame.end_col is None:
            return frame
        return replace(frame, col=frame.col + shift, end_col=frame.end_col + shift)

    def _where_it_stands_now(self, path: str, frame: Frame) -> Frame:
        """Follows a line that an edit above it has moved: the one line of its function that reads the same."""
        if not frame.source.strip() or self._line_reads_the_same(path, frame):
            return frame
        lines = self._lines(path)
        bare = frame.qualname.rpartition(".")[2]
        places = [
            (first, last)
            for name, first, last in self._spans(path)
            if name == frame.qualname or ("." not in frame.qualname and name.rpartition(".")[2] == bare)
        ]
        if frame.qualname == MODULE:
            places = [(1, len(lines))]
        found = [
            number
            for first, last in places
            for number in range(first, last + 1)
            if reads_the_same(frame.source, lines[number - 1])
        ]
        if len(found) != 1:
            return frame
        shift = found[0] - frame.line
        return replace(
            frame,
            line=found[0],
            end_line=None if frame.end_line is None else frame.end_line + shift,
            first_line=None if frame.first_line is None else max(1, frame.first_line + shift),
        )

    def _path(self, frame: Frame) -> str | None:
        name = frame.file
        if not name or (name.startswith("<") and name.endswith(">")):
            return None
        if not Path(name).is_absolute() and self._cwd:
            path = self._project.relative(Path(self._cwd) / name)
        else:
            path = self._project.relative(name)
        if path is not None and is_file(self._project.root / path):
            return path
        if self._exists_here(name):
            return None
        return self._by_suffix(frame)

    def _exists_here(self, name: str) -> bool:
        try:
            return Path(name).is_absolute() and Path(name).exists()
        except (OSError, ValueError):
            return False

    def _by_suffix(self, frame: Frame) -> str | None:
        """Finds the one project file whose path ends alike and whose line reads the same."""
        name = frame.file.replace("\\", "/")
        if not frame.source.strip() or _INSTALLED.search(name):
            return None
        parts = [part for part in PurePosixPath(name).parts if part not in ("/", ".", "..")]
        if not parts:
            return None
        same_name = self._same_name(parts[-1])
        for start in range(len(parts)):
            suffix = "/".join(parts[start:])
            fitting = [p for p in same_name if p == suffix or p.endswith("/" + suffix)]
            proven = [p for p in fitting if self._line_reads_the_same(p, frame)]
            if proven:
                return proven[0] if len(proven) == 1 else None
        return None

    def _same_name(self, name: str) -> list[str]:
        if self._names is None:
            self._names = {}
            for path in self._project.python_files():
                self._names.setdefault(PurePosixPath(path).name, []).append(path)
        return self._names.get(name, [])

    def _read_lines(self, path: str) -> list[str]:
        try:
            return split_lines(self._project.read(path).text)
        except (UnreadableSourceError, ValueError):
            return []

    def _read_spans(self, path: str) -> list[tuple[str, int, int]]:
        return spans("".join(self._lines(path)))

    def _line_reads_the_same(self, path: str, frame: Frame) -> bool:
        lines = self._lines(path)
        if not 1 <= frame.line <= len(lines):
            return False
        return reads_the_same(frame.source, lines[frame.line - 1])

    def _qualname(self, path: str, frame: Frame) -> str:
        """Completes the bare function name that printed tracebacks (and Python before 3.11) give."""
        bare = frame.qualname
        if "." in bare or bare == MODULE:
            return bare
        if frame.source.strip() and not self._line_reads_the_same(path, frame):
            return bare
        scopes = [name for name, first, last in self._spans(path) if first <= frame.line <= last]
        if bare.startswith("<"):  # <lambda>, <listcomp> and so on belong to the innermost definition
            return f"{scopes[-1]}.<locals>.{bare}" if scopes else bare
        return next((q for q in reversed(scopes) if q.rpartition(".")[2] == bare), bare)


def _indent_bytes(line: str) -> int:
    return len(line[: len(line) - len(line.lstrip())].encode())
