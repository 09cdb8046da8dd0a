"""Fixes asked of a language model: what it is shown, how its answer is read, what it may cost.

Importing this package loads neither litellm nor libcst; only the worker process loads litellm.
"""
