"""Stdlib-only scripts (CPython 3.9+) that run inside the walls, under the target interpreter."""
