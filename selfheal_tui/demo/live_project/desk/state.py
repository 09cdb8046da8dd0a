"""What the agent has in memory; it would be lost with the process."""

import json
import os
import threading


class DeskState:
    """Counts and notes, shared by the event loop and the worker threads."""

    def __init__(self, journal=None):
        self.completed = 0
        self.attempts = 0
        self.finished = {}
        self.notes = {}
        self._lock = threading.Lock()
        self._journal = journal

    def attempt(self):
        with self._lock:
            self.attempts += 1

    def complete(self, number, result):
        with self._lock:
            self.completed += 1
            self.finished[number] = result
            self._write({"completed": self.completed, "task": number, "pid": os.getpid()})

    def _write(self, entry):
        if self._journal is not None:
            self._journal.write(json.dumps(entry) + "\n")
            self._journal.flush()
