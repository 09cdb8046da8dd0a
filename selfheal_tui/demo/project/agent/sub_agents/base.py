"""What every sub-agent has in common."""


class SubAgent:
    """A worker with a name and a way to count how it fared."""

    name = ""

    def __init__(self, metrics):
        self.metrics = metrics

    def done(self, result):
        self.metrics.count(self.name, True)
        return result
