"""Sub-agents: each does one kind of work."""

from agent.sub_agents.researcher import Researcher
from agent.sub_agents.reviewer import Reviewer
from agent.sub_agents.writer import Writer

__all__ = ["Researcher", "Reviewer", "Writer"]
