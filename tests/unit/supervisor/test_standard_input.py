"""A program that is run again gets its input again, or the run says what it missed."""

from __future__ import annotations

import os
from pathlib import Path

from selfheal_tui.supervisor.standard_input import GONE, StandardInput


def test_a_file_is_read_from_the_same_place_again(tmp_path: Path) -> None:
    file = tmp_path / "input"
    file.write_bytes(b"header\nbody\n")
    descriptor = os.open(file, os.O_RDONLY)
    try:
        assert os.read(descriptor, 7) == b"header\n"
        given = StandardInput(descriptor)
        assert os.read(descriptor, 100) == b"body\n"
        assert given.rewind() == ""
        assert os.read(descriptor, 100) == b"body\n"
    finally:
        os.close(descriptor)


def test_what_was_read_from_a_pipe_is_said_to_be_gone() -> None:
    ours, theirs = os.pipe()
    os.write(theirs, b"x")
    os.close(theirs)
    try:
        assert StandardInput(ours).rewind() == GONE
    finally:
        os.close(ours)


def test_a_pipe_at_its_end_and_a_closed_input_lose_nothing() -> None:
    ours, theirs = os.pipe()
    os.close(theirs)
    assert StandardInput(ours).rewind() == ""
    os.close(ours)
    assert StandardInput(ours).rewind() == ""
