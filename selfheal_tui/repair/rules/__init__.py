"""Offline rules: statements about Python, each checked on the syntax tree at the failing position."""
