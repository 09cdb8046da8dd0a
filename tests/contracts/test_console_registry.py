"""The registry of actions is true: each action can be done somewhere, each key is free, each text can be shown."""

from __future__ import annotations

import importlib
import pkgutil
from itertools import combinations

import pytest

import selfheal_tui.tui as tui
from selfheal_tui.tui.acting import Acting
from selfheal_tui.tui.actions import ACTIONS, of_context
from selfheal_tui.tui.keys import Keys


def acting_classes() -> list[type[Acting]]:
    for module in pkgutil.walk_packages(tui.__path__, "selfheal_tui.tui."):
        importlib.import_module(module.name)
    found, todo = [], [Acting]
    while todo:
        for child in todo.pop().__subclasses__():
            todo.append(child)
            if child.CONTEXTS and child.__module__.startswith("selfheal_tui."):
                found.append(child)
    return found


def test_every_context_has_somebody_who_acts():
    held = {context for owner in acting_classes() for context in owner.CONTEXTS}
    assert held == {action.context for action in ACTIONS}


@pytest.mark.parametrize("owner", acting_classes(), ids=lambda owner: owner.__name__)
def test_whoever_has_a_context_can_do_each_of_its_actions(owner):
    missing = [
        a.id for a in of_context(*owner.CONTEXTS) if not callable(getattr(owner, f"act_{a.verb}", None))
    ]
    assert not missing


@pytest.mark.parametrize("owner", acting_classes(), ids=lambda owner: owner.__name__)
def test_whoever_has_a_context_binds_its_keys(owner):
    bound = {binding.id for binding in owner.BINDINGS if getattr(binding, "id", None)}
    assert {action.id for action in of_context(*owner.CONTEXTS)} <= bound


def test_within_a_context_no_key_does_two_things():
    for one, other in combinations(ACTIONS, 2):
        if one.context == other.context:
            assert not set(one.keys) & set(other.keys), (one.id, other.id)


def test_ids_are_unique_and_texts_are_sentences_without_markup():
    assert len({action.id for action in ACTIONS}) == len(ACTIONS)
    for action in ACTIONS:
        assert action.help.endswith(".")
        assert not set("[]") & set(action.help + action.label)


def test_what_decides_is_never_on_a_key_that_is_pressed_without_thinking():
    careless = {"enter", "space", "tab", "escape", "up", "down", "left", "right"}
    for action in ACTIONS:
        if action.decides:
            assert not careless & set(action.keys), action.id


def test_every_key_has_a_name_that_people_can_read():
    for action in ACTIONS:
        assert "_" not in Keys({}).all_shown(action)
