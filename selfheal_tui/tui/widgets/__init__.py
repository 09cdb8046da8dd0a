"""Widgets of the console, one a file; they draw snapshots and know nothing else."""
