"""What the agent remembers between tasks."""


class Notes:
    """Notes with an age; old ones are forgotten."""

    def __init__(self, capacity=3):
        self.capacity = capacity
        self.ages = {}

    def remember(self, topic):
        for known in self.ages:
            self.ages[known] += 1
        self.ages[topic] = 0
        self.forget_old()

    def forget_old(self):
        for topic, age in self.ages.items():
            if age >= self.capacity:
                del self.ages[topic]
