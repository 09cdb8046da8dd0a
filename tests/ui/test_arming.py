"""No order of events arms a key before its patch was shown and looked at for a moment."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.tui.arming import ARM_SECONDS, Arming, Stage


def armed() -> Arming:
    return Arming().offered("p").shown("p", 10.0).tick(10.0 + ARM_SECONDS)


def test_a_patch_is_armed_a_moment_after_it_was_shown() -> None:
    waiting = Arming().offered("p").shown("p", 10.0)
    assert waiting.stage is Stage.WAITING
    assert waiting.tick(10.3).stage is Stage.WAITING
    assert waiting.tick(10.4).stage is Stage.ARMED


def test_time_alone_arms_nothing() -> None:
    assert Arming().tick(1e9).stage is Stage.UNPAINTED
    assert Arming().offered("p").tick(1e9).stage is Stage.UNPAINTED


def test_a_key_from_before_the_arming_never_counts_however_late_it_comes() -> None:
    assert not armed().allows(10.39)
    assert armed().allows(10.41)


def test_another_patch_disarms_and_the_same_one_does_not() -> None:
    assert armed().offered("p").stage is Stage.ARMED
    assert armed().offered("q").stage is Stage.UNPAINTED
    assert armed().offered("q").shown("p", 11.0).stage is Stage.UNPAINTED


def test_whoever_looked_away_waits_again() -> None:
    back = armed().left("blur").back("blur", 20.0)
    assert armed().left("blur").tick(99.0).stage is Stage.BLURRED
    assert back.tick(20.3).stage is Stage.WAITING
    assert back.tick(20.4).stage is Stage.ARMED


def test_all_that_keeps_from_looking_has_to_end() -> None:
    away = armed().left("blur").left("covered")
    assert away.back("covered", 20.0).tick(99.0).stage is Stage.BLURRED


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["offer", "shown", "tick", "left", "back", "again"]),
        st.sampled_from(["p", "q"]),
        st.floats(0, 0.5),
    ),
    max_size=40,
)


@given(EVENTS)
def test_whatever_happens_armed_means_shown_and_looked_at_for_the_whole_moment(
    events: list[tuple[str, str, float]],
) -> None:
    arming, now = Arming(), 0.0
    patch, seen_since, away = "", None, set[str]()  # what the rule says, kept by itself
    for kind, name, step in events:
        now += step
        match kind:
            case "offer":
                seen_since = seen_since if name == patch else None
                patch, arming = name, arming.offered(name)
            case "shown":
                if name == patch and seen_since is None:
                    seen_since = now
                arming = arming.shown(name, now)
            case "tick":
                arming = arming.tick(now)
            case "left":
                away.add(name)
                arming = arming.left(name)
            case "back":
                if name in away:
                    away.discard(name)
                    seen_since = now if seen_since is not None else None
                arming = arming.back(name, now)
            case _:
                seen_since = now if seen_since is not None else None
                arming = arming.again(now)
        if arming.stage is Stage.ARMED:
            assert seen_since is not None
            assert not away
            assert now - seen_since >= ARM_SECONDS - 1e-9
            assert not arming.allows(seen_since + ARM_SECONDS - 0.001)
        else:
            assert not arming.allows(now + 1e6)
            assert arming.why
