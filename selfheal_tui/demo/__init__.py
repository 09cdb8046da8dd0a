"""The bundled demo: a small agent project, the crashes it holds, and how to lay it out on disk.

Holds data and file copying only; running the demo is the business of the command line.
"""
