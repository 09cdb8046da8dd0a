"""Ages at a glance."""

from __future__ import annotations

import pytest

from selfheal_tui.tui.times import age


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-3, "0:00"), (42, "0:42"), (725.9, "12:05"), (3600, "1 h"), (172_799, "47 h"), (172_800, "2 d")],
)
def test_an_age_is_read_at_a_glance(seconds, text):
    assert age(seconds) == text
