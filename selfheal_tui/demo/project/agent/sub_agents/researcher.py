"""Collects sources about a topic within a time budget."""

from agent.clock import Deadline
from agent.sub_agents.base import SubAgent


class Researcher(SubAgent):
    """Asks the search tool for one source after the other."""

    name = "researcher"

    def __init__(self, metrics, search, clock, deadline_seconds):
        super().__init__(metrics)
        self.search = search
        self.clock = clock
        self.deadline_seconds = deadline_seconds

    def collect(self, topic, sources):
        deadline = Deadline(self.clock, self.deadline_seconds)
        found = []
        for number in range(sources):
            found.append(self.search(topic, number))
            deadline.check()
        return self.done(found)
