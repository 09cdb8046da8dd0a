"""Makes what is shown of supervised programs, and does what an operator wants of one. Draws nothing."""

from __future__ import annotations

from selfheal_tui.operations import standings
from selfheal_tui.operations.answers import Answer, Came
from selfheal_tui.operations.safe import line
from selfheal_tui.operations.snapshot import ProgramView
from selfheal_tui.store import StoreError
from selfheal_tui.store.masking import clean
from selfheal_tui.supervisor.lifecycle import AT_REST, ProgramSnapshot
from selfheal_tui.supervisor.programs import ProgramManager, UnknownProgramError


def program_of(program: ProgramSnapshot) -> ProgramView:
    """Makes a program, its command line masked as everything that is stored is."""
    words: list[str] = clean([word[:1000] for word in program.argv[:50]])
    return ProgramView(
        name=line(program.name, 80),
        command=line(" ".join(words)),
        standing=standings.PROGRAMS[program.state],
        pid=program.pid,
        run=program.run,
        crashes=program.crashes,
        message=line(program.message),
        since=program.since,
    )


def restart(manager: ProgramManager, name: str, by: str) -> Answer:
    """Starts a program anew, whatever it does now; its crash-loop breaker is lifted."""
    try:
        if manager.snapshot(name).state in AT_REST:
            manager.reset_breaker(name)
            manager.start(name)
            return Answer(ok=True, text=f"{name} is started")
        done = manager.restart(name, f"operator:{by} wants it")
    except UnknownProgramError as error:
        return Answer(ok=False, text=str(error.args[0]), came=Came.NOT_FOUND)
    except StoreError as error:
        return Answer(ok=False, text=str(error), came=Came.REFUSED)
    if done:
        return Answer(ok=True, text=f"{name} is started anew")
    return Answer(ok=False, text=f"{name} is being stopped; start it when it has ended", came=Came.REFUSED)


def stop(manager: ProgramManager, name: str) -> Answer:
    """Stops a program for good: `TERM` first, `KILL` when it was asked before."""
    try:
        asked = manager.snapshot(name)
        if asked.state in AT_REST:
            return Answer(ok=False, text=f"{name} does not run", came=Came.REFUSED)
        if asked.state.value == "stopping":
            manager.kill(name)
            return Answer(ok=True, text=f"{name} is killed")
        manager.stop(name)
    except UnknownProgramError as error:
        return Answer(ok=False, text=str(error.args[0]), came=Came.NOT_FOUND)
    return Answer(ok=True, text=f"{name} is told to stop; asked again, it is killed")
