"""Swaps functions to and fro while threads call them without a pause.

    python swap_under_threads.py PROBE_FOLDER

Prints one JSON line: what the threads saw, and what went wrong. CPython 3.9+.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import threading
from pathlib import Path

from swap_driver import load_swap

OLD = """\
import functools
def deco(fn):
    @functools.wraps(fn)
    def w(*a, **k):
        return fn(*a, **k)
    return w
class Base:
    def name(self): return 'old'
class A(Base):
    def __init__(self): self.n = 1
    @deco
    def g(self, x): return ['old', self.n, x]
    def name(self): return 'old'
def f(x): return 'old'
def make(a):
    def inner(x): return 'old', a + x
    return inner
"""
NEW = """\
import functools
import json
LIMIT = 3
def helper(x, y): return 'new' if json.dumps(x) == '1' and y == LIMIT else 'broken'
def deco(fn):
    @functools.wraps(fn)
    def w(*a, **k):
        result = fn(*a, **k)
        return result
    return w
class Base:
    def name(self): return 'new'
class A(Base):
    def __init__(self): self.n = 1
    @deco
    def g(self, x, y=3): return self.extra(x, y)
    def extra(self, x, y): return [helper(x, y), self.n, x]
    def name(self): return super().name()
def f(x, y=3): return helper(x, y)
def make(a):
    def inner(x, k=5): return helper(1, 3) if k == 5 else 'broken', a + x
    return inner
"""


def main(probe):
    sys.setswitchinterval(
        0.0005
    )  # more moments at which a swap meets a call, and none waits long for the other
    swapper = load_swap(probe)
    folder = os.path.realpath(tempfile.mkdtemp(prefix="swap-"))
    sys.path.insert(0, folder)
    file = Path(folder, "hammered.py")
    file.write_text(OLD, encoding="utf-8")
    import hammered

    swapper.remember_sources(folder)
    seen, problems, stop, ready = set(), [], threading.Event(), threading.Barrier(5)

    def hammer():
        thing = hammered.A()
        bound, inner = thing.g, hammered.make(1)
        calls = (hammered.f, lambda x: bound(x)[0], lambda _: thing.name(), lambda x: inner(x)[0])
        ready.wait()
        while not stop.is_set():
            for call in calls:
                try:
                    seen.add(call(1))
                except BaseException as error:
                    problems.append(repr(error))

    threads = [threading.Thread(target=hammer, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    ready.wait()
    swaps = 0
    try:
        for _ in range(15):
            for text in (NEW, OLD):
                file.write_text(text, encoding="utf-8")
                outcome = swapper.swap_files([str(file)], root=folder)
                if not outcome.ok:
                    problems.append(str(outcome))
                swaps += 1
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
        shutil.rmtree(folder)
    print(json.dumps({"swaps": swaps, "seen": sorted(map(str, seen)), "problems": sorted(set(problems))[:5]}))


if __name__ == "__main__":
    main(sys.argv[1])
