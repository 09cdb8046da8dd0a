import tempfile
import unittest
from pathlib import Path

from agent.audit import AuditLog
from agent.clock import Deadline, RecordedClock
from agent.export import to_csv
from agent.metrics import RunMetrics
from agent.orchestrator import Orchestrator
from agent.report import heading
from agent.settings import load_settings


class DeskTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.audit = AuditLog(Path(folder.name) / "audit.jsonl")
        self.desk = Orchestrator(load_settings(), self.audit)

    def test_the_writer_drafts_every_headline(self):
        self.assertEqual(len(self.desk.writer.draft(self.desk.headlines()).splitlines()), 3)

    def test_tool_calls_leave_a_trace(self):
        self.desk.search("rail", 1)
        event = self.audit.events()[-1]
        self.assertEqual((event["event"], event["tool"], event["allowed_by"]), ("tool.called", "search", "policy"))

    def test_a_short_research_fits_its_deadline(self):
        self.assertEqual(len(self.desk.researcher.collect("rail", 5)), 5)

    def test_the_deadline_is_kept(self):
        clock = RecordedClock()
        deadline = Deadline(clock, 60)
        clock.advance(61)
        with self.assertRaises(TimeoutError):
            deadline.check()

    def test_success_rate_counts_failures(self):
        metrics = RunMetrics()
        metrics.count("writer", True)
        metrics.count("writer", False)
        self.assertEqual(metrics.success_rate("writer"), 0.5)

    def test_csv_has_a_header_and_a_row_per_item(self):
        self.assertEqual(len(to_csv(self.desk.headlines()).splitlines()), 4)

    def test_the_heading_names_the_language(self):
        self.assertEqual(heading(self.desk.edition), "Morning bulletin (en)")
