"""Floor 3: the six steps and the system that walks them. Knows nothing of who is watching."""
