"""Looks for faults before they crash, and makes reports of them that go the way of every other crash.

Scanning reads: it runs and imports nothing of the project, and writes nowhere. What it finds becomes an incident
only when somebody asks for that; since nothing has crashed there is nothing to replay, and a person decides.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from selfheal_tui.model.crash import CrashReport, ExceptionInfo, Frame, NameEvidence, ProcessFacts
from selfheal_tui.model.kinds import CaptureSource
from selfheal_tui.probe.redaction import mask_text
from selfheal_tui.repair.scan.finding import Fault
from selfheal_tui.repair.scan.run import scan
from selfheal_tui.sandbox.interpreter import find_interpreter, interpreter_facts
from selfheal_tui.source.identifiers import missing_identifier
from selfheal_tui.source.project import OutsideRootError, Project

DEFAULT_CONFIDENCE = 0.8
"""Faults below this are not told unless they are asked for."""


def chosen_files(project: Project, places: Sequence[Path]) -> tuple[str, ...]:
    """Lists the project's own Python files at some places.

    Args:
        project: The project.
        places: Files and folders, absolute; none means the whole project.

    Returns:
        Paths relative to the root.

    Raises:
        OutsideRootError: A place is not inside the project.
    """
    files = [path for path in project.python_files() if project.is_in_app(path)]
    if not places:
        return tuple(files)
    chosen: set[str] = set()
    for place in places:
        if place.resolve() == project.root:
            return tuple(files)
        relative = project.relative(place)
        if relative is None:
            raise OutsideRootError(f"{place} is not inside {project.root}")
        chosen.update(path for path in files if path == relative or path.startswith(f"{relative}/"))
    return tuple(sorted(chosen))


def find_faults(
    project: Project,
    paths: Sequence[str],
    *,
    interpreter: str = "",
    confidence: float = DEFAULT_CONFIDENCE,
    with_mypy: bool = False,
    tell: Callable[[str], None] = lambda _text: None,
) -> list[Fault]:
    """Scans files of a project.

    Args:
        project: The project.
        paths: Files, relative to the root.
        interpreter: The configured Python; empty: found by itself.
        confidence: Faults that are less certain are left out.
        with_mypy: Whether mypy is asked as well, where it is installed.
        tell: Takes sentences about what could not be looked at.

    Returns:
        Faults by file and line.

    Raises:
        SandboxError: There is no interpreter that works.
    """
    facts = interpreter_facts(find_interpreter(project, None, interpreter).executable)
    found = scan(project, facts.executable, facts.sys_path, paths, with_mypy=with_mypy, tell=tell)
    return [one for one in found if one.confidence >= confidence]


def report_of(
    fault: Fault, project: Project, *, interpreter: str = "", now: float | None = None
) -> CrashReport:
    """Writes a fault as the crash that it will be.

    The report's id follows from the fault and the file, so that a fault that is found again counts once.

    Args:
        fault: The fault.
        project: The project.
        interpreter: The configured Python; empty: found by itself.
        now: Unix time in seconds; by default now.
    """
    facts = interpreter_facts(find_interpreter(project, None, interpreter).executable)
    text = project.read(fault.path)
    identity = "\0".join([fault.path, text.sha256, str(fault.line), fault.exception, fault.message])
    file = str(project.absolute(fault.path))
    name = missing_identifier(fault.exception, fault.message)
    frame = Frame(
        file=file,
        qualname=fault.qualname,
        line=fault.line,
        module=project.module_name(fault.path),
        end_line=fault.end_line,
        col=fault.col,
        end_col=fault.end_col,
        source=mask_text(fault.source),
        path=fault.path,
        in_app=True,
    )
    evidence = NameEvidence(name=name)
    if fault.owner_module:
        evidence = NameEvidence(
            name=name, obj_type="module", obj_module=fault.owner_module, obj_names=fault.owner_names
        )
    syntax = (file, fault.line, 0, mask_text(fault.source)) if fault.detector == "syntax" else None
    return CrashReport(
        report_id=hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:32],
        captured_at=time.time() if now is None else now,
        source=CaptureSource.SCAN,
        chain=(
            ExceptionInfo(
                type=fault.exception,
                message=mask_text(fault.message),
                frames=() if syntax else (frame,),
                evidence=evidence,
                syntax=syntax,
            ),
        ),
        process=ProcessFacts(executable=facts.executable, python=facts.version, cwd=str(project.root)),
        context={"detector": fault.detector, "confidence": f"{fault.confidence:.2f}"},
        kind="scan",
    )
