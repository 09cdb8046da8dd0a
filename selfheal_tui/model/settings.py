"""Every setting with its type, default and meaning; reading them is the business of `config`. No I/O.

The field metadata is the one source for validation, `selfheal config`, and the table in the README.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from selfheal_tui.model.kinds import Environment, Restart, ThemeName


def _setting(default: Any, help_text: str, *, low: float | None = None, high: float | None = None) -> Any:
    return field(default=default, metadata={"help": help_text, "low": low, "high": high})


@dataclass(frozen=True, slots=True)
class ProjectSettings:
    """What belongs to the project and how it is tested."""

    include: tuple[str, ...] = _setting((), "globs of files that are in-app even if a rule below says no")
    exclude: tuple[str, ...] = _setting((), "globs of files that are never in-app")
    protect: tuple[str, ...] = _setting((), "globs of files that no fix may touch, beside the built-in ones")
    interpreter: str = _setting("", "Python of the project; empty: the crashed one, else .venv, else PATH")
    test_command: str = _setting("", "command that runs the tests; empty: found by itself")
    run_tests: bool = _setting(True, "whether the tests rung runs the project's tests")


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """Walls and limits of the isolated copy."""

    memory_mb: int = _setting(2048, "address space of a process, in MiB", low=64)
    processes: int = _setting(256, "processes and threads at once", low=8)
    replay_seconds: float = _setting(30.0, "time limit of one replay", low=0.1, high=3600)
    test_seconds: float = _setting(300.0, "time limit of one test run", low=1, high=7200)
    copy_mb: int = _setting(512, "largest copy of the project, in MiB", low=1)
    file_mb: int = _setting(16, "larger files are left out of the copy, in MiB", low=1)
    pass_environment: tuple[str, ...] = _setting(
        (), "names of environment variables that programs in the copy may see; all others are withheld"
    )
    require_isolation: bool = _setting(False, "whether validation is refused where only UNSANDBOXED is left")


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """The language model, if any; without a name the offline rules work alone."""

    name: str = _setting(
        "", "model string for litellm, such as openai/gpt-5 or ollama_chat/qwen3; empty: none"
    )
    api_base: str = _setting("", "base URL of an OpenAI-compatible or local server")
    api_key_env: str = _setting(
        "", "name of the environment variable that holds the key; empty: litellm's own"
    )
    temperature: float = _setting(0.0, "sampling temperature", low=0, high=2)
    seconds: float = _setting(120.0, "time limit of one answer", low=0.1, high=3600)
    max_answer_tokens: int = _setting(8192, "longest answer, in tokens", low=64)
    candidates: int = _setting(2, "answers asked for, each told why the ones before failed", low=1, high=10)
    reasks: int = _setting(1, "times a malformed answer is asked for again", low=0, high=2)
    tokens_per_incident: int = _setting(60_000, "token budget of one incident", low=0)
    usd_per_incident: float = _setting(1.0, "money budget of one incident, in US dollars", low=0)
    usd_per_day: float = _setting(10.0, "money budget of one day, in US dollars", low=0)
    escalate_to: str = _setting(
        "",
        "model string of a stronger model that gets as many answers once those of model.name have failed; its key is "
        "found as that of model.name is, and the budgets hold for both together; empty: none",
    )


@dataclass(frozen=True, slots=True)
class ApprovalSettings:
    """How long a person is waited for."""

    wait_seconds: float = _setting(
        900.0, "how long `selfheal run` waits for an answer; then it is denied", low=0
    )
    expires_seconds: float = _setting(900.0, "how long a request can be answered", low=1)


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """How long small changes are tried on a program whose answers are wrong, when no rule knows a fix."""

    seconds: float = _setting(15.0, "time for one search; 0: nothing is searched", low=0, high=3600)
    candidates: int = _setting(3000, "small changes tried in one search", low=10, high=100_000)


@dataclass(frozen=True, slots=True)
class RepairSettings:
    """Who is asked for fixes."""

    proposers: tuple[str, ...] = _setting(
        (), "sources of fixes that are asked, of memory, rules, patterns, search and llm; empty: all"
    )


@dataclass(frozen=True, slots=True)
class LearningSettings:
    """Fix patterns that `selfheal learn` mined."""

    foreign_patterns: bool = _setting(
        False,
        "whether patterns of other repositories are used although they were learnt without --trust",
    )


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """Where loops end."""

    attempts_per_incident: int = _setting(8, "candidates validated for one incident", low=1, high=100)
    heals_per_fingerprint: int = _setting(3, "changes for one crash before the breaker opens", low=1)
    heals_per_file_hour: int = _setting(6, "changes to one file within an hour", low=1)
    heals_per_hour: int = _setting(20, "changes to the project within an hour", low=1)
    cool_down_seconds: float = _setting(
        60.0, "pause for a fingerprint after a failed attempt, doubled each time", low=0
    )
    changed_lines: int = _setting(120, "largest patch that a proposer may make, in changed lines", low=1)
    changed_files: int = _setting(5, "largest number of files in one patch", low=1)


@dataclass(frozen=True, slots=True)
class SupervisionSettings:
    """How programs that keep running are watched and started again."""

    workers: int = _setting(2, "crashes healed at once; 0 takes crashes in and heals none", low=0, high=64)
    probation_seconds: float = _setting(
        600.0, "how long an applied fix is watched before it counts as healed", low=0, high=604_800
    )
    probation_calls: int = _setting(
        0, "runs without a crash that end the watch early; 0: time alone ends it", low=0
    )
    restart: Restart = field(
        default=Restart.ON_CRASH,
        metadata={
            "help": "never, on-crash or always: for [[program]] tables that do not say; "
            "one command on the command line is restarted only with --restart",
            "low": None,
            "high": None,
        },
    )
    backoff_seconds: float = _setting(
        1.0, "longest wait before the first restart, doubled with each crash", low=0, high=3600
    )
    backoff_max_seconds: float = _setting(
        60.0, "longest wait before any restart, and for the healing of the crash before it", low=0, high=86400
    )
    crash_loop_count: int = _setting(
        5, "crashes within crash_loop_seconds that stop a program", low=1, high=1000
    )
    crash_loop_seconds: float = _setting(
        120.0, "span of the crash loop; a run of that length starts the back-off anew", low=0.1, high=86400
    )
    hang_seconds: float = _setting(
        0.0,
        "a command of `selfheal run` that is not kept running is ended and healed once its main thread has stayed "
        "so long in one `while` loop, or in one wait for a lock, thread or queue; 0: never",
        low=0,
        high=86400,
    )
    output_lines: int = _setting(5000, "lines of each program's output that are kept", low=10, high=1_000_000)


@dataclass(frozen=True, slots=True)
class NotifySettings:
    """Who is told what happens, so that chat, mail or a pager are one line."""

    webhook: str = _setting("", "URL that gets each event as a JSON POST; https, or http to this machine")
    webhook_anywhere: bool = _setting(False, "whether the webhook may be plain http to another machine")
    command: tuple[str, ...] = _setting(
        (), "command and arguments that get each event as JSON on standard input; no shell"
    )
    events: tuple[str, ...] = _setting(
        ("on_approval", "on_healed", "on_rollback", "on_failed"),
        "which events are told: on_detected, on_approval, on_applied, on_healed, on_rollback, on_failed, "
        "on_explained, on_restart_needed",
    )
    seconds: float = _setting(10.0, "time limit of one delivery", low=0.1, high=300)
    retries: int = _setting(2, "how often a failed delivery is tried again", low=0, high=10)


@dataclass(frozen=True, slots=True)
class IntakeSettings:
    """Crashes that come in by the protocol of Sentry's clients, and how much of it is taken."""

    sentry: str = _setting(
        "", "HOST:PORT at which Sentry clients may report, such as 127.0.0.1:8969; empty: closed"
    )
    sentry_token: str = _setting(
        "", "public key that clients must have in their DSN; must be set beyond the loopback address"
    )
    max_event_kb: int = _setting(
        2048, "largest body, before and after decompression, in KiB", low=16, high=65_536
    )
    events_per_minute: int = _setting(120, "crashes taken in a minute; more are refused", low=1, high=100_000)


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """How the operator's console looks and calls."""

    theme: ThemeName = field(
        default=ThemeName.DARK,
        metadata={
            "help": "dark, light or terminal (the terminal's own palette, also taken under NO_COLOR)",
            "low": None,
            "high": None,
        },
    )
    ascii: bool = _setting(
        False, "whether no glyph outside ASCII is drawn; also taken where the locale is not UTF-8"
    )
    bell: bool = _setting(True, "whether to ring when somebody is needed")
    desktop_notifications: bool = _setting(
        True, "whether to send OSC 9 and 777 when somebody is needed and the terminal is not looked at"
    )
    keys: tuple[str, ...] = _setting(
        (), "other keys, such as app.quit=Q or review.approve=y; `selfheal keys` lists the actions"
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings."""

    environment: Environment = field(
        default=Environment.PRODUCTION,
        metadata={
            "help": "local, dev, staging or production; decides what is allowed unasked",
            "low": None,
            "high": None,
        },
    )
    project: ProjectSettings = field(default_factory=ProjectSettings)
    sandbox: SandboxSettings = field(default_factory=SandboxSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    approval: ApprovalSettings = field(default_factory=ApprovalSettings)
    search: SearchSettings = field(default_factory=SearchSettings)
    repair: RepairSettings = field(default_factory=RepairSettings)
    learning: LearningSettings = field(default_factory=LearningSettings)
    limits: LimitSettings = field(default_factory=LimitSettings)
    supervision: SupervisionSettings = field(default_factory=SupervisionSettings)
    notify: NotifySettings = field(default_factory=NotifySettings)
    intake: IntakeSettings = field(default_factory=IntakeSettings)
    console: ConsoleSettings = field(default_factory=ConsoleSettings)
