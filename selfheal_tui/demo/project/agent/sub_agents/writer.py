"""Drafts the bulletin."""

from agent.sub_agents.base import SubAgent


class Writer(SubAgent):
    """Turns headlines into a text that is safe to show."""

    name = "writer"

    def __init__(self, metrics, sanitizer):
        super().__init__(metrics)
        self.sanitizer = sanitizer

    def draft(self, items):
        text = "\n".join(f"* {item['headline']}" for item in items)
        if self.sanitizer.contains_secrets(text):
            text = self.sanitizer.sanitize(text)
        return self.done(text)
