"""What the agent remembers between steps: a small store with an age limit."""


class ContextMemory:
    """Notes by key; old ones are forgotten."""

    def __init__(self, capacity, ttl_minutes):
        self.capacity = capacity
        self.ttl = ttl_minutes
        self.notes = {}

    def remember(self, key, note, minute):
        self.notes[key] = (minute, note)
        if len(self.notes) > self.capacity:
            self.evict(minute)

    def recall(self, key):
        entry = self.notes.get(key)
        return entry[1] if entry else None

    def evict(self, minute):
        """Forgets every note that is older than the age limit."""
        for key, (written, _) in self.notes.items():
            if minute - written > self.ttl:
                del self.notes[key]
