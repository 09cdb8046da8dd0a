"""Finds faults in source that has not crashed yet: only what raises for certain once its line runs."""
