"""Output of one program passes unchanged; of several, every line carries its program's name."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.commands.streams import LONGEST_LINE, Outlet


class Written:
    def __init__(self) -> None:
        self.by = {1: b"", 2: b""}

    def __call__(self, descriptor: int, data) -> int:
        part = bytes(data[:7])  # as a pipe that is nearly full would
        self.by[descriptor] += part
        return len(part)


@given(pieces=st.lists(st.tuples(st.sampled_from(["stdout", "stderr", "terminal"]), st.binary())))
def test_one_programs_bytes_are_not_touched(pieces):
    out = Written()
    sink = Outlet(["a"], out).sink("a")
    for stream, data in pieces:
        sink(stream, data)
    assert out.by[1] == b"".join(data for stream, data in pieces if stream != "stderr")
    assert out.by[2] == b"".join(data for stream, data in pieces if stream == "stderr")


def test_lines_of_several_are_whole_and_named():
    out = Written()
    outlet = Outlet(["a", "long"], out)
    a, other = outlet.sink("a"), outlet.sink("long")
    a("stdout", b"one\ntw")
    other("stdout", b"three\n")
    a("stdout", b"o\n")
    a("stderr", b"unfinished")
    outlet.flush("a")
    outlet.flush("a")
    assert out.by[1] == b"a    | one\nlong | three\na    | two\n"
    assert out.by[2] == b"a    | unfinished\n"


def test_output_without_line_ends_is_not_held_for_ever():
    out = Written()
    outlet = Outlet(["a", "b"], out)
    outlet.sink("a")("stdout", b"x" * (LONGEST_LINE * 2 + 5))
    assert out.by[1].count(b"\n") == 2
    outlet.flush("a")
    assert out.by[1].replace(b"a | ", b"").replace(b"\n", b"") == b"x" * (LONGEST_LINE * 2 + 5)
