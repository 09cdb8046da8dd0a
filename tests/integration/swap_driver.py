"""Runs hot-swap situations in this interpreter, each in a forked child, and prints one JSON line for each.

    python swap_driver.py PROBE_FOLDER [NAME]

Standard library only, CPython 3.9+: the tests start it under every interpreter that they find.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import traceback
import types
from pathlib import Path

sys.dont_write_bytecode = True


def load_swap(probe):
    """Loads the package as the boot script does: by its folder, under a private name."""
    package = types.ModuleType("_selfheal_probe")
    package.__path__ = [probe]
    sys.modules["_selfheal_probe"] = package
    from _selfheal_probe import swap

    return swap


def run(one, swapper, folder):
    def path(name):
        return str(Path(folder, name))

    def put(name, text):
        file = Path(folder, name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def swap():
        return swapper.swap_files([path(name) for name in one["after"]], root=folder)

    names = {"__name__": "situation", "path": path, "put": put, "swap": swap}
    for name, text in one["before"].items():
        put(name, text)
    sys.path.insert(0, folder)
    exec(compile(one["setup"], "<setup>", "exec"), names)
    swapper.remember_sources(folder)
    for name, text in one["after"].items():
        put(name, text)
    outcome = names["outcome"] = swap()
    kind = "restart" if outcome.restart_needed else "error" if outcome.error else "swap"
    assert kind == one["expect"], outcome
    assert kind == "swap" or not outcome.swapped
    exec(compile(one["check"], "<check>", "exec"), names)


def main(probe, only):
    swapper = load_swap(probe)
    import swap_reshaping  # noqa: F401 - adds its own
    from swap_situations import SITUATIONS

    for one in SITUATIONS:
        if only and one["name"] not in only:
            continue
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            os.close(reader)
            folder = os.path.realpath(tempfile.mkdtemp(prefix="swap-"))
            try:
                run(one, swapper, folder)
                answer = ""
            except BaseException:
                answer = traceback.format_exc(limit=-3)
            shutil.rmtree(folder)
            os.write(writer, answer.encode()[:30000])
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader, encoding="utf-8", errors="replace") as file:
            problem = file.read()
        _, status = os.waitpid(child, 0)
        if status and not problem:
            problem = f"the child died with status {status}"
        print(json.dumps({"name": one["name"], "problem": problem}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
