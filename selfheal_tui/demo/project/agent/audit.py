"""Audit trail: one JSON line per event."""

import json
import time


class AuditLog:
    """Appends events to a file; never rewrites it."""

    def __init__(self, path):
        self.path = path

    def record(self, event, **facts):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps({"at": round(time.time(), 3), "event": event, **facts}, sort_keys=True)
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(line + "\n")

    def events(self):
        if not self.path.exists():
            return []
        return [json.loads(line) for line in self.path.read_text(encoding="utf-8").splitlines()]
