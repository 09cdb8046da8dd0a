"""Proves a test that keeps a healed crash healed, and adds it to the project when an operator orders that.

Only when somebody asks is a draft run: red on the code before the fix, green on the code after it, and three times so.
Only then is it shown, and only an operator's explicit order writes it: as a new file, on record.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from selfheal_tui.model.candidate import Candidate, FileEdit
from selfheal_tui.model.incident import Attempt, Incident
from selfheal_tui.model.ports import ReplayPlan, ReplayStatus, Workspace
from selfheal_tui.model.regression import Regression
from selfheal_tui.pipeline.apply import add_test
from selfheal_tui.pipeline.closing import Closer
from selfheal_tui.pipeline.drafts import SECRET, folder_of_tests, versions
from selfheal_tui.pipeline.govern import Governance
from selfheal_tui.pipeline.policy import ADD_TEST
from selfheal_tui.pipeline.search import Tools
from selfheal_tui.probe.redaction import mask_text
from selfheal_tui.sandbox.interpreter import Interpreter
from selfheal_tui.sandbox.testplan import find_tests
from selfheal_tui.source.project import Project
from selfheal_tui.store import Store

RUNS = 3
"""So often a test must be red without the fix, and green with it."""
SECONDS = 60.0
"""Time limit of one run of the test."""

_PYTEST = (
    "import sys; sys.path[:] = [p for p in sys.path if p]; import pytest; sys.exit(pytest.main(sys.argv[1:]))"
)
"""Runs pytest as its own command does, which unlike `-m pytest` does not put the working directory on the path."""
_DISCOVER = (
    "import sys, unittest; sys.path[:] = [p for p in sys.path if p]; "
    "unittest.main(module=None, argv=['unittest', 'discover', '-s', sys.argv[1], '-t', sys.argv[1], '-p', sys.argv[2]])"
)
"""Loads one test file without the root on the path."""


def validate_test(
    workspace: Workspace,
    project: Project,
    incident: Incident,
    attempt: Attempt,
    before: Mapping[str, bytes | None],
    interpreter: str,
) -> Regression:
    """Runs drafts without and with the fix, until one tells them apart every time.

    Args:
        workspace: The isolated copy.
        project: The project.
        incident: With its drafts.
        attempt: The fix.
        before: What its files held before it.
        interpreter: The project's Python.

    Returns:
        What is known now; `text` is empty when no draft did.

    Raises:
        SandboxError: The walls cannot be put up.
    """
    known = incident.regression or Regression(problem="no fix of it was proved by a replay")
    plan = find_tests(project, Interpreter(interpreter, "", ""), "")
    style = "pytest" if plan.runner == "pytest" else "unittest"
    folder = folder_of_tests(project)
    path = f"{folder}/test_selfheal_{incident.incident_id}.py".lstrip("/")
    after = {edit.path: edit.after_bytes() for edit in attempt.candidate.edits}
    argv = _runner(interpreter, plan.runner, folder, path)
    problems = [known.problem] if known.problem else []
    for one in known.drafts:
        for text in versions(project, incident, one, style, folder):
            if mask_text(text) != text:
                problems.append(SECRET)
                continue
            files = {path: text.encode()}
            problem = _tells_apart(workspace, argv, files, before, after, incident.report.raised.bare_type)
            if not problem:
                what = f"{one.what}: red {RUNS} times without the fix, green {RUNS} times with it"
                return Regression(known.drafts, "", attempt.candidate.patch_sha256, path, text, what)
            problems.append(f"{one.what}: {problem}")
    return replace(
        known, problem="; ".join(dict.fromkeys(problems)), patch_sha256="", path="", text="", what=""
    )


def _runner(interpreter: str, runner: str, folder: str, path: str) -> tuple[str, ...]:
    """Runs the file as the project runs its tests; where it has none, as runners do that know nothing of the root."""
    if runner == "pytest":
        return (interpreter, "-c", _PYTEST, "-q", "-x", "-p", "no:cacheprovider", path)
    if runner == "unittest":
        return (interpreter, "-m", "unittest", path)
    return (interpreter, "-c", _DISCOVER, folder or ".", PurePosixPath(path).name)


def _tells_apart(
    workspace: Workspace,
    argv: Sequence[str],
    files: Mapping[str, bytes],
    before: Mapping[str, bytes | None],
    after: Mapping[str, bytes],
    exception: str,
) -> str:
    """Says why a test does not tell the two apart; empty when it does. The copy is left as it was found."""
    plan = ReplayPlan(kind="command", argv=tuple(argv), cwd="")
    found = {path: _bytes(workspace.root / path) for path in {*files, *before}}

    def run() -> tuple[str, str]:
        result = workspace.replay(plan, seconds=SECONDS)
        if result.status is ReplayStatus.NOT_POSSIBLE or result.status is ReplayStatus.TIMEOUT:
            return "not run", result.reason or "it takes too long"
        return {0: "green", 1: "red"}.get(
            -1 if result.exit_code is None else result.exit_code, "broken"
        ), result.output

    try:
        workspace.write({**after, **files})
        for _ in range(RUNS):
            colour, output = run()
            if colour != "green":
                return f"it is {colour} with the fix: {_last(output)}"
        workspace.write({**before, **files})
        for _ in range(RUNS):
            colour, output = run()
            if colour != "red":
                return f"it is {colour} without the fix"
            if not re.search(rf"\b{re.escape(exception)}\b", output):
                return f"without the fix it fails otherwise: {_last(output)}"
        return ""
    finally:
        workspace.write(found)


def _bytes(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None


def _last(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    telling = [line for line in lines if re.match(r"(E\s+)?\w*(Error|Exception)\b", line)]
    return (telling or lines or [""])[-1][:160]


def write_test(store: Store, project: Project, governance: Governance, incident: Incident, *, by: str) -> str:
    """Writes a test that was seen to work, as a governed change of its own.

    Args:
        store: The store.
        project: The project.
        governance: Puts the order on record.
        incident: With its validated test.
        by: The operator who orders it.

    Returns:
        The transaction's id.

    Raises:
        RefusedError: Governance refuses.
        ApplyError: It was not written; the tree is as it was.
        ValueError: There is no validated test.
    """
    known = incident.regression
    if known is None or not known.text:
        raise ValueError("only a test that was seen red and green is written")
    candidate = Candidate(
        proposer="operator",
        rule="regression-test",
        reason=f"keeps incident {incident.incident_id} healed",
        confidence=1.0,
        edits=(FileEdit(known.path, None, known.text),),
    )
    request = governance.ordered(
        incident.incident_id, candidate, action=ADD_TEST, by=by, reason=f"ordered: add {known.path}"
    )
    return add_test(
        store,
        project,
        candidate,
        request_id=request.request_id,
        policy=governance.policy_version,
        incident_id=incident.incident_id,
    )


def settle(project: Project, closer: Closer, tools: Tools, incident: Incident) -> Regression | None:
    """Finds out whether one of an incident's drafts does; what is known already is not run again.

    Args:
        project: The project.
        closer: Knows what the fix's files held before it.
        tools: The sandbox.
        incident: The incident.

    Returns:
        What is known now; None when nothing was drafted.

    Raises:
        SandboxError: There is no isolated copy to run it in.
    """
    attempt, known = incident.chosen_attempt, incident.regression
    if attempt is None or known is None or not known.drafts:
        return known
    if known.text and known.patch_sha256 == attempt.candidate.patch_sha256:
        return known
    before = _bytes_before(attempt, closer)
    if before is None:
        return replace(known, problem="what the fix replaced is not kept any more")
    with tools.sandbox.workspace() as workspace:
        return validate_test(workspace, project, incident, attempt, before, tools.interpreter)


def _bytes_before(attempt: Attempt, closer: Closer) -> dict[str, bytes | None] | None:
    """What the fix's files held before it; None when one of them is not kept any more."""
    known = closer.texts_before(attempt)
    found: dict[str, bytes | None] = {}
    for edit in attempt.candidate.edits:
        if edit.before_sha256 is None:
            found[edit.path] = None
        elif edit.path not in known:
            return None
        else:
            found[edit.path] = known[edit.path].encode(edit.encoding)
    return found
