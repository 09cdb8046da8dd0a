"""Lets selfheal loose on a copy of a case, as anybody would from the command line, and reads what it spent.

It hands over the copy and the repro's command and nothing else of the case. The copy's own settings file does not decide
who is asked: variables win over it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from selfheal_tui.config.schema import settings_by_key
from selfheal_tui.model.incident import IncidentState
from selfheal_tui.model.kinds import Outcome
from selfheal_tui.model.settings import ModelSettings
from selfheal_tui.repair.llm.credentials import key_variables
from selfheal_tui.store import Store, StoreError
from selfheal_tui.supervisor.bench.processes import Ended, Processes
from selfheal_tui.supervisor.bench.result import With

MAX_HEALS = 3
_APPLIED = (Outcome.HEALED,)


@dataclass(frozen=True, slots=True)
class Spent:
    """What the healer did, by its own record.

    Attributes:
        attempts: Candidates that were validated.
        tokens: Tokens.
        usd: Money; None when unknown.
        rules: What the applied fixes came from.
    """

    attempts: int = 0
    tokens: int = 0
    usd: float | None = 0.0
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Healer:
    """How to heal.

    Attributes:
        mode: Who is asked.
        model: The model's settings.
        environ: Variables to take the model's key from.
        seconds: Time limit for a case.
        settings: Further settings, by their variables.
    """

    mode: With
    model: ModelSettings
    environ: Mapping[str, str]
    seconds: float
    settings: Mapping[str, str] = field(default_factory=dict)

    def heal(
        self, copy: Path, repro: Sequence[str], processes: Processes, environ: Mapping[str, str]
    ) -> Ended:
        """Heals a copy.

        Args:
            copy: The project.
            repro: Command that crashes.
            processes: Runs it.
            environ: The environment of the case.
        """
        argv = [
            sys.executable, "-P", "-m", "selfheal_tui", "run", "--headless", "--env", "local", "--wait", "0",
            "--root", str(copy), "--max-heals", str(MAX_HEALS), "--", *repro,
        ]  # fmt: skip
        own = {**environ, **self._variables(), **self.settings}
        return processes.run(argv, cwd=copy, environ=own, seconds=self.seconds)

    def _variables(self) -> dict[str, str]:
        if self.mode is With.RULES:
            return {"SELFHEAL_MODEL_NAME": "", "SELFHEAL_REPAIR_PROPOSERS": ""}
        found = {
            setting.variable: str(getattr(self.model, key.partition(".")[2]))
            for key, setting in settings_by_key().items()
            if key.startswith("model.")
        }
        found["SELFHEAL_REPAIR_PROPOSERS"] = "llm" if self.mode is With.MODEL else ""
        stronger = ModelSettings(
            name=self.model.escalate_to, api_base=self.model.api_base, api_key_env=self.model.api_key_env
        )
        names = {*key_variables(self.model), *(key_variables(stronger) if stronger.name else ())}
        return found | {name: self.environ[name] for name in names if name in self.environ}


def spent_on(copy: Path) -> Spent:
    """Reads from a copy's store what its healing took."""
    if not (copy / ".selfheal").is_dir():
        return Spent()
    try:
        with Store.open(copy) as store:
            incidents = store.incidents.all()
    except StoreError:
        return Spent()
    costs = [c for c in (i.cost for i in incidents) if c.prompt_tokens or c.completion_tokens or c.usd]
    applied = [
        incident.chosen_attempt.candidate
        for incident in reversed(incidents)
        if incident.chosen_attempt is not None
        and (incident.outcome in _APPLIED or incident.state is IncidentState.ON_PROBATION)
    ]
    return Spent(
        attempts=sum(len(incident.attempts) for incident in incidents),
        tokens=sum(cost.prompt_tokens + cost.completion_tokens for cost in costs),
        usd=None if any(cost.usd is None for cost in costs) else sum(cost.usd or 0.0 for cost in costs),
        rules=tuple(f"{candidate.proposer}/{candidate.rule}" for candidate in applied),
    )


def case_environment(python: str, home: Path) -> dict[str, str]:
    """The whole environment of a case's programs: nothing of whoever runs the bench, and the same every time."""
    path = os.pathsep.join((str(Path(python).parent), "/usr/local/bin", "/usr/bin", "/bin"))
    return {
        "PATH": path,
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONHASHSEED": "0",
    }
