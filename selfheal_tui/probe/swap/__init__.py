"""Hot swap: brings a changed file into the living program, or says why that takes a restart."""

from __future__ import annotations

from .outcome import SwapOutcome
from .sources import remember_sources
from .swapper import swap_files

__all__ = ["SwapOutcome", "remember_sources", "swap_files"]
