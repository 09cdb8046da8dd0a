import unittest

from desk.sources import Archive
from desk.state import DeskState


class DeskTest(unittest.TestCase):
    def test_articles_are_found_by_topic(self):
        self.assertEqual([a["title"] for a in Archive().find_by_topic("rail")], ["Night trains return"])

    def test_a_finished_task_is_counted(self):
        state = DeskState()
        state.complete(1, "x")
        self.assertEqual((state.completed, state.finished), (1, {1: "x"}))
