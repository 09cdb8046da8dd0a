"""A small laboratory for rules: writes a project, lets it really crash, and shows what rules make of it.

Not a conftest on purpose: tests say `lab = Lab(tmp_path, {...})` and see everything they rely on.
The same crash can be looked at in three ways:

- `probe`: captured inside the process, with locals, positions and evidence of the live objects;
- `text`: only the traceback text, with the carets that Python 3.11+ prints;
- `bare`: the traceback text without carets, as logs and older Pythons give it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

from selfheal_tui.model.candidate import Candidate, CannotFix
from selfheal_tui.model.crash import CrashReport, ExceptionInfo, Frame
from selfheal_tui.model.diagnosis import Diagnosis, Location
from selfheal_tui.model.kinds import IssueType, Nature, Severity
from selfheal_tui.model.serial import from_json
from selfheal_tui.model.settings import Settings
from selfheal_tui.repair.base import RepairContext
from selfheal_tui.repair.rules.engine import RuleProposer
from selfheal_tui.repair.rules.rule import Rule
from selfheal_tui.source.project import Project
from selfheal_tui.source.tracebacks import parse_traceback
from tests.unit.repair import interpreters

MODES = ("probe", "text", "bare")
_LAUNCHER = """
import json, runpy, sys
out, root, script = sys.argv[1:4]
sys.argv = [script]
sys.path[0] = root
from selfheal_tui.probe.capture import capture_exception
try:
    runpy.run_path(script, run_name="__main__")
except BaseException as error:
    with open(out, "w", encoding="utf-8") as file:
        json.dump(capture_exception(error, root=root), file)
"""


class Lab:
    """A temporary project that crashes.

    Args:
        tmp_path: pytest's temporary directory.
        files: Path to text; texts are dedented.
        script: The file that is run.
    """

    def __init__(self, tmp_path: Path, files: Mapping[str, str], *, script: str = "main.py") -> None:
        self.outside = tmp_path
        self.root = tmp_path / "project"
        self.root.mkdir(exist_ok=True)
        self.script = script
        self.write(files)

    def write(self, files: Mapping[str, str]) -> None:
        """Writes files into the project."""
        for path, text in files.items():
            file = self.root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(dedent(text).lstrip("\n").encode())

    def read(self, path: str) -> str:
        """Reads a file of the project, newlines untouched."""
        return (self.root / path).read_bytes().decode()

    def git(self, *arguments: str) -> None:
        """Runs git in the project."""
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.invalid", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *arguments], cwd=self.root, check=True, capture_output=True)

    def commit(self, message: str = "step") -> None:
        """Commits everything; makes the repository first if there is none."""
        if not (self.root / ".git").exists():
            self.git("init", "-q")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)

    def run(self) -> subprocess.CompletedProcess[str]:
        """Runs the script as a user would."""
        return interpreters.run(self.root / self.script, self.root, self.outside)

    def report(self, mode: str) -> CrashReport:
        """Lets the project crash and captures it in one of `MODES`, frames localised."""
        project = Project(self.root)
        if mode == "probe":
            script, out = self.root / self.script, self.outside / "report.json"
            out.unlink(missing_ok=True)
            if interpreters.hides_a_module(self.root):
                done = self._probe_afresh(script, out)
            else:
                done = interpreters.probe(script, self.root, out, self.outside)
            assert out.exists(), f"it did not crash: {done.stdout}{done.stderr}"
            assert done.returncode == 0, f"the capture itself crashed: {done.stderr}"
            return project.localise(from_json(out.read_bytes(), CrashReport))
        done = self.run()
        assert "Traceback" in done.stderr, f"it did not crash: {done.stdout}{done.stderr}"
        report = project.localise(parse_traceback(done.stderr))
        if mode == "bare":
            report = report.with_chain(tuple(_without_columns(info) for info in report.chain))
        return report

    def _probe_afresh(self, script: Path, out: Path) -> subprocess.CompletedProcess[str]:
        launcher = self.outside / "launcher.py"
        launcher.write_text(_LAUNCHER)
        command = [sys.executable, str(launcher), str(out), str(self.root), str(script)]
        return subprocess.run(command, cwd=self.root, capture_output=True, text=True, timeout=60)

    def context(self, mode: str = "probe", *, report: CrashReport | None = None) -> RepairContext:
        """Builds what a proposer is given."""
        report = report or self.report(mode)
        found = report.suspect()
        where = None
        if found is not None and found[1].path is not None:
            where = Location(found[1].path, found[1].qualname, found[1].line)
        error = found[0] if found else report.raised
        diagnosis = Diagnosis(
            signal="test",
            issue_type=IssueType.BUG,
            severity=Severity.HIGH,
            nature=Nature.CODE,
            reason="made by a test",
            root_cause=error.message,
            suspect=where,
            identifier=error.evidence.name or "",
        )
        return RepairContext(Project(self.root), report, diagnosis, Settings(), sys.executable)

    def findings(
        self, mode: str = "probe", rules: Sequence[Rule] | None = None
    ) -> list[Candidate | CannotFix]:
        """Everything that the engine yields for the crash (with all registered rules by default)."""
        return list(RuleProposer(rules).propose(self.context(mode)))

    def candidates(self, mode: str = "probe", rules: Sequence[Rule] | None = None) -> list[Candidate]:
        """The fixes among `findings`; a rule that failed is an error of the test."""
        found = self.findings(mode, rules)
        broken = [f.reason for f in found if isinstance(f, CannotFix) and " failed: " in f.reason]
        assert not broken, broken
        return [finding for finding in found if isinstance(finding, Candidate)]

    def refusals(self, mode: str = "probe", rules: Sequence[Rule] | None = None) -> list[CannotFix]:
        """The honest refusals among `findings`."""
        return [finding for finding in self.findings(mode, rules) if isinstance(finding, CannotFix)]

    def apply(self, candidate: Candidate) -> None:
        """Writes a candidate's files."""
        for edit in candidate.edits:
            file = self.root / edit.path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(edit.after_bytes())

    def is_green(self) -> bool:
        """Whether the script now runs to its end."""
        return self.run().returncode == 0

    def heals(self, candidate: Candidate) -> bool:
        """Whether the script runs to its end with a candidate applied; the project is put back after."""
        before = {edit.path: (self.root / edit.path) for edit in candidate.edits}
        saved = {path: file.read_bytes() if file.exists() else None for path, file in before.items()}
        self.apply(candidate)
        try:
            return self.is_green()
        finally:
            for path, content in saved.items():
                if content is None:
                    before[path].unlink()
                else:
                    before[path].write_bytes(content)


def _without_columns(info: ExceptionInfo) -> ExceptionInfo:
    return replace(info, frames=tuple(_bare(frame) for frame in info.frames))


def _bare(frame: Frame) -> Frame:
    return replace(frame, col=None, end_col=None, end_line=None)
