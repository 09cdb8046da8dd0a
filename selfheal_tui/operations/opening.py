"""Opens a project for an answer in the environment in which the question was asked.

An approval is bound to the policy of that environment; where nothing in this session names another one, the default
(production) must not make it worthless. Nothing is decided here.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from selfheal_tui.model.incident import Incident
from selfheal_tui.pipeline.build import Opened, open_project
from selfheal_tui.store import AmbiguousIncidentError, Store, UnknownIncidentError, UnknownRequestError


@dataclass(frozen=True, slots=True)
class Session:
    """What a session was started with.

    Attributes:
        root: The project.
        environ: Environment variables.
        flags: Settings from the command line, by dotted key.
        env_file: A `.env` file, if one was asked for.
    """

    root: Path
    environ: Mapping[str, str]
    flags: Mapping[str, str] = field(default_factory=dict)
    env_file: Path | None = None

    @contextlib.contextmanager
    def opened(self) -> Iterator[Opened]:
        """Opens the project.

        Raises:
            ConfigError: A setting is wrong.
            StoreError: The store cannot be opened.
        """
        with open_project(
            self.root, environ=self.environ, flags=self.flags, env_file=self.env_file
        ) as project:
            yield project

    @contextlib.contextmanager
    def opened_as_asked(self, about: str) -> Iterator[Opened]:
        """Opens the project in the environment of an incident, unless the session names one.

        Args:
            about: A request's id or an incident's; the ordinary environment is taken for anything else.

        Raises:
            ConfigError: A setting is wrong.
            StoreError: The store cannot be opened.
        """
        with self.opened() as project:
            incident = _incident_of(project.engine.store, about)
            named = project.loaded.origins["environment"].source != "default"
            if named or incident is None or incident.environment is project.loaded.settings.environment:
                yield project
                return
        flags = {**self.flags, "environment": incident.environment.value}
        with open_project(self.root, environ=self.environ, flags=flags, env_file=self.env_file) as as_asked:
            yield as_asked


def _incident_of(store: Store, about: str) -> Incident | None:
    incident_id = about.lstrip("#")
    with contextlib.suppress(UnknownRequestError):
        incident_id = store.approvals.get(about).incident_id
    try:
        return store.incidents.get(incident_id)
    except (UnknownIncidentError, AmbiguousIncidentError):
        return None
