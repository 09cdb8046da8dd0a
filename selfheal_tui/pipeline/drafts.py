"""Drafts regression tests from what was captured about a crash: a call with its arguments, or the command line.

Arguments are written as literals inside the sandbox, or not at all; of anything that held a secret there is no draft.
A draft is worth nothing before `pipeline.regression` saw it red and green.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from selfheal_tui.model.crash import CrashReport, ReplayCall
from selfheal_tui.model.incident import Incident
from selfheal_tui.model.kinds import CaptureSource
from selfheal_tui.model.ports import Reader, ReplayPlan, SandboxError, Workspace
from selfheal_tui.model.regression import Draft, Regression
from selfheal_tui.probe.redaction import MASK, mask_text
from selfheal_tui.probe.replay import MASKED
from selfheal_tui.sandbox.interpreter import INTERPRETER_NAME
from selfheal_tui.source.places import is_test
from selfheal_tui.source.project import Project
from selfheal_tui.store import Store

COMMAND_SECONDS = 10.0
"""Programs that took longer until they crashed make no test."""
LINE = 96
"""Longest line of a call in a test; beyond it each argument has a line of its own."""
SECRET = "a secret is among what was captured; no test is written of such"  # noqa: S105 - a sentence about secrets


def draft(store: Store, project: Project, report: CrashReport, workspace: Workspace) -> Regression:
    """Drafts tests from what was captured, as long as it is there.

    Args:
        store: The store, whose inbox holds captured arguments.
        project: The project.
        report: The crash.
        workspace: The isolated copy.

    Returns:
        The drafts, or why there are none.
    """
    if report.source is CaptureSource.SCAN or report.stuck:
        return Regression(problem="nothing was captured that could be run as a test")
    if any(MASKED in call.problem for call in report.replay) or any(
        MASK in word for word in report.process.argv
    ):
        return Regression(problem=SECRET)
    drafts: list[Draft] = []
    problems: list[str] = []
    for call in report.replay:
        payload = store.inbox.payload(report, call.payload) if call.payload else None
        if payload is None or not payload.exists() or not isinstance(workspace, Reader):
            problems.append(call.problem or "the arguments were not captured")
            continue
        found = _call_draft(project, report, call, payload, workspace)
        if isinstance(found, Draft):
            drafts.append(found)
        else:
            problems.append(found)
    command = _command_draft(project, report)
    if command is not None:
        drafts.append(command)
    if any(mask_text("\n".join(one.body)) != "\n".join(one.body) for one in drafts):
        return Regression(problem=SECRET)
    return Regression(drafts=tuple(drafts), problem="" if drafts else "; ".join(dict.fromkeys(problems)))


def _call_draft(
    project: Project, report: CrashReport, call: ReplayCall, payload: Path, workspace: Reader
) -> Draft | str:
    path = project.relative(call.file)
    module = project.module_name(path) if path else ""
    if not path or not module or not all(part.isidentifier() for part in module.split(".")):
        return f"{call.qualname} is in no module that a test could import"
    plan = ReplayPlan(
        kind="call",
        cwd=report.process.cwd,
        sys_path=report.process.sys_path,
        file=call.file,
        payload=str(payload),
    )
    try:
        text = workspace.literals(plan)
    except SandboxError as error:
        return str(error)
    if text.problem:
        return text.problem
    if not all(name.isidentifier() for name in text.kwargs):
        return "a keyword argument is no name"
    arguments = [*text.args, *(f"{name}={value}" for name, value in text.kwargs.items())]
    line = f"{call.qualname}({', '.join(arguments)})"
    lines = [line] if len(line) <= LINE else [f"{call.qualname}(", *(f"    {a}," for a in arguments), ")"]
    imports = [f"from {module} import {call.qualname.partition('.')[0]}"]
    if call.is_async:
        lines = (
            ["asyncio.run(", *(f"    {one}" for one in lines), ")"]
            if len(lines) > 1
            else [f"asyncio.run({line})"]
        )
        imports.insert(0, "import asyncio")
    return Draft("call", f"{module}.{call.qualname}()", tuple(lines), tuple(imports))


def _command_draft(project: Project, report: CrashReport) -> Draft | None:
    process = report.process
    if len(process.argv) < 2 or process.handled or process.seconds > COMMAND_SECONDS:
        return None
    if not INTERPRETER_NAME.match(Path(process.argv[0]).name):
        return None
    cwd = project.relative(process.cwd) if process.cwd and Path(process.cwd) != project.root else ""
    if cwd is None:
        return None
    words = ["sys.executable"]
    for word in process.argv[1:]:
        inside = project.relative(word) if Path(word).is_absolute() else None
        if Path(word).is_absolute() and inside is None:
            return None
        words.append(f"str(root / {inside!a})" if inside is not None else ascii(word))
    where = f"root / {cwd!a}" if cwd else "root"
    body = (
        f"command = [{', '.join(words)}]",
        f"done = subprocess.run(command, cwd={where}, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)",
        "assert done.returncode == 0, done.stderr",
    )
    return Draft("command", " ".join(process.argv[1:])[:120], body, ("import subprocess", "import sys"))


def folder_of_tests(project: Project) -> str:
    """Finds the folder of the project's tests: `tests` where there is none yet."""
    folders = Counter(
        PurePosixPath(path).parent.as_posix()
        for path in project.python_files()
        if is_test(path) and PurePosixPath(path).name.startswith("test_")
    )
    if not folders:
        return "tests"
    top = {folder.partition("/")[0] for folder in folders}
    for name in ("tests", "test"):
        if name in folders or (name in top and len(folders) > 1):
            return name
    found = folders.most_common(1)[0][0]
    return "" if found == "." else found


def file_text(incident: Incident, one: Draft, *, style: str, folder: str, path_entry: str | None) -> str:
    """Writes a whole test file.

    Args:
        incident: The incident.
        one: What the test does.
        style: `pytest` or `unittest`.
        folder: Where the file will lie.
        path_entry: Folder to put on the import path, relative to the root; None for none.
    """
    raised = incident.report.raised
    said = " ".join(f"{raised.bare_type}: {raised.message}".split())[:200]
    said = (
        mask_text(said).encode("ascii", "backslashreplace").decode().replace("\\", "/").replace('"""', "'''")
    )
    depth = len(PurePosixPath(folder).parts)
    body = list(one.body)
    standard = [line for line in one.imports if line.startswith("import ")]
    own = [line for line in one.imports if not line.startswith("import ")]
    needs_root = one.kind == "command" or path_entry is not None
    setup = [f"root = Path(__file__).resolve().parents[{depth}]"] if needs_root else []
    if path_entry is not None:
        standard.append("import sys")
        setup.append(
            f"sys.path.insert(0, str(root / {path_entry!a}))"
            if path_entry
            else "sys.path.insert(0, str(root))"
        )
    statements = [*setup, *own, *([""] if setup or own else []), *body]
    standard += ["import unittest"] if style == "unittest" else []
    head = [
        f'"""A crash that was healed stays healed: selfheal incident {incident.incident_id}.',
        "",
        said.rstrip('"'),
        '"""',
        "",
    ]
    head += sorted(set(standard)) + (["from pathlib import Path"] if needs_root else [])
    head += ["", ""] if len(head) > 5 else [""]
    name = f"test_what_crashed_runs_to_its_end_{incident.incident_id}"
    if style == "unittest":
        lines = [
            f"class Selfheal{incident.incident_id.capitalize()}(unittest.TestCase):",
            f"    def {name}(self):",
        ]
        indent = " " * 8
    else:
        lines, indent = [f"def {name}():"], " " * 4
    lines += [f"{indent}{line}" if line else "" for line in statements]
    return "\n".join([*head, *lines, ""])


def versions(project: Project, incident: Incident, one: Draft, style: str, folder: str) -> Iterator[str]:
    """Writes the plain file first, then one that finds its module by itself.

    Args:
        project: The project.
        incident: The incident.
        one: What the test does.
        style: `pytest` or `unittest`.
        folder: Where the file will lie.
    """
    yield file_text(incident, one, style=style, folder=folder, path_entry=None)
    if one.kind == "call":
        module = next((line.split()[1] for line in one.imports if line.startswith("from ")), "")
        file = project.find_module(module)
        if file is not None:
            above = len(module.split(".")) + file.endswith("/__init__.py")
            entry = "/".join(file.split("/")[:-above])
            yield file_text(incident, one, style=style, folder=folder, path_entry=entry)
