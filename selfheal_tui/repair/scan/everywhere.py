"""What is known across all files of a project, so that a name is not said to be missing which another file gives."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass, field

from selfheal_tui.repair.scan.excuses import dotted
from selfheal_tui.repair.scan.view import View


@dataclass(slots=True)
class Everywhere:
    """What is known across all files of a project; names only, so that the trees need not be kept.

    Attributes:
        stored: Attributes that are assigned to.
        said: Identifiers that stand there as texts or keywords.
        members: What classes define, with how often.
        put_on_builtins: Names that become builtins.
        called: Names that are called.
    """

    stored: set[str] = field(default_factory=set)
    said: set[str] = field(default_factory=set)
    members: Counter[str] = field(default_factory=Counter)
    put_on_builtins: set[str] = field(default_factory=set)
    called: set[str] = field(default_factory=set)

    def add(self, view: View) -> None:
        """Takes in what a file has."""
        for node in view.nodes:
            if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
                self.stored.add(node.attr)
                if "builtin" in dotted(node.value):
                    self.put_on_builtins.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
                self.said.add(node.value)
            elif isinstance(node, ast.keyword) and node.arg:
                self.said.add(node.arg)
            elif isinstance(node, ast.Call):
                self.called.add(dotted(node.func).rpartition(".")[2])
            elif isinstance(node, ast.ClassDef):
                self._add_class(node)

    def _add_class(self, node: ast.ClassDef) -> None:
        for inner in ast.walk(node):
            if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and inner is not node:
                self.members[inner.name] += 1
            elif isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                self.members[inner.id] += 1
