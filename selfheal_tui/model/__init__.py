"""Floor 0: the nouns of the house. Frozen, typed, JSON both ways; imports nothing of ours, no I/O."""
