"""Floor 4: runs the program under the probe, passes its signals through, and hands its crashes to the pipeline.

It never draws, never decides, and its death never hurts the program that it runs.
"""
