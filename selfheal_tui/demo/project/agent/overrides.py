"""Lays the settings of one edition over the defaults, section by section."""

import collections


def overlay(defaults, overrides):
    merged = dict(defaults)
    for key, value in overrides.items():
        if isinstance(value, collections.Mapping) and key in merged:
            merged[key] = overlay(merged[key], value)
        else:
            merged[key] = value
    return merged
