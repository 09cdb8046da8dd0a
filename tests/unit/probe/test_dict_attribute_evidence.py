"""An attribute asked of a dict: its keys are the evidence."""

from __future__ import annotations

from pathlib import Path

from selfheal_tui.probe.capture import capture_exception


def test_the_keys_of_a_dict_that_was_asked_for_an_attribute_are_recorded() -> None:
    rows = [{"message": 1, 2: 3}]
    try:
        print(rows[0].message)
    except AttributeError as error:
        report = capture_exception(error, root=str(Path(__file__).parent))
    evidence = report["chain"][0]["evidence"]
    assert evidence["name"] == "message"
    assert evidence["keys"] == ["'message'", "2"]
