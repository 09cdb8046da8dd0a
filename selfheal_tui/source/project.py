"""The project on disk: which files are its own, what they are called, and which no fix may touch.

The one place that turns untrusted file names into paths: everything goes through real paths, and
nothing outside the root is ever returned. May read the project, and ask git for its list of files; may
not write.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath

from selfheal_tui.model.crash import CrashReport
from selfheal_tui.model.settings import ProjectSettings
from selfheal_tui.source.listing import is_file, tracked_files, walk_files
from selfheal_tui.source.places import glob_match, is_foreign, protection, prune_dir
from selfheal_tui.source.text import MAX_SOURCE_BYTES, SourceText, UnreadableSourceError, read_source

__all__ = ["OutsideRootError", "Project", "prune_dir"]

_OWN_PACKAGE = Path(__file__).resolve().parents[1]
_SUFFIXES = (".py", ".pyw")


class OutsideRootError(ValueError):
    """A path leads out of the project root."""


class Project:
    """A directory with Python source.

    Attributes:
        root: The resolved root directory.
        settings: What the user said about the project.
    """

    def __init__(self, root: Path, settings: ProjectSettings | None = None) -> None:
        self.root = Path(os.path.realpath(root))
        self._prefix = os.path.join(self.root, "")  # noqa: PTH118 - `Path` drops the separator at the end
        self.settings = settings if settings is not None else ProjectSettings()
        self._environments: dict[str, bool] = {}

    def relative(self, file: str | Path) -> str | None:
        """Names a file relative to the root.

        Args:
            file: Absolute, or relative to the root; it need not exist. Links are followed.

        Returns:
            The path of the real file with forward slashes, or None when that is not below the root, or
            the name is not one of a file (`<stdin>`).
        """
        name = os.fspath(file)
        if not name or (name.startswith("<") and name.endswith(">")):
            return None
        try:
            # Text, not `Path`: this is asked several times for every file of a project.
            real = os.path.realpath(os.path.join(self._prefix, name))  # noqa: PTH118
        except (OSError, ValueError):
            return None
        if not real.startswith(self._prefix) or real == self._prefix:
            return None
        return real[len(self._prefix) :].replace(os.sep, "/")

    def absolute(self, path: str) -> Path:
        """Turns a path relative to the root into the path of the real file.

        Args:
            path: Relative, with forward slashes.

        Returns:
            The absolute path, links resolved.

        Raises:
            OutsideRootError: The path is empty, absolute, or leads out of the root.
        """
        pure = PurePosixPath(path)
        if not path or pure.is_absolute() or ".." in pure.parts or "\\" in path or "\0" in path:
            raise OutsideRootError(f"{path!r} is not a path inside {self.root}")
        relative = self.relative(path)
        if relative is None:
            raise OutsideRootError(f"{path!r} leads out of {self.root}")
        return self.root / relative

    def is_in_app(self, file: str) -> bool:
        """Tells whether a file is the project's own code.

        Order: explicitly included, explicitly excluded, installed or standard library or this tool,
        below the root.

        Args:
            file: Absolute, or relative to the root; in-memory names are never in-app.
        """
        path = self.relative(file)
        if path is None:
            return False
        if glob_match(path, self.settings.include):
            return True
        if glob_match(path, self.settings.exclude):
            return False
        return not (is_foreign(path) or self._in_environment(path) or self._is_own_package(path))

    def _is_own_package(self, path: str) -> bool:
        return (self.root / path).is_relative_to(_OWN_PACKAGE)

    def _in_environment(self, path: str) -> bool:
        """Tells whether a directory between root and file is a virtual environment."""
        return any(
            self._is_environment(str(parent)) for parent in PurePosixPath(path).parents if str(parent) != "."
        )

    def _is_environment(self, directory: str) -> bool:
        known = self._environments.get(directory)
        if known is None:
            known = self._environments[directory] = is_file(self.root / directory / "pyvenv.cfg")
        return known

    def walk(self) -> Iterator[Path]:
        """Yields all files of the project, without caches, environments and our own state.

        Linked directories are not entered, and a linked file only counts when its target is inside.
        """
        yield from walk_files(self.root)

    def python_files(self) -> tuple[str, ...]:
        """Lists the project's Python files, sorted; looked up once per instance.

        Files that git ignores are left out where git is there; so are files too large to be code.
        """
        return self._python_files

    @cached_property
    def _python_files(self) -> tuple[str, ...]:
        listed = tracked_files(self.root)
        if listed is None:
            listed = [file.relative_to(self.root).as_posix() for file in self.walk()]
        return tuple(sorted({path for path in listed if self._is_source(path)}))

    def _is_source(self, path: str) -> bool:
        if not path.endswith(_SUFFIXES) or is_foreign(path) or self._in_environment(path):
            return False
        file = self.root / path
        try:
            small = file.is_file() and file.stat().st_size <= MAX_SOURCE_BYTES
        except OSError:
            return False
        return small and (self.relative(path) is not None)

    def read(self, path: str) -> SourceText:
        """Reads a source file.

        Args:
            path: Relative to the root.

        Raises:
            OutsideRootError: The path leads out of the root.
            UnreadableSourceError: It cannot be read or decoded.
        """
        return read_source(self.absolute(path), path)

    @cached_property
    def source_roots(self) -> tuple[str, ...]:
        """Directories that are on the import path when the project is installed; "" is the root."""
        found = [root for root in self._configured_roots() if (self.root / root).is_dir()]
        if (self.root / "src").is_dir() and not (self.root / "src" / "__init__.py").exists():
            found.append("src")
        return (*dict.fromkeys(PurePosixPath(root).as_posix() for root in found if root != "."), "")

    def _configured_roots(self) -> list[str]:
        try:
            tool = tomllib.loads(self.read("pyproject.toml").text).get("tool", {})
            setuptools, poetry = tool.get("setuptools", {}), tool.get("poetry", {})
            roots = [setuptools.get("package-dir", {}).get(""), *_where(setuptools)]
            roots += [entry.get("from") for entry in poetry.get("packages", []) if isinstance(entry, dict)]
        except (UnreadableSourceError, OutsideRootError, tomllib.TOMLDecodeError, AttributeError, TypeError):
            return []  # a project without (valid) metadata is laid out by convention
        return [root for root in roots if isinstance(root, str) and self.relative(root) is not None]

    def module_name(self, path: str) -> str:
        """Names the module that a file is imported as.

        Args:
            path: Relative to the root.

        Returns:
            The dotted name (`pkg.x` for `src/pkg/x.py`, `pkg` for `pkg/__init__.py`).
        """
        for root in self.source_roots:
            if not root or path.startswith(root + "/"):
                path = path[len(root) + 1 :] if root else path
                break
        parts = list(PurePosixPath(path).with_suffix("").parts)
        if len(parts) > 1 and parts[-1] == "__init__":
            parts.pop()
        odd = [i for i, part in enumerate(parts[:-1]) if not part.isidentifier()]
        return ".".join(parts[odd[-1] + 1 :] if odd else parts)

    def find_module(self, dotted: str) -> str | None:
        """Finds the file of a module.

        Args:
            dotted: Absolute module name.

        Returns:
            Its path relative to the root; None when the project has no such file, when it is a
            namespace package (which has none), or when several files fit equally.
        """
        parts = dotted.split(".")
        if not all(part.isidentifier() for part in parts):
            return None
        tail = "/".join(parts)
        files = self._file_set
        for root in self.source_roots:
            for shape in (f"{tail}/__init__.py", f"{tail}.py"):
                candidate = f"{root}/{shape}" if root else shape
                if candidate in files:
                    return candidate
        ends = (f"/{tail}.py", f"/{tail}/__init__.py")
        fitting = [path for path in self._python_files if path.endswith(ends)]
        return fitting[0] if len(fitting) == 1 else None

    @cached_property
    def _file_set(self) -> frozenset[str]:
        return frozenset(self._python_files)

    def protected(self, path: str) -> str:
        """Says why a fix may not touch a file.

        Args:
            path: Relative to the root.

        Returns:
            A sentence, or "" when it may be changed.
        """
        try:
            real = self.absolute(path)
        except OutsideRootError as error:
            return f"{path} is protected: {error}"
        for name in dict.fromkeys((path, real.relative_to(self.root).as_posix())):
            if reason := protection(name, path):
                return reason
            if self._in_environment(name):
                return f"{path} is protected: it is inside a virtual environment"
            if pattern := glob_match(name, self.settings.protect):
                return f"{path} is protected: the setting `protect` names it ({pattern})"
        if self._is_own_package(real.relative_to(self.root).as_posix()):
            return f"{path} is protected: the healer never changes itself"
        return ""

    def localise(self, report: CrashReport) -> CrashReport:
        """Fills in which frames are the project's own, and where; see `selfheal_tui.source.localise`.

        Args:
            report: As captured.

        Returns:
            The report with `path`, `in_app`, qualified names and modules of its frames set.
        """
        from selfheal_tui.source.localise import localise

        return localise(self, report)


def _where(setuptools: dict[str, object]) -> list[object]:
    packages = setuptools.get("packages", {})
    find = packages.get("find", {}) if isinstance(packages, dict) else {}
    where = find.get("where", []) if isinstance(find, dict) else []
    return list(where) if isinstance(where, list) else []
