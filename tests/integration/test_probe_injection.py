"""The probe gets into real programs, on every interpreter found, and changes nothing about them but the inbox."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from probeworld import VERSIONS, World, interpreter

from selfheal_tui.model.kinds import CaptureSource
from selfheal_tui.probe.environment import BOOT_DIR, probe_environment


@pytest.fixture(params=VERSIONS)
def python(request):
    return interpreter(request.param)


AGENT = """\
import sys
class Tool:
    def __init__(self):
        self.password = "hunter2"
    def lookup(self, table, key="k", *rest, **more):
        return table[key]
def main():
    tool = Tool()
    return tool.lookup({"alpha": 1, "api_key": "s3cr3t-value"}, "alhpa")
if __name__ == "__main__":
    main()
"""


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    (world.root / "agent.py").write_text(AGENT)
    return world


@pytest.mark.parametrize("way", ["script", "absolute", "module", "code", "package", "console script"])
def test_a_crash_is_captured_however_the_program_is_started_and_looks_as_ever(world, python, way):
    package = world.root / "pack"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text("import agent\nagent.main()\n")
    script = world.root / "tool"
    script.write_text(
        f"#!{python}\nimport sys\nfrom agent import main\nif __name__ == '__main__':\n    sys.exit(main())\n"
    )
    script.chmod(0o755)
    argv = {
        "script": [python, "agent.py"],
        "absolute": [python, str(world.root / "agent.py")],
        "module": [python, "-m", "agent"],
        "code": [python, "-c", "import agent; agent.main()"],
        "package": [python, "-m", "pack"],
        "console script": [str(script)],
    }[way]
    done = world.both(*argv)
    assert done.returncode == 1
    assert b"KeyError: 'alhpa'" in done.stderr
    report = world.report()
    assert report.source is CaptureSource.PROBE
    assert report.raised.type == "KeyError"
    innermost = report.raised.frames[-1]
    assert (innermost.qualname, Path(innermost.file)) == ("Tool.lookup", world.root / "agent.py")
    assert report.raised.evidence.keys == ("'alpha'", "'api_key'")
    assert report.replay[0].qualname == "Tool.lookup"
    assert report.replay[0].payload is not None
    assert (world.inbox / report.replay[0].payload).exists()


def test_no_secret_reaches_the_inbox_not_even_in_a_payload(world, python):
    world.run(python, "agent.py")
    for file in world.inbox.iterdir():
        assert b"hunter2" not in file.read_bytes()
        assert b"s3cr3t" not in file.read_bytes()
    assert "masked" in world.report().replay[0].problem


def test_columns_are_known_where_the_interpreter_knows_them(world, python):
    world.run(python, "agent.py")
    report = world.report()
    frame = report.raised.frames[-1]
    known = tuple(map(int, report.process.python.split(".")))[:2] >= (3, 11)
    assert (frame.line, frame.col, frame.end_col) == ((6, 15, 25) if known else (6, None, None))


def test_a_syntax_error_in_the_main_script_is_captured(world, python):
    (world.root / "broken.py").write_text("x = (1,\n")
    world.both(python, "broken.py")
    syntax = world.report().raised.syntax
    assert syntax is not None
    assert Path(syntax[0]) == world.root / "broken.py"


def test_a_successful_program_a_plain_exit_and_an_interrupt_leave_no_report(world, python):
    assert world.both(python, "-c", "print('fine')").returncode == 0
    assert world.both(python, "-c", "import sys; sys.exit('no')").returncode == 1
    world.both(python, "-c", "raise KeyboardInterrupt")
    world.both(python, "-c", "raise MemoryError")
    world.both(python, "-c", "import asyncio; raise asyncio.CancelledError")
    assert world.reports() == []


def test_the_import_path_and_the_loaded_modules_look_untouched(world, python):
    show = "import sys; print(sys.path, [p for p in sys.path_importer_cache if 'selfheal_tui' in p])"
    world.both(python, "-c", show)
    world.both(python, "-c", show, PYTHONPATH=os.pathsep.join([str(world.root), "", "relative"]))


def test_the_users_own_sitecustomize_still_runs_and_is_what_the_program_sees(world, python):
    own = world.root / "own"
    own.mkdir()
    (own / "sitecustomize.py").write_text("print('own sitecustomize')\nMINE = 1\n")
    done = world.both(
        python, "-c", "import sitecustomize; print(sitecustomize.MINE); 1/0", PYTHONPATH=str(own)
    )
    assert done.stdout.split() == [b"own", b"sitecustomize", b"1"]
    assert world.report().raised.type == "ZeroDivisionError"


@pytest.mark.parametrize(
    "content", ["raise ValueError('mine')", "import nothing_of_that_name", "raise SystemExit(3)"]
)
def test_a_broken_sitecustomize_of_the_user_breaks_as_it_did_before(world, python, content):
    own = world.root / "own"
    own.mkdir()
    (own / "sitecustomize.py").write_text(content + "\n")
    if "SystemExit" not in content:
        world.both(python, "-c", "print('on')", PYTHONPATH=str(own))
        return
    # Fatal at start: the traceback that Python prints then has our frame in it, and nothing else is different.
    plain, probed = (world.run(python, "-c", "", probe=way, PYTHONPATH=str(own)) for way in (False, True))
    assert (probed.returncode, probed.stderr.splitlines()[-1:]) == (
        plain.returncode,
        plain.stderr.splitlines()[-1:],
    )


def test_children_are_covered_each_with_a_report(world, python):
    (world.root / "parent.py").write_text(
        "import subprocess, sys\nsubprocess.call([sys.executable, 'agent.py'])\nraise LookupError('parent')\n"
    )
    world.both(python, "parent.py")
    assert sorted(report.raised.type for report in world.reports()) == ["KeyError", "LookupError"]


@pytest.mark.parametrize("flag", ["-S", "-E", "-I"])
def test_flags_that_keep_the_probe_out_only_cost_the_report(world, python, flag):
    world.both(python, flag, str(world.root / "agent.py"))
    assert world.reports() == []


@pytest.mark.parametrize("chained", [True, False])
def test_a_hook_that_the_program_sets_later_is_called_and_does_not_hide_the_crash(world, python, chained):
    (world.root / "hooked.py").write_text(
        "import sys\nbefore = sys.excepthook\ndef mine(kind, error, trace):\n    print('MINE', kind.__name__)\n"
        + ("    before(kind, error, trace)\n" if chained else "")
        + "sys.excepthook = mine\n[][0]\n"
    )
    done = world.both(python, "hooked.py")
    assert b"MINE IndexError" in done.stdout
    assert world.report().raised.type == "IndexError"


def test_chain_groups_notes_and_recursion_survive(world, python):
    (world.root / "deep.py").write_text(
        "def down(n):\n    return down(n + 1)\n"
        "try:\n    down(0)\nexcept RecursionError as error:\n    raise ValueError('outer') from error\n"
    )
    world.both(python, "deep.py")
    report = world.report()
    assert [info.type for info in report.chain] == ["ValueError", "RecursionError"]
    assert len(report.chain[1].frames) == 64


EVIL = """\
import time
class Evil:
    def __repr__(self): raise SystemExit('repr')
    __str__ = __repr__
    def __getattr__(self, name): raise RuntimeError(name)
    @property
    def __class__(self): raise RuntimeError('class')
    @property
    def prop(self): print('property was run')
    def __eq__(self, other): print('eq was run'); return True
    __hash__ = None
    def __len__(self): print('len was run'); return 1
    def __iter__(self): print('iter was run'); return iter(())
    def __reduce_ex__(self, protocol): raise KeyboardInterrupt
class Slow:
    def __repr__(self): time.sleep(3600)
class Dict(dict):
    def __repr__(self): print('repr was run'); return 'x'
    def keys(self): print('keys was run'); return ()
    items = __iter__ = keys
class Text(str):
    def __repr__(self): print('repr was run'); return 'x'
    __str__ = __getitem__ = __len__ = __repr__
class Meta(type):
    def __getattribute__(cls, name): print('meta was run'); return type.__getattribute__(cls, name)
    def __repr__(cls): print('meta repr was run'); return 'x'
class Strange(metaclass=Meta): pass
def work(evil, slow, mapping, text, huge):
    cycle = []; cycle.append(cycle)
    number = 10 ** 20000
    lone = '\\ud800'
    kind = Strange
    thing = object.__new__(Strange) if False else None
    return huge['missing']
work(Evil(), Slow(), Dict(a=1), Text('t'), dict.fromkeys(range(100000), 'x' * 1000))
"""


def test_hostile_objects_are_described_without_running_their_code(world, python):
    (world.root / "evil.py").write_text(EVIL)
    done = world.both(python, "evil.py")
    assert b"was run" not in done.stdout
    frame = world.report().raised.frames[-1]
    shown = {value.name: value for value in frame.locals}
    assert shown["evil"].repr == "<__main__.Evil object>"
    assert shown["slow"].type == "__main__.Slow"
    assert shown["mapping"].repr == "__main__.Dict({'a': 1})"
    assert shown["huge"].size == 100000
    assert "..." in shown["cycle"].repr
    assert "bits" in shown["number"].repr


@pytest.mark.parametrize("where", ["missing", "file", "read-only"])
def test_an_inbox_that_cannot_be_written_is_harmless(world, python, where):
    target = world.inbox.parent / "elsewhere"
    if where == "file":
        target.write_text("not a folder")
    if where == "read-only":
        target.mkdir()
        target.chmod(0o500)
    without, under = world.run(python, "agent.py", probe=False), world.run(python, "agent.py", inbox=target)
    assert (under.returncode, under.stderr) == (without.returncode, without.stderr)
    if where == "missing":
        assert not target.exists()


def test_a_full_disk_is_harmless_and_leaves_no_half_file(world, python):
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here: a full disk was NOT tested")
    # A limit of file size gives the same error as a full disk, at the first byte too many.
    limited = "import agent, resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)); import signal;"
    limited += "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); agent.main()"
    world.both(python, "-c", limited)
    assert not [file for file in world.inbox.iterdir() if file.suffix in (".json", ".pickle", ".tmp")]
    assert "OSError" in (world.inbox / "probe-errors.log").read_text()


def test_a_full_inbox_takes_no_more_and_the_program_does_not_notice(world, python):
    for number in range(500):
        (world.inbox / f"{number}.json").touch()
    world.both(python, "agent.py")
    assert len(list(world.inbox.glob("*.json"))) == 500
    assert "InboxFullError" in (world.inbox / "probe-errors.log").read_text()


def test_a_shadowed_standard_module_does_not_break_the_program_or_get_run_by_the_probe(world, python):
    (world.root / "uuid.py").write_text("print('shadow was run')\n")
    (world.root / "dis.py").write_text("print('shadow was run')\n")
    done = world.both(python, "agent.py")
    assert b"shadow" not in done.stdout
    assert world.report().raised.type == "KeyError"


def test_a_relative_script_is_found_after_the_program_changed_its_folder(world, python):
    (world.root / "mover.py").write_text(
        "import os\nos.chdir('/')\ndef f():\n    return undefined_name\nf()\n"
    )
    world.both(python, "mover.py")
    assert {Path(frame.file) for frame in world.report().raised.frames} == {world.root / "mover.py"}


def test_nested_probes_install_once(world, python):
    environ = probe_environment(world.inbox, world.root, world.plain)
    again = probe_environment(world.inbox, world.root, environ)
    assert again["PYTHONPATH"].split(os.pathsep).count(BOOT_DIR) == 1
    world.run(python, "-c", f"import runpy; runpy.run_path({str(Path(BOOT_DIR, 'sitecustomize.py'))!r}); 1/0")
    assert len(world.reports()) == 1
