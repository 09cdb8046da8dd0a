"""The ring holds the newest output, bounded, whole, numbered, and never mixes streams."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.supervisor.output import OutputRing

STREAMS = st.sampled_from(["stdout", "stderr"])


def texts(ring, **more):
    return [line.text for line in ring.snapshot(**more).lines]


def test_lines_carry_stream_time_run_and_number():
    ring = OutputRing(10, clock=lambda: 5.0)
    ring.begin(2)
    ring.feed("stdout", b"one\r\nhal")
    ring.feed("stderr", b"oops\n")
    ring.feed("stdout", b"f\n")
    lines = ring.snapshot().lines
    assert [(line.number, line.stream, line.text) for line in lines] == [
        (1, "stdout", "one"),
        (2, "stderr", "oops"),
        (3, "stdout", "half"),
    ]
    assert {(line.at, line.run, line.whole) for line in lines} == {(5.0, 2, True)}


def test_what_a_program_leaves_unfinished_is_kept_when_its_stream_closes():
    ring = OutputRing(10)
    ring.feed("stdout", b"a\nlast words")
    assert texts(ring) == ["a"]
    ring.close("stdout")
    ring.close("stdout")
    assert [(line.text, line.whole) for line in ring.snapshot().lines] == [("a", True), ("last words", False)]


def test_a_mark_stands_where_the_incident_began_and_only_once():
    ring = OutputRing(10)
    ring.feed("stdout", b"before\n")
    ring.mark("a1b2")
    ring.feed("stdout", b"after\n")
    ring.mark("a1b2")
    assert [(line.stream, line.text) for line in ring.snapshot().lines] == [
        ("stdout", "before"),
        ("mark", "a1b2"),
        ("stdout", "after"),
    ]


def test_a_viewer_gets_what_is_new_and_is_told_what_it_missed():
    ring = OutputRing(3)
    ring.feed("stdout", b"1\n2\n")
    first = ring.snapshot()
    assert (texts(ring), first.dropped) == (["1", "2"], 0)
    ring.feed("stdout", b"3\n4\n5\n6\n")
    second = ring.snapshot(after=first.last)
    assert [line.text for line in second.lines] == ["4", "5", "6"]
    assert second.dropped == 1
    assert ring.snapshot(after=second.last).lines == ()
    assert ring.snapshot(after=99).lines == ()


def test_bytes_that_are_no_text_do_not_end_it():
    ring = OutputRing(3)
    ring.feed("stdout", b"\xff\xfe\x00\n")
    assert texts(ring) == ["\ufffd\ufffd\x00"]


@given(
    pieces=st.lists(st.tuples(STREAMS, st.binary(max_size=40) | st.just(b"\n"))),
    lines=st.integers(1, 20),
    most=st.integers(8, 200),
)
def test_it_never_holds_more_lines_or_bytes_than_allowed(pieces, lines, most):
    ring = OutputRing(lines, most_bytes=most)
    for stream, data in pieces:
        ring.feed(stream, data)
        kept = ring.snapshot().lines
        assert len(kept) <= lines
        assert ring._bytes <= most
        assert sum(map(len, ring._open.values())) <= 2 * ring._longest


@given(pieces=st.lists(st.tuples(STREAMS, st.text("abé\n", max_size=12))))
def test_each_stream_comes_out_as_it_went_in_however_it_was_cut(pieces):
    ring = OutputRing(10_000)
    for stream, text in pieces:
        data = text.encode()
        for start in range(0, len(data), 3):
            ring.feed(stream, data[start : start + 3])
    for stream in ("stdout", "stderr"):
        ring.close(stream)
        out = "".join(
            line.text + ("\n" if line.whole else "")
            for line in ring.snapshot().lines
            if line.stream == stream
        )
        assert out == "".join(text for name, text in pieces if name == stream)


@given(counts=st.lists(st.integers(0, 9)), lines=st.integers(1, 8))
def test_a_viewer_that_polls_sees_every_line_once_or_hears_that_it_was_dropped(counts, lines):
    ring = OutputRing(lines)
    seen = missed = last = 0
    for count in counts:
        ring.feed("stdout", b"x\n" * count)
        new = ring.snapshot(after=last)
        assert [line.number for line in new.lines] == list(range(last + new.dropped + 1, new.last + 1))
        seen, missed, last = seen + len(new.lines), missed + new.dropped, new.last
    assert seen + missed == sum(counts)
