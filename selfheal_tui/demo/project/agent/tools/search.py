"""Looks topics up in the wire archive; answers are replayed with the latency that was recorded."""

from agent.tools.base import Tool

RECORDED_LATENCY = [1.4, 2.2, 1.9, 3.1, 2.0, 2.7, 1.6, 2.9]


class SearchTool(Tool):
    """Fetches one source about a topic."""

    name = "search"

    def __init__(self, governance, audit, clock):
        super().__init__(governance, audit)
        self.clock = clock

    def run(self, topic, number):
        self.clock.advance(RECORDED_LATENCY[number % len(RECORDED_LATENCY)])
        return {"topic": topic, "source": f"wire-{number:03}", "text": f"{topic}: note {number}"}
