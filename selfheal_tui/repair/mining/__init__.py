"""Learns edit patterns from git histories. Reads objects of a repository; runs and imports nothing of it."""
