"""Every situation of the hot-swap matrix, on every CPython from 3.9 to 3.13 that this machine has."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import selfheal_tui.probe

VERSIONS = ("3.9", "3.10", "3.11", "3.12", "3.13")
HERE = Path(__file__).parent
PROBE = Path(selfheal_tui.probe.__file__).parent


def find_python(version):
    """The interpreter of that version: ours, one of pyenv, or one on PATH; None when there is none."""
    if sys.version_info[:2] == tuple(map(int, version.split("."))):
        return sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = sorted(map(str, pyenv.glob(f"versions/{version}.*/bin/python")))
    return found[-1] if found else shutil.which("python" + version)


@pytest.fixture(params=VERSIONS)
def python(request):
    found = find_python(request.param)
    if found is None:
        pytest.skip(f"LOUD: CPython {request.param} was not found: hot swap was NOT tested on it")
    return found


def run_driver(python, name, *arguments):
    done = subprocess.run(
        [python, HERE / name, PROBE, *map(str, arguments)], capture_output=True, text=True, timeout=250
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def test_every_reference_follows_or_the_reason_for_a_restart_is_told(python):
    results = run_driver(python, "swap_driver.py")
    assert len(results) >= 70
    problems = {one["name"]: one["problem"] for one in results if one["problem"]}
    assert not problems, "\n".join(f"{name}:\n{text}" for name, text in problems.items())


def test_functions_of_real_modules_swap_and_swap_back(python):
    results = run_driver(python, "swap_real_code.py")
    problems = [one for one in results if one["problem"]]
    assert not problems
    assert sum(one["swaps"] for one in results) >= 20
    assert sum(one["reached"] for one in results) >= 3  # marks that the workloads came across


def test_threads_that_call_a_function_while_it_is_swapped_see_old_or_new_code_only(python):
    (result,) = run_driver(python, "swap_under_threads.py")
    assert result["problems"] == []
    assert result["swaps"] == 30
    assert set(result["seen"]) == {"old", "new"}
