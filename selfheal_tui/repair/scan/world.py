"""What lies around a file: the other modules of the project, installed packages, the standard library.

Modules of the project and of installed packages are read as source and never imported; of the standard library the
interpreter itself is asked. Whatever could bring names into a module unseen makes it unknown, and about what is
unknown nothing is said.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from selfheal_tui.repair.rules.similar import near
from selfheal_tui.repair.rules.stdlib_moves import MOVES
from selfheal_tui.repair.rules.support import CERTAIN
from selfheal_tui.repair.rules.target import is_stdlib, module_members
from selfheal_tui.repair.scan.everywhere import Everywhere
from selfheal_tui.repair.scan.excuses import dotted
from selfheal_tui.repair.scan.view import View
from selfheal_tui.source.project import Project
from selfheal_tui.source.text import UnreadableSourceError, read_source

MOST_VIEWS = 400
"""So many parsed files are kept; a large project's trees together would take gigabytes."""
_DYNAMIC_CALLS = frozenset(
    {"globals", "vars", "locals", "exec", "eval", "execfile", "setattr", "lazy_import"}
)
_WORD = re.compile(r"[^\W\d]\w*")
_ELSEWHERE = (".pyi", ".so", ".pyd", ".pyx", ".c", ".cpp", ".in", ".py.in", ".jinja", ".pxd")


@dataclass(frozen=True, slots=True)
class Listed:
    """What a module of the standard library has here, and what ours has of the same name.

    Attributes:
        here: Names in the target interpreter; empty when it cannot say.
        ours: Names in the interpreter that runs us, if it is a harmless module to load.
    """

    here: frozenset[str]
    ours: frozenset[str]


class World:
    """Everything that files refer to.

    Args:
        project: The project, read only.
        interpreter: Executable of the target interpreter.
        sys_path: Where it finds installed packages.
        paths: Files of the project that are looked at, for what is known across them.
    """

    def __init__(
        self, project: Project, interpreter: str, sys_path: Sequence[str], paths: Sequence[str]
    ) -> None:
        self.project = project
        self.interpreter = interpreter
        self._sys_path = [Path(entry) for entry in sys_path if Path(entry).is_dir()]
        self._paths = paths
        self._views: OrderedDict[str, View | None] = OrderedDict()
        self._installed: dict[str, View | None] = {}
        self._listed: dict[str, Listed] = {}
        self._dynamic: dict[str, bool] = {}
        self._owned: dict[str, str] = {}
        self._files = frozenset(project.python_files())

    def view(self, path: str) -> View | None:
        """Reads and parses a file of the project; None when it cannot be."""
        if path in self._views:
            self._views.move_to_end(path)
            return self._views[path]
        self._views[path] = self._parse(self.project.root / path, path, self.project.module_name(path))
        if len(self._views) > MOST_VIEWS:
            self._views.popitem(last=False)
        return self._views[path]

    def _parse(self, file: Path, path: str, module: str) -> View | None:
        try:
            text = read_source(file, path).text
            return View(path, module, text, ast.parse(text))
        except (OSError, UnreadableSourceError, SyntaxError, ValueError, RecursionError, MemoryError):
            return None

    def module(self, name: str) -> View | None:
        """Finds a module by dotted name: of the project, else of an installed package; None when there is no source."""
        path = self._own(name)
        if path:
            return self.view(path)
        if name not in self._installed:
            self._installed[name] = self._find_installed(name)
        return self._installed[name]

    def is_own(self, name: str) -> bool:
        """Whether the project has the module."""
        return bool(self._own(name))

    def _own(self, name: str) -> str:
        """The project's file of a module; empty when it has none.

        A file deep inside answers only to names that nothing else has: `typing.py` of a package is no `typing`.
        """
        known = self._owned.get(name)
        if known is None:
            known = self._at_root(name)
            if not known and not is_stdlib(self.interpreter, name) and not self._is_elsewhere(name):
                known = self._beside_script(name)
            self._owned[name] = known
        return known

    def _beside_script(self, name: str) -> str:
        """A module in a folder of scripts, which is no package."""
        path = self.project.find_module(name) or ""
        depth = name.count(".") + 1 + path.endswith("__init__.py")
        parts = path.split("/")[:-depth]
        return path if path and "/".join([*parts, "__init__.py"]) not in self._files else ""

    def _at_root(self, name: str) -> str:
        tail = "/".join(name.split("."))
        for root in self.project.source_roots:
            for shape in (f"{tail}/__init__.py", f"{tail}.py"):
                path = f"{root}/{shape}" if root else shape
                if path in self._files:
                    return path
        return ""

    def _is_elsewhere(self, name: str) -> bool:
        """Whether the first part of a name is a package at a root, or installed."""
        top = name.partition(".")[0]
        roots = [self.project.root / root for root in self.project.source_roots]
        return any((r / top).is_dir() or (r / f"{top}.py").is_file() for r in (*roots, *self._sys_path))

    def _find_installed(self, name: str) -> View | None:
        if is_stdlib(self.interpreter, name) or not all(part.isidentifier() for part in name.split(".")):
            return None
        for entry in self._sys_path:
            base = entry.joinpath(*name.split("."))
            for file in (base / "__init__.py", base.with_suffix(".py")):
                if file.is_file():
                    return self._parse(file, str(file), name)
        return None

    def exists(self, name: str) -> bool:
        """Whether anything (a module, package, folder, extension or template) may answer to a module name."""
        tail = "/".join(name.split("."))
        if self._own(name):
            return True
        roots = [self.project.root / root for root in self.project.source_roots]
        for root in (*roots, *self._sys_path):
            base = root / tail
            if base.is_dir() or base.with_suffix(".py").is_file():
                return True
            if base.parent.is_dir() and any(
                other.name.startswith(base.name + ".") and other.name.endswith(_ELSEWHERE)
                for other in base.parent.iterdir()
            ):
                return True
        return False

    def absolute(self, view: View, node: ast.ImportFrom) -> str:
        """Spells the module of a from-import absolutely; empty when the file has no known place in a package."""
        if not node.level:
            return node.module or ""
        parts = view.module.split(".")
        if not view.path.endswith("__init__.py"):
            parts = parts[:-1]
        parts = parts[: len(parts) - (node.level - 1)]
        return ".".join([*parts, *([node.module] if node.module else [])]) if parts else ""

    def has(self, module: str, name: str) -> bool | None:
        """Whether a module has a name after it was imported; None when that cannot be told."""
        if name.startswith("__") and name.endswith("__"):
            return None
        view = self.module(module)
        if view is None:
            return self._library_has(module, name)
        if name in view.top or self.exists(f"{module}.{name}"):
            return True
        if self.is_dynamic(view) or name in self.stored or name in self.quoted(view):
            return None
        for star in view.stars:
            from_there = self.has(self.absolute(view, star), name)
            if from_there is not False:
                return from_there
        return False

    def _library_has(self, module: str, name: str) -> bool | None:
        listed = self.listed(module)
        if name in listed.here:
            return True
        if not listed.here or name in self.stored:
            return None
        # Names of other platforms look just like wrong ones, but not like a slip of the pen.
        last = module.rpartition(".")[2]
        if last in listed.here and name in module_members(self.interpreter, module, last):
            return False  # `datetime.now()`: the class of the module's own name was meant
        slip = not name.isupper() and any(m.confidence >= CERTAIN for m in near(name, listed.here))
        if (module, name) not in MOVES and name not in listed.ours and not slip:
            return None
        return None if self._is_library_module(f"{module}.{name}") else False

    def _is_library_module(self, name: str) -> bool:
        return bool(module_members(self.interpreter, name))

    def listed(self, module: str) -> Listed:
        """What a module of the standard library has."""
        known = self._listed.get(module)
        if known is None:
            here: frozenset[str] = frozenset()
            if is_stdlib(self.interpreter, module):
                here = frozenset(module_members(self.interpreter, module))
            # Only what is loaded in our own process anyhow is looked at.
            ours = frozenset(dir(sys.modules[module])) if module in sys.modules and here else frozenset()
            known = self._listed[module] = Listed(here, ours)
        return known

    def is_dynamic(self, view: View) -> bool:
        """Whether a module may have names that its text does not show."""
        known = self._dynamic.get(view.path)
        if known is None:
            known = self._dynamic[view.path] = _dynamic(view)
        return known

    def quoted(self, view: View) -> frozenset[str]:
        """Words in the texts of a module, which it may use as names."""
        return frozenset(
            word
            for node in view.nodes
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 200
            for word in _WORD.findall(node.value)
        )

    @cached_property
    def _everywhere(self) -> Everywhere:
        known = Everywhere()
        for path in self._paths:
            view = self.view(path)
            if view is not None:
                known.add(view)
        return known

    @property
    def stored(self) -> set[str]:
        """Attributes that are assigned to anywhere in the project, on whatever object."""
        return self._everywhere.stored

    @property
    def put_on_builtins(self) -> set[str]:
        """Names that the project makes builtins of."""
        return self._everywhere.put_on_builtins

    @property
    def instantiated(self) -> set[str]:
        """Names that are called somewhere in the project."""
        return self._everywhere.called

    @property
    def said(self) -> set[str]:
        """Identifiers that stand in the project as texts or keywords, and may become attributes."""
        return self._everywhere.said

    @property
    def members(self) -> Counter[str]:
        """How many definitions classes of the project have, by name."""
        return self._everywhere.members

    def mentioned_in_build(self, file_name: str) -> bool:
        """Whether a build file speaks of a file, which is then made at build time."""
        return file_name in self._build_text

    @cached_property
    def _build_text(self) -> str:
        names = (
            "pyproject.toml",
            "setup.py",
            "setup.cfg",
            ".gitignore",
            "meson.build",
            "CMakeLists.txt",
            "hatch.toml",
        )
        texts = []
        for name in names:
            try:
                texts.append(
                    (self.project.root / name).read_text(encoding="utf-8", errors="replace")[:200_000]
                )
            except OSError:
                continue
        return "\n".join(texts)


def _dynamic(view: View) -> bool:
    if "__getattr__" in view.top:
        return True
    for node in view.nodes:
        if isinstance(node, ast.Call):
            name = dotted(node.func)
            if name in _DYNAMIC_CALLS or name.endswith(
                ("sys.modules.update", "attach", "lazy_import", "deprecated_names")
            ):
                return True
        elif (isinstance(node, ast.Subscript) and dotted(node.value) in ("sys.modules", "modules")) or (
            isinstance(node, ast.Attribute) and node.attr == "__dict__" and _may_be_module(node)
        ):
            return True
    return False


def _may_be_module(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name | ast.Subscript) and not isinstance(node.ctx, ast.Del)
