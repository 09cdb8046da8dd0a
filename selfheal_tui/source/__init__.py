"""Floor 1: finds, reads, fingerprints, diffs and merges Python code. Knows nothing of an incident's fate."""
