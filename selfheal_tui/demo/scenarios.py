"""What goes wrong in the demo project, and how each incident should honestly end.

A list for narration and for tests; nothing here may influence what the healer does.
"""

from __future__ import annotations

from dataclasses import dataclass

from selfheal_tui.model.kinds import IssueType, Outcome


@dataclass(frozen=True, slots=True)
class Scenario:
    """One way in which the demo project crashes.

    Attributes:
        name: Task name of the demo agent, and id of the scenario.
        title: What the agent was doing, for the heading.
        arguments: Arguments for the interpreter: the command is `[python, *arguments]`.
        exception: Bare type of the exception.
        message: Text that its message contains.
        narration: What is wrong, and what a careful healer should make of it.
        expected: How the incident should close without a language model, in a permissive environment.
        issue_type: The seed's category where the seed names this very example, else None.
        rolls_back: Whether the demo takes the fix out again on purpose, to show that this works.
        since: Oldest Python on which it crashes.
    """

    name: str
    title: str
    arguments: tuple[str, ...]
    exception: str
    message: str
    narration: str
    expected: Outcome
    issue_type: IssueType | None = None
    rolls_back: bool = False
    since: tuple[int, int] = (3, 9)


def _task(name: str) -> tuple[str, ...]:
    return ("-m", "agent", name)


SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        name="publish",
        title="Publishing the bulletin through the output sanitizer",
        arguments=_task("publish"),
        exception="AttributeError",
        message="'OutputSanitizer' object has no attribute 'has_secrets'",
        narration="The method was renamed to contains_secrets and one caller was left behind. History "
        "proves the rename, so the caller is redirected; a stub that always says 'no secrets' "
        "would fail the tests.",
        expected=Outcome.HEALED,
        issue_type=IssueType.RELIABILITY,
    ),
    Scenario(
        name="research",
        title="Collecting sources within a minute",
        arguments=_task("research"),
        exception="TimeoutError",
        message="Operation timed out after 60 seconds",
        narration="Sources are fetched one after the other and the budget of 60 seconds runs out. "
        "Fetching side by side, fewer sources or a longer budget are choices for a person, so "
        "this is explained, not patched.",
        expected=Outcome.EXPLAINED,
        issue_type=IssueType.SCALABILITY,
    ),
    Scenario(
        name="deploy",
        title="Deploying without anybody's approval",
        arguments=_task("deploy"),
        exception="PermissionError",
        message="Tool requires approval but approval not granted",
        narration="Governance did its job. Removing the gate would stop the crash and is exactly what "
        "must never happen by itself: a person grants the approval, or does not.",
        expected=Outcome.EXPLAINED,
        issue_type=IssueType.GOVERNANCE,
    ),
    Scenario(
        name="report",
        title="Writing the end-of-day report",
        arguments=_task("report"),
        exception="TypeError",
        message='can only concatenate str (not "int") to str',
        narration="A number is added to a text without being turned into one.",
        expected=Outcome.HEALED,
    ),
    Scenario(
        name="archive",
        title="Handing the items to the archive",
        arguments=_task("archive"),
        exception="NameError",
        message="name 'json' is not defined",
        narration="The JSON format was added to the exporter, its import was not.",
        expected=Outcome.HEALED,
    ),
    Scenario(
        name="remember",
        title="Taking notes through a long morning",
        arguments=_task("remember"),
        exception="RuntimeError",
        message="dictionary changed size during iteration",
        narration="Old notes are deleted from the dictionary that is being walked.",
        expected=Outcome.HEALED,
    ),
    Scenario(
        name="ask",
        title="Asking the local model for a summary",
        arguments=_task("ask"),
        exception="ConnectionRefusedError",
        message="Connection refused",
        narration="Nothing listens at the model's address. That is the world, not the code.",
        expected=Outcome.TRANSIENT,
    ),
    Scenario(
        name="brief",
        title="Briefing the night shift",
        arguments=_task("brief"),
        exception="FileNotFoundError",
        message="night_shift.md",
        narration="The prompt template was never written. Only an editor can supply it; an invented one "
        "would be worse.",
        expected=Outcome.EXTERNAL,
    ),
    Scenario(
        name="health",
        title="Computing how the sub-agents fared",
        arguments=_task("health"),
        exception="ZeroDivisionError",
        message="division by zero",
        narration="The reviewer has not run yet, so its success rate is 0 of 0. Whether that means 0 %, "
        "100 % or 'unknown' is a decision, not a repair.",
        expected=Outcome.EXPLAINED,
    ),
    Scenario(
        name="review",
        title="Having the draft reviewed by an asynchronous sub-agent",
        arguments=_task("review"),
        exception="AttributeError",
        message="'coroutine' object has no attribute 'score'",
        narration="The sub-agent's answer is used before it was awaited.",
        expected=Outcome.HEALED,
    ),
    Scenario(
        name="weekend",
        title="Laying the weekend's settings over the usual ones",
        arguments=_task("weekend"),
        exception="AttributeError",
        message="module 'collections' has no attribute 'Mapping'",
        narration="The name moved to collections.abc long ago and left its old home in Python 3.10.",
        expected=Outcome.HEALED,
        since=(3, 10),
    ),
    Scenario(
        name="translate",
        title="Framing the bulletin in the language of the edition",
        arguments=_task("translate"),
        exception="KeyError",
        message="langauge",
        narration="A misspelt key. It is fixed, and then taken out again by the operator to show that a "
        "rollback restores every byte and keeps its place on record.",
        expected=Outcome.ROLLED_BACK,
        rolls_back=True,
    ),
)

DAILY = _task("daily")
"""Arguments of the task that walks into one healable crash after the other, for a longer run."""


def scenario(name: str) -> Scenario:
    """Looks a scenario up by name.

    Raises:
        KeyError: There is no such scenario; the message lists those that exist.
    """
    for candidate in SCENARIOS:
        if candidate.name == name:
            return candidate
    known = ", ".join(s.name for s in SCENARIOS)
    raise KeyError(f"no scenario named {name!r}; there are: {known}")
