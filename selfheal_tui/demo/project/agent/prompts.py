"""Prompt templates, kept as files so that editors can change them without touching code."""


class PromptLibrary:
    """Reads templates from a folder."""

    def __init__(self, folder):
        self.folder = folder

    def load(self, name):
        return (self.folder / f"{name}.md").read_text(encoding="utf-8")

    def render(self, name, **values):
        return self.load(name).format(**values)
