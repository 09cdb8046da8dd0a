"""Floor 1: reads settings from files, environment and flags, and says where each came from."""
