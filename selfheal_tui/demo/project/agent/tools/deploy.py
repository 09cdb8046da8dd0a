"""Puts a bulletin on the public site."""

from agent.tools.base import Tool


class DeployTool(Tool):
    """Deploys; always needs a person's approval."""

    name = "deploy"

    def run(self, bulletin):
        return f"deployed {len(bulletin)} characters"
