"""Tools: everything through which the agent touches the world."""

from agent.tools.archive import ArchiveTool
from agent.tools.deploy import DeployTool
from agent.tools.search import SearchTool

__all__ = ["ArchiveTool", "DeployTool", "SearchTool"]
