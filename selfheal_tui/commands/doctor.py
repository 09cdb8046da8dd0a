"""`selfheal doctor`: what is found, what is missing, and the one line that mends it."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click

from selfheal_tui.commands import exits
from selfheal_tui.commands.common import Options, emit, emit_json, opened, project_options


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        what: What.
        state: `ok`, `weak` (works, with less) or `missing` (something does not work without it).
        found: What was found.
        remedy: One line that mends it; empty when nothing is to be done.
    """

    what: str
    state: str
    found: str
    remedy: str = ""


@click.command("doctor")
@project_options
def doctor_command(*, options: Options) -> None:
    """Tell what is found and what is missing, with a one-line remedy each.

    Exit code 0 when healing can work here (perhaps with less evidence), 1 when something is missing.
    """
    with opened(options) as project:
        findings = list(_examine(project))
    if options.as_json:
        emit_json(findings)
    else:
        for finding in findings:
            emit(f"{finding.state:<8} {finding.what:<12} {finding.found}")
            if finding.remedy:
                emit(f"{'':<8} {'':<12} → {finding.remedy}")
    sys.exit(exits.NOT_HEALED if any(f.state == "missing" for f in findings) else exits.OK)


def _examine(project: Any) -> Iterator[Finding]:
    engine, settings = project.engine, project.loaded.settings
    yield Finding(
        "project", "ok", f"{engine.project.root} ({len(engine.project.python_files())} Python files)"
    )
    environment = project.loaded.origins["environment"]
    yield Finding(
        "environment",
        "ok",
        f"{settings.environment.value} (from {environment.source})",
        "" if environment.source != "default" else "unset means production; say --env local while developing",
    )
    yield from _interpreter_and_tests(engine, settings)
    yield _sandbox(settings)
    yield _git(engine)
    yield _model(settings)
    yield from _model_from_project(project.loaded)
    yield _store(engine)


def _interpreter_and_tests(engine: Any, settings: Any) -> Iterator[Finding]:
    from selfheal_tui.model.ports import SandboxError
    from selfheal_tui.sandbox.interpreter import find_interpreter
    from selfheal_tui.sandbox.testplan import find_tests

    try:
        interpreter = find_interpreter(engine.project, None, settings.project.interpreter)
    except SandboxError as error:
        yield Finding(
            "interpreter", "missing", str(error), "set project.interpreter to a Python 3.9 or newer that runs"
        )
        return
    old = tuple(int(part) for part in interpreter.version.split(".")[:2]) < (3, 9)
    yield Finding(
        "interpreter",
        "missing" if old else "ok",
        f"{interpreter.executable} (Python {interpreter.version}, {interpreter.origin})",
        "the probe needs Python 3.9 or newer: set project.interpreter" if old else "",
    )
    plan = find_tests(engine.project, interpreter, settings.project.test_command)
    yield Finding(
        "tests",
        "ok" if plan.runner else "weak",
        f"{plan.runner}: {' '.join(plan.argv)}" if plan.runner else plan.reason,
        "" if plan.runner else "set project.test_command; without tests only the replay proves a fix",
    )


def _sandbox(settings: Any) -> Finding:
    from selfheal_tui.sandbox.isolation import detect_isolation

    facts = detect_isolation()
    level = facts.level.value
    if level == "bubblewrap":
        return Finding("sandbox", "ok", level + (f"; {facts.weakness}" if facts.weakness else ""))
    remedy = "install bubblewrap (Debian: apt install bubblewrap) and allow user namespaces"
    state = "missing" if level == "UNSANDBOXED" and settings.sandbox.require_isolation else "weak"
    return Finding("sandbox", state, f"{level}: {facts.weakness}", remedy)


def _git(engine: Any) -> Finding:
    if shutil.which("git") is None:
        return Finding(
            "git", "weak", "not installed", "install git: renamed and deleted code is found in its history"
        )
    if not (engine.project.root / ".git").exists():
        return Finding(
            "git", "weak", "the project is not a repository", "git init: history shows what was renamed"
        )
    return Finding("git", "ok", "history is available")


def _model(settings: Any) -> Finding:
    if not settings.model.name:
        return Finding(
            "model",
            "ok",
            "none configured; the offline rules work alone",
            "set model.name to ask a language model too",
        )
    try:
        version = importlib.metadata.version("litellm")
    except importlib.metadata.PackageNotFoundError:
        return Finding(
            "model",
            "missing",
            f"{settings.model.name}, but litellm is not installed",
            "pip install selfheal-tui",
        )
    key = settings.model.api_key_env
    if key and not os.environ.get(key):
        return Finding("model", "missing", f"{settings.model.name}: ${key} is not set", f"export {key}=…")
    return Finding("model", "ok", f"{settings.model.name} through litellm {version}")


def _model_from_project(loaded: Any) -> Iterator[Finding]:
    """A checkout of somebody else's project must not quietly name the server that gets your key."""
    base, key = loaded.origins["model.api_base"], loaded.origins["model.api_key_env"]
    if loaded.settings.model.api_base and base.source.startswith(("pyproject.toml", "selfheal.toml")):
        yield Finding(
            "model server",
            "weak",
            f"{loaded.settings.model.api_base}, named by the project's {base.source}; it gets ${loaded.settings.model.api_key_env or '(no key)'} (from {key.source})",
            "make sure that you trust this project with that key",
        )


def _store(engine: Any) -> Finding:
    result = engine.store.audit.verify()
    paused = engine.store.pause.status()
    if not result.ok:
        return Finding(
            "store",
            "missing",
            f"the audit trail is broken: {result.problem}",
            "keep .selfheal/ and look into it",
        )
    if paused is not None:
        return Finding("store", "weak", f"healing is paused by {paused.by}", "selfheal resume")
    return Finding("store", "ok", f"{result.records} audit records, the chain is whole")
