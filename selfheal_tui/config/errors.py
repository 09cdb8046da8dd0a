"""What can be wrong with the settings, said so that it can be put right."""

from __future__ import annotations

from pathlib import Path


class ConfigError(ValueError):
    """A setting cannot be used.

    Attributes:
        file: Where it stands: a file, `$VARIABLE` or `--flag`.
        key: The key, dotted; empty when the file as a whole is wrong.
        problem: What is wrong.
        remedy: What to do about it.
    """

    def __init__(self, file: str | Path, key: str, problem: str, remedy: str) -> None:
        where = f"{file}: {key}" if key else str(file)
        super().__init__(f"{where}: {problem}; {remedy}")
        self.file = str(file)
        self.key = key
        self.problem = problem
        self.remedy = remedy
