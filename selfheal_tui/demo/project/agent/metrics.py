"""Counts of what the agent did, and rates made from them."""

from collections import Counter


class RunMetrics:
    """Outcomes of sub-agent calls within one run."""

    def __init__(self):
        self.outcomes = Counter()

    def count(self, agent, ok):
        self.outcomes[(agent, ok)] += 1

    def total(self, agent):
        return self.outcomes[(agent, True)] + self.outcomes[(agent, False)]

    def success_rate(self, agent):
        """Share of the agent's calls that succeeded."""
        return self.outcomes[(agent, True)] / self.total(agent)
