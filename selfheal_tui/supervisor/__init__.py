"""Floor 4: runs the program under the probe and hands its crashes to the pipeline. Never draws."""
