"""Hands a finished bulletin to the archive."""

from agent import export
from agent.tools.base import Tool


class ArchiveTool(Tool):
    """Serialises items for the archive."""

    name = "archive"

    def run(self, items, fmt):
        return export.to_csv(items) if fmt == "csv" else export.to_json(items)
