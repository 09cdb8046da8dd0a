"""Floor 2: the proof ladder, one file a check. Never touches the live tree."""
