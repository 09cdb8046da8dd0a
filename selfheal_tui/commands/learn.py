"""`selfheal learn`: mines edit patterns from the fixes in git histories."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from selfheal_tui.commands import exits
from selfheal_tui.commands.common import Options, emit, emit_json, opened, project_options, say

if TYPE_CHECKING:
    from selfheal_tui.repair.mining.learn import Lesson

SHOWN = 20


@click.command("learn")
@click.argument(
    "repositories",
    metavar="[REPO]...",
    nargs=-1,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
@click.option("--trust", is_flag=True, help="Use the patterns of other repositories like the project's own.")
@click.option(
    "--max-commits",
    type=click.IntRange(1),
    default=2000,
    show_default=True,
    help="How many commits of each history are looked at, newest first.",
)
@project_options
def learn_command(*, options: Options, repositories: tuple[Path, ...], trust: bool, max_commits: int) -> None:
    """Learn kinds of edits from past fixes: of this project, or of the git repositories REPO.

    Only commits whose message speaks of a fix and that change a few lines are read; nothing of a repository is
    run. What fits near a later crash is offered as a guess, which a test has to vouch for. Patterns of other
    repositories are kept, but not used unless learnt with --trust, or learning.foreign_patterns is set.

    Exit code 0 when every history could be read, 1 when one could not.
    """
    from selfheal_tui.repair.mining.learn import learn

    with opened(options) as project:
        store = project.engine.store
        lesson = learn(store.learning, options.root, repositories, trust=trust, max_commits=max_commits)
        store.audit.append(
            "patterns.learnt",
            actor="operator",
            data={
                "origins": [m.origin for m in lesson.mined],
                "trusted": [m.trusted for m in lesson.mined],
                "kept": lesson.kept,
            },
        )
    if options.as_json:
        emit_json(lesson)
    else:
        _tell(lesson)
    sys.exit(exits.NOT_HEALED if any(m.problem for m in lesson.mined) else exits.OK)


def _tell(lesson: Lesson) -> None:
    for mined in lesson.mined:
        name = "this project" if mined.origin == "." else mined.origin
        unused = "" if mined.trusted else ", not used: learn with --trust to use them"
        say(f"{name}: {mined.edits} edits in {mined.fixes} small fixes{unused}")
        if mined.problem:
            say(f"{name}: {mined.problem}")
    for pattern in lesson.patterns[:SHOWN]:
        emit(f"{pattern.support:>4} commits  {pattern.shown}")
    more = len(lesson.patterns) - SHOWN
    if more > 0:
        emit(f"     … and {more} more")
    say(f"{lesson.kept} patterns are kept")
