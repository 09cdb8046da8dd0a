"""selfheal-tui: supervised self-healing for Python programs.

Importing this package stays light: the seed API is loaded on first use (PEP 562), because programs
import it in their own process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from selfheal_tui.model.kinds import RiskLevel
    from selfheal_tui.pipeline.api import (
        CodebaseAnalyzer,
        CodebaseIssue,
        FixProposer,
        FixValidator,
        SelfHealingResult,
        SelfHealingSystem,
        get_self_healing_system,
    )
    from selfheal_tui.pipeline.govern import ToolGovernance
    from selfheal_tui.pipeline.learn import FactChecker
    from selfheal_tui.probe.guard import guard, heal
    from selfheal_tui.probe.progress import progress

_HOMES = {
    "CodebaseAnalyzer": "selfheal_tui.pipeline.api",
    "CodebaseIssue": "selfheal_tui.pipeline.api",
    "FactChecker": "selfheal_tui.pipeline.learn",
    "FixProposer": "selfheal_tui.pipeline.api",
    "FixValidator": "selfheal_tui.pipeline.api",
    "RiskLevel": "selfheal_tui.model.kinds",
    "SelfHealingResult": "selfheal_tui.pipeline.api",
    "SelfHealingSystem": "selfheal_tui.pipeline.api",
    "ToolGovernance": "selfheal_tui.pipeline.govern",
    "get_self_healing_system": "selfheal_tui.pipeline.api",
    "guard": "selfheal_tui.probe.guard",
    "heal": "selfheal_tui.probe.guard",
    "progress": "selfheal_tui.probe.progress",
}

__all__ = [
    "CodebaseAnalyzer",
    "CodebaseIssue",
    "FactChecker",
    "FixProposer",
    "FixValidator",
    "RiskLevel",
    "SelfHealingResult",
    "SelfHealingSystem",
    "ToolGovernance",
    "__version__",
    "get_self_healing_system",
    "guard",
    "heal",
    "progress",
]


def __getattr__(name: str) -> Any:
    """Loads a public name from its home on first use."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(home), name)
