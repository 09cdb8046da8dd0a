"""Runs tasks: wires sub-agents, tools, governance, memory and the audit trail together."""

import json

from agent.audit import AuditLog
from agent.clock import RecordedClock
from agent.governance import Governance
from agent.memory import ContextMemory
from agent.metrics import RunMetrics
from agent.model_client import ModelClient
from agent.output_sanitizer import OutputSanitizer
from agent.prompts import PromptLibrary
from agent.sub_agents import Researcher, Reviewer, Writer
from agent.tasks import TASKS
from agent.tools import ArchiveTool, DeployTool, SearchTool


class Orchestrator:
    """One run of the agent."""

    def __init__(self, settings, audit=None):
        self.settings = settings
        self.audit = audit or AuditLog(settings.audit_file)
        self.clock = RecordedClock()
        self.metrics = RunMetrics()
        self.governance = Governance(settings.section("governance"))
        self.sanitizer = OutputSanitizer()
        self.memory = ContextMemory(**settings.section("memory"))
        self.prompts = PromptLibrary(settings.prompt_dir)
        self.model = ModelClient(**settings.section("model"))
        self.search = SearchTool(self.governance, self.audit, self.clock)
        self.archive = ArchiveTool(self.governance, self.audit)
        self.deploy = DeployTool(self.governance, self.audit)
        self.writer = Writer(self.metrics, self.sanitizer)
        self.reviewer = Reviewer(self.metrics)
        research = settings.section("research")
        self.researcher = Researcher(self.metrics, self.search, self.clock, research["deadline_seconds"])

    @property
    def edition(self):
        return self.settings.section("edition")

    def headlines(self):
        return json.loads((self.settings.data_dir / "headlines.json").read_text(encoding="utf-8"))

    def run(self, task):
        """Runs a task by name and returns its result as text."""
        self.audit.record("task.started", task=task)
        result = TASKS[task](self)
        self.audit.record("task.finished", task=task)
        return result

    def publish(self, bulletin):
        """The bulletin as it goes out; nothing leaves with a credential in it."""
        if self.sanitizer.has_secrets(bulletin):
            self.audit.record("publish.sanitized", kinds=self.sanitizer.kinds(bulletin))
            bulletin = self.sanitizer.sanitize(bulletin)
        return bulletin
