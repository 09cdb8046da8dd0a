"""Time as the agent sees it: replayed from recorded latencies, so that a run is the same every time."""


class RecordedClock:
    """A clock that moves on by the latency that was recorded for each call."""

    def __init__(self, start=0.0):
        self.now = start

    def advance(self, seconds):
        self.now += seconds
        return self.now


class Deadline:
    """A time budget for one operation."""

    def __init__(self, clock, seconds):
        self.clock = clock
        self.seconds = seconds
        self.started = clock.now

    def check(self):
        if self.clock.now - self.started > self.seconds:
            raise TimeoutError(f"Operation timed out after {self.seconds} seconds")
