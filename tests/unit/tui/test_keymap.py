"""Keys can be changed in the settings, but not so that a stray key decides."""

from __future__ import annotations

import pytest

from selfheal_tui.tui.actions import BY_ID
from selfheal_tui.tui.keys import KeymapError, Keys, key_name, parse_keymap


def test_a_key_can_be_changed_and_is_shown_as_changed():
    keys = Keys(parse_keymap(["app.quit=Q", "review.approve = y , Y"]))
    assert keys.shown(BY_ID["app.quit"]) == "Q"
    assert keys.of(BY_ID["review.approve"]) == ("y", "Y")
    assert keys.of(BY_ID["app.help"]) == BY_ID["app.help"].keys


@pytest.mark.parametrize("entry", ["app.quit", "app.quit=", "=Q", "no.such=Q"])
def test_an_entry_that_is_wrong_is_named_with_the_remedy(entry):
    with pytest.raises(KeymapError, match=r"console\.keys"):
        parse_keymap([entry])


@pytest.mark.parametrize("key", ["enter", "space", "escape", "up"])
@pytest.mark.parametrize(
    "action", ["review.approve", "rollback.confirm", "rollback.overwrite", "policy.pause"]
)
def test_no_key_that_is_pressed_without_thinking_may_decide(action, key):
    with pytest.raises(KeymapError, match="without thinking"):
        parse_keymap([f"{action}={key}"])


def test_two_actions_of_one_place_cannot_have_one_key():
    with pytest.raises(KeymapError, match="both"):
        parse_keymap(["review.approve=r"])
    with pytest.raises(KeymapError, match="both"):
        parse_keymap(["app.quit=question_mark"])


def test_keys_are_named_as_people_write_them():
    assert [key_name(k) for k in ("ctrl+d", "question_mark", "right_square_bracket", "j")] == [
        "^d",
        "?",
        "]",
        "j",
    ]
