"""Settings of the agent, read from `data/settings.json` below the project."""

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Settings:
    """Read-only access to the settings and to the folders of the project."""

    def __init__(self, values, root=ROOT):
        self.values = values
        self.root = Path(root)

    @property
    def data_dir(self):
        return self.root / "data"

    @property
    def prompt_dir(self):
        return self.root / "prompts"

    @property
    def audit_file(self):
        return self.root / "var" / "audit.jsonl"

    def section(self, name):
        return self.values[name]


def load_settings(root=ROOT):
    text = (Path(root) / "data" / "settings.json").read_text(encoding="utf-8")
    return Settings(json.loads(text), root)
