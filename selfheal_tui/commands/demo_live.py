"""`selfheal demo --live`: heals an agent that keeps running, without stopping it.

The agent catches what fails, logs it and tries again; it knows nothing of selfheal. What the demo claims at
its end it has read from the agent's own journal: one process throughout, a count that never fell back, and no
task lost.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from selfheal_tui.commands import exits
from selfheal_tui.commands.common import Failure, Options, emit_json, opened, say
from selfheal_tui.commands.running import keep_running
from selfheal_tui.demo.materialise import DemoError, materialise_live
from selfheal_tui.model.incident import Incident, IncidentState
from selfheal_tui.model.kinds import Outcome, Restart
from selfheal_tui.operations import texts
from selfheal_tui.supervisor.programs import ProgramSpec

TASKS = 90
KINDS_PROMISED = 5
PATIENCE_SECONDS = 400
"""How long the agent tries failing tasks again; far more than healing takes, also on a slow machine."""
JOURNAL = "journal.jsonl"
LONG_TASKS = 5000
LONG_SECONDS = 86_400
"""In the console the agent goes on until somebody leaves."""


@dataclass(frozen=True, slots=True)
class LiveEnding:
    """What the agent's journal and the store say.

    Attributes:
        exit_code: Of the agent.
        processes: How many processes finished tasks; one means that it was never started anew.
        completed: Tasks that it finished.
        lost: Tasks that it never finished.
        fell_back: Whether its count of finished tasks was ever smaller than before.
        healed: Error types of the crashes whose fixes are in the running program.
    """

    exit_code: int
    processes: int
    completed: int
    lost: int
    fell_back: bool
    healed: tuple[str, ...]

    @property
    def as_promised(self) -> bool:
        """Whether everything that the demo promises was seen."""
        return (
            self.exit_code == 0
            and self.processes == 1
            and self.lost == 0
            and not self.fell_back
            and len(self.healed) >= KINDS_PROMISED
        )


def play_live(into: Path | None, *, as_json: bool) -> bool:
    """Plays the demo.

    Args:
        into: Folder to make; None takes a temporary one.
        as_json: Steps as JSON lines on standard error, the ending on standard output.

    Returns:
        Whether everything that was promised was seen.
    """
    folder = _folder(into)
    command = _command(tasks=TASKS, seconds=PATIENCE_SECONDS)
    options = Options(root=folder, as_json=as_json, flags={"environment": "local"}, env_file=None)
    stdout = os.dup(1)
    if as_json:
        # The agent inherits standard output; with --json it is reserved for the one document at the end.
        os.dup2(2, 1)
    try:
        say(f"selfheal demo: an agent that keeps running, in {folder}")
        say(f"   $ python {' '.join(command[1:])}")
        with contextlib.chdir(folder), opened(options) as project:
            spec = ProgramSpec("desk", command, restart=Restart.NEVER)
            code = keep_running(project, options, [spec], reset=(), yes=False)
            ending = _ending(folder, project.engine.store.incidents.all(), code)
    finally:
        sys.stdout.flush()
        os.dup2(stdout, 1)
        os.close(stdout)
    if as_json:
        emit_json({"folder": str(folder), "ending": ending, "as_promised": ending.as_promised})
    else:
        _tell(ending, folder)
    return ending.as_promised


def open_live(into: Path | None) -> NoReturn:
    """Opens the console on the agent, in an environment in which some crashes are healed unasked and others ask.

    Args:
        into: Folder to make; None takes a temporary one.
    """
    from selfheal_tui.commands.console import open_console

    folder = _folder(into)
    command = _command(tasks=LONG_TASKS, seconds=LONG_SECONDS)
    spec = ProgramSpec("desk", command, cwd=folder, restart=Restart.ON_CRASH)
    options = Options(root=folder, as_json=False, flags={"environment": "dev"}, env_file=None)
    # The folder is left for exploring, with the commands that this very session would have answered to.
    (folder / "selfheal.toml").write_text('environment = "dev"\n', encoding="utf-8")
    farewell = (
        f"The folder stays: cd {folder}",
        "  selfheal                    the console again, without the agent",
        "  selfheal history            what became of each crash",
        "  selfheal backups            what can be taken back, with: selfheal rollback ID",
    )
    os.chdir(folder)
    open_console(options, specs=[spec], farewell=farewell)


def _folder(into: Path | None) -> Path:
    try:
        return materialise_live(into or Path(tempfile.mkdtemp(prefix="selfheal-live-")) / "desk-agent")
    except DemoError as error:
        raise Failure(str(error), exits.BAD_INPUT) from error


def _command(*, tasks: int, seconds: int) -> tuple[str, ...]:
    return (
        *(sys.executable, "-m", "desk"),
        *("--tasks", str(tasks)),
        *("--journal", JOURNAL),
        *("--seconds", str(seconds)),
    )


def _ending(folder: Path, incidents: list[Incident], code: int) -> LiveEnding:
    lines = (folder / JOURNAL).read_text(encoding="utf-8").splitlines()
    entries = [json.loads(line) for line in lines]
    counts = [entry["completed"] for entry in entries]
    return LiveEnding(
        exit_code=code,
        processes=len({entry["pid"] for entry in entries}),
        completed=len(entries),
        lost=TASKS - len({entry["task"] for entry in entries}),
        fell_back=any(later <= earlier for earlier, later in itertools.pairwise(counts)),
        healed=tuple(
            sorted(
                texts.one_line(f"{i.report.raised.bare_type}: {i.report.raised.message}", 90)
                for i in incidents
                if i.state is IncidentState.ON_PROBATION or i.outcome is Outcome.HEALED
            )
        ),
    )


def _tell(ending: LiveEnding, folder: Path) -> None:
    say("\n── How it ended " + "─" * 50)
    say(f"  processes          {ending.processes} (one: it was never started anew)")
    say(f"  tasks finished     {ending.completed} of {TASKS}, lost: {ending.lost}")
    say(f"  its count fell     {'YES' if ending.fell_back else 'never'}")
    say(f"  healed meanwhile   {len(ending.healed)}")
    for line in ending.healed:
        say(f"    {line}")
    say("  as promised" if ending.as_promised else "  NOT AS PROMISED")
    say(f"\nThe folder stays: cd {folder}")
