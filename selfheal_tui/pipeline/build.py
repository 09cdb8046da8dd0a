"""Puts an engine together from a project folder: the one place where floors are wired up.

Heavy parts (libcst, the sandbox, a model) are made when they are first needed, so that commands which
only look something up stay quick.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from selfheal_tui.config import ConfigError, LoadedSettings, load_settings
from selfheal_tui.model.crash import CrashReport
from selfheal_tui.model.settings import Settings
from selfheal_tui.pipeline.search import Tools
from selfheal_tui.pipeline.spending import spent_today
from selfheal_tui.pipeline.system import Engine
from selfheal_tui.repair.base import Proposer
from selfheal_tui.source.project import Project
from selfheal_tui.store import Store

PROPOSERS = ("memory", "rules", "patterns", "search", "llm")
"""Names that `repair.proposers` may hold, in the order in which they are asked."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A project that is open for work.

    Attributes:
        engine: The engine; its `store` and `project` are for reading.
        loaded: Settings and where each came from.
        recovered: Half-done changes that were undone at start-up, a sentence each.
        flags: Settings from the command line, by dotted key.
        env_file: A `.env` file, if one was asked for.
        environ: Environment variables that it was opened with, and that its workers get.
    """

    engine: Engine
    loaded: LoadedSettings
    recovered: tuple[str, ...]
    flags: Mapping[str, str] = field(default_factory=dict)
    env_file: Path | None = None
    environ: Mapping[str, str] = field(default_factory=dict)


@contextlib.contextmanager
def open_project(
    root: Path,
    *,
    environ: Mapping[str, str],
    flags: Mapping[str, str] | None = None,
    env_file: Path | None = None,
) -> Iterator[Opened]:
    """Opens a project's store, undoes what a crash left half-done, and makes its engine.

    Args:
        root: The project.
        environ: Environment variables.
        flags: Settings from the command line, by dotted key.
        env_file: A `.env` file, if one was asked for.

    Raises:
        ConfigError: A setting is wrong.
        StoreError: The store cannot be opened.
    """
    loaded = load_settings(root, environ=environ, flags=dict(flags or {}), env_file=env_file)
    _check_proposers(loaded)
    with Store.open(root) as store:
        recovered = tuple(store.transactions.recover()) if store.transactions.pending() else ()
        project = Project(root, loaded.settings.project)
        factory = ToolFactory(project, loaded.settings, store)
        with contextlib.closing(factory):
            engine = Engine(project, loaded.settings, store, factory)
            yield Opened(engine, loaded, recovered, dict(flags or {}), env_file, environ)


def _check_proposers(loaded: LoadedSettings) -> None:
    """A misspelt source would silently be none."""
    key = "repair.proposers"
    unknown = [name for name in loaded.settings.repair.proposers if name not in PROPOSERS]
    if unknown:
        problem = f"{unknown[0]!r} is no source of fixes"
        raise ConfigError(loaded.origins[key].source, key, problem, f"use some of {', '.join(PROPOSERS)}")


class ToolFactory:
    """Makes sandbox and proposers on first use, and stops the model's worker at the end."""

    def __init__(self, project: Project, settings: Settings, store: Store) -> None:
        self._project = project
        self._settings = settings
        self._store = store
        self._llm: Proposer | None = None

    def __call__(self, report: CrashReport) -> Tools:
        """Makes the tools for one crash."""
        from selfheal_tui.repair.memory import MemoryProposer
        from selfheal_tui.repair.mutations.proposer import MutationProposer
        from selfheal_tui.repair.patterns import PatternProposer
        from selfheal_tui.repair.rules.engine import RuleProposer
        from selfheal_tui.repair.search.proposer import SearchProposer
        from selfheal_tui.sandbox.interpreter import find_interpreter
        from selfheal_tui.sandbox.workspace import ProjectSandbox

        settings = self._settings
        found = find_interpreter(self._project, report, settings.project.interpreter)
        sandbox = ProjectSandbox(self._project, settings.sandbox, settings.project, found.executable)
        proposers: list[Proposer] = [
            MemoryProposer(self._store.learning),
            RuleProposer(),
            PatternProposer(self._store.learning),
            MutationProposer(),
            SearchProposer(),
        ]
        if settings.model.name:
            proposers.append(self._model())
        wanted = settings.repair.proposers
        asked = tuple(p for p in proposers if not wanted or p.name in wanted)
        return Tools(sandbox=sandbox, proposers=asked, interpreter=found.executable)

    def close(self) -> None:
        """Stops the model's worker, if one was started."""
        closing = getattr(self._llm, "close", None)
        if closing is not None:
            closing()

    def _model(self) -> Proposer:
        if self._llm is None:
            from selfheal_tui.repair.llm.proposer import LlmProposer

            self._llm = LlmProposer(spent_today=lambda: spent_today(self._store))
        return self._llm
