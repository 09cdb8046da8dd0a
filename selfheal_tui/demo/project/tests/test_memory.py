import unittest

from agent.memory import ContextMemory


class ContextMemoryTest(unittest.TestCase):
    def test_notes_come_back(self):
        memory = ContextMemory(capacity=3, ttl_minutes=10)
        memory.remember("a", "first", minute=0)
        self.assertEqual(memory.recall("a"), "first")
        self.assertIsNone(memory.recall("b"))

    def test_young_notes_survive_an_eviction(self):
        memory = ContextMemory(capacity=2, ttl_minutes=10)
        for minute, key in enumerate("abc"):
            memory.remember(key, key.upper(), minute)
        self.assertEqual([memory.recall(key) for key in "abc"], ["A", "B", "C"])
