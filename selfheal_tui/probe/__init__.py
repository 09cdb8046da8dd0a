"""Stdlib-only code that runs inside the supervised program (CPython 3.9+). Imports nothing of ours."""
