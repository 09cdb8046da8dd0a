"""Small syntactic changes that undo the slips people (and mutators) make, at given lines; pure, and never judged here."""

from selfheal_tui.repair.mutations.mutant import Mutant
from selfheal_tui.repair.mutations.mutate import mutants

__all__ = ["Mutant", "mutants"]
