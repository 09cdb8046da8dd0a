"""One command is run to its end, whatever it does."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from selfheal_tui.sandbox.process import run_command


def run(code: str, **more: object):
    arguments = {"environ": {"PATH": os.defpath}, "cwd": "/", "seconds": 30.0, **more}
    return run_command([sys.executable, "-I", "-S", "-c", code], **arguments)  # type: ignore[arg-type]


def test_output_of_both_streams_is_kept_in_order():
    finished = run("import os; os.write(1, b'one '); os.write(2, b'two '); os.write(1, b'three')")
    assert (finished.exit_code, finished.output) == (0, "one two three")


def test_a_flood_of_output_is_cut_to_its_tail():
    finished = run("import os\nfor _ in range(200): os.write(1, b'x' * 10000)\nos.write(1, b'end')")
    assert finished.output.startswith("[…]\n")
    assert finished.output.endswith("end")
    assert len(finished.output) < 70_000


def test_bytes_that_are_no_text_do_no_harm():
    assert "\ufffd" in run("import os; os.write(1, bytes([255, 254]))").output


def test_a_result_comes_on_its_descriptor_and_a_flood_there_is_noticed():
    ends = os.pipe()
    assert run(f"import os; os.write({ends[1]}, b'answer')", result=ends).result == b"answer"
    ends = os.pipe()
    flood = f"import os\nfor _ in range(3000): os.write({ends[1]}, b'x' * 10000)"
    finished = run(flood, result=ends)
    assert finished.overflowed
    assert len(finished.result) <= 16 << 20


def test_standard_input_is_what_is_given_and_then_ends():
    assert run("import sys; print(sys.stdin.read()[::-1])", stdin=b"abc").output == "cba\n"
    assert run("import sys; print(repr(sys.stdin.read()))").output == "''\n"


def test_signals_and_exit_statuses_are_told_apart():
    assert run("import os; os.abort()").exit_code == -6
    assert run("raise SystemExit(7)").exit_code == 7


def test_out_of_time_is_reported_and_has_no_exit_status():
    finished = run("import time; print('begun', flush=True); time.sleep(300)", seconds=1.0)
    assert (finished.timed_out, finished.exit_code) == (True, None)
    assert "begun" in finished.output


def test_too_many_processes_are_reported():
    code = (
        "import subprocess, time\np = [subprocess.Popen(['sleep', '60']) for _ in range(12)]\ntime.sleep(60)"
    )
    assert run(code, most_processes=5).crowded


def test_a_command_that_does_not_exist_leaves_no_descriptor_open():
    open_ones = Path("/dev/fd")
    before = len(list(open_ones.iterdir()))
    for _ in range(5):
        with pytest.raises(OSError, match="no-such"):
            run_command(["/no-such"], environ={}, cwd="/", seconds=5, result=os.pipe())
    assert len(list(open_ones.iterdir())) == before
