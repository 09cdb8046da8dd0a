"""Searches for small changes that turn a failing program green: localise, mutate, try, compare. Nothing here is a proof."""
