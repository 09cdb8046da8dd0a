"""What goes through the walls by design: filters, variables, paths; computed, not run."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.model.kinds import Isolation
from selfheal_tui.model.ports import SandboxError
from selfheal_tui.model.settings import SandboxSettings
from selfheal_tui.sandbox import isolation
from selfheal_tui.sandbox.environment import clean_environment
from selfheal_tui.sandbox.interpreter import interpreter_facts
from selfheal_tui.sandbox.paths import PathMap
from selfheal_tui.sandbox.seccomp import seccomp_filter
from selfheal_tui.sandbox.walls import DRIVERS, Walls, find_bubblewrap, is_harmless, readable_paths

ALLOW, EPERM, ENOSYS = 0x7FFF0000, 0x00050001, 0x00050026
X86, ARM, I386 = 0xC000003E, 0xC00000B7, 0x40000003


def judge(program: bytes, architecture: int, number: int, argument: int = 0) -> int:
    """Runs the classic BPF program as the kernel would."""
    data = struct.pack("=IIQQ", number, architecture, 0, argument)
    steps = [struct.unpack("HBBI", program[i : i + 8]) for i in range(0, len(program), 8)]
    place, loaded = 0, 0
    while True:
        code, if_true, if_false, value = steps[place]
        place += 1
        if code == 0x20:
            loaded = struct.unpack_from("=I", data, value)[0]
        elif code == 0x06:
            return value
        else:
            holds = {0x15: loaded == value, 0x45: bool(loaded & value), 0x35: loaded >= value}[code]
            place += if_true if holds else if_false


@pytest.mark.parametrize(
    ("machine", "architecture", "numbers"),
    [
        (
            "x86_64",
            X86,
            {
                "read": 0,
                "socket": 41,
                "socketpair": 53,
                "clone": 56,
                "ptrace": 101,
                "mount": 165,
                "unshare": 272,
            },
        ),
        (
            "aarch64",
            ARM,
            {
                "read": 63,
                "socket": 198,
                "socketpair": 199,
                "clone": 220,
                "ptrace": 117,
                "mount": 40,
                "unshare": 97,
            },
        ),
    ],
)
def test_the_filter_refuses_what_it_should_and_nothing_else(machine, architecture, numbers):
    alone = seccomp_filter(own_network=True, machine=machine)
    shared = seccomp_filter(own_network=False, machine=machine)
    for program in (alone, shared):
        assert judge(program, architecture, numbers["read"]) == ALLOW
        assert judge(program, architecture, numbers["socketpair"], 1) == ALLOW
        assert judge(program, architecture, numbers["clone"], 0x3D0F00) == ALLOW  # a thread
        assert judge(program, architecture, numbers["clone"], 0x10000011) == EPERM  # a user namespace
        assert judge(program, architecture, 435) == ENOSYS
        for name in ("ptrace", "mount", "unshare"):
            assert judge(program, architecture, numbers[name]) == EPERM
        assert judge(program, architecture, 425) == EPERM
        assert judge(program, I386, numbers["read"]) == EPERM
    for family in (1, 2, 10, 16):
        assert judge(alone, architecture, numbers["socket"], family) == ALLOW
        assert judge(shared, architecture, numbers["socket"], family) == EPERM
    for family in (17, 38, 40):
        assert judge(alone, architecture, numbers["socket"], family) == EPERM


def test_the_other_numbers_of_x86_are_refused():
    program = seccomp_filter(own_network=True, machine="x86_64")
    assert judge(program, X86, 0x40000000) == EPERM
    assert judge(program, X86, 0x40000000 + 41, 2) == EPERM


def test_an_unknown_architecture_has_no_filter_and_no_landlock_level(monkeypatch):
    assert seccomp_filter(own_network=True, machine="riscv64") == b""
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert "no system-call filter" in isolation.try_isolation(Isolation.LANDLOCK)


@given(st.dictionaries(st.from_regex(r"[A-Z_]{1,20}", fullmatch=True), st.text(max_size=10)))
def test_no_variable_gets_in_that_is_not_listed(environ):
    facts = interpreter_facts(sys.executable)
    made = clean_environment(facts, home=Path("/h"), temporary=Path("/t"), environ=environ)
    own = {
        "PATH",
        "HOME",
        "TMPDIR",
        "TMP",
        "TEMP",
        "TERM",
        "NO_COLOR",
        "PYTHONHASHSEED",
        "PYTHONUNBUFFERED",
        "PYTHONUSERBASE",
        "VIRTUAL_ENV",
    }
    for name in set(made) - own:
        assert name in {"LANG", "LANGUAGE", "TZ", "COLUMNS", "LINES"} or name.startswith(("LC_", "PYTHON"))
    assert made["HOME"] == "/h"
    assert "PYTHONDONTWRITEBYTECODE" not in made


def test_a_named_variable_gets_in_but_cannot_replace_ours():
    facts = interpreter_facts(sys.executable)
    environ = {"DB": "x", "HOME": "/root", "OTHER": "y"}
    made = clean_environment(
        facts, home=Path("/h"), temporary=Path("/t"), environ=environ, passed=("DB", "HOME")
    )
    assert (made["DB"], made["HOME"], "OTHER" in made) == ("x", "/h", False)


@pytest.mark.parametrize("name", ["", ".ssh", ".aws", ".config/app", "work/.selfheal"])
def test_places_of_secrets_are_never_opened(tmp_path, monkeypatch, name):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / name).mkdir(parents=True, exist_ok=True)
    (tmp_path / "alias").symlink_to(tmp_path / name)
    assert not is_harmless(str(tmp_path / name))
    assert not is_harmless(str(tmp_path / "alias"))
    assert not is_harmless(str(tmp_path.parent))
    assert not is_harmless("/")
    assert not is_harmless("/etc")


def test_a_library_in_the_home_directory_may_be_opened(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "lib").mkdir()
    assert is_harmless(str(tmp_path / "lib"))


def test_an_interpreter_whose_prefix_is_the_home_directory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    facts = replace(interpreter_facts(sys.executable), prefixes=(str(tmp_path),))
    with pytest.raises(SandboxError, match=r"project\.interpreter"):
        readable_paths(facts, Path("/srv/app"))


def test_an_environment_made_in_the_root_opens_its_parts_and_not_the_project(tmp_path):
    for name in ("bin", "lib", "app"):
        (tmp_path / name).mkdir()
    facts = replace(
        interpreter_facts(sys.executable),
        prefixes=(str(tmp_path),),
        sys_path=(str(tmp_path / "lib"), str(tmp_path / "app")),
    )
    paths = readable_paths(facts, tmp_path)
    assert {str(tmp_path / "bin"), str(tmp_path / "lib")} <= set(paths)
    assert str(tmp_path) not in paths
    assert str(tmp_path / "app") not in paths


def walls(tmp_path: Path, level: Isolation) -> Walls:
    live, copy = tmp_path / "live", tmp_path / "copy"
    live.mkdir(exist_ok=True)
    copy.mkdir(exist_ok=True)
    return Walls(
        level, live, copy, interpreter_facts(sys.executable), SandboxSettings(), (str(live / ".venv"),)
    )


def test_mounts_come_in_an_order_in_which_the_copy_hides_the_live_tree(tmp_path):
    made = walls(tmp_path, Isolation.BUBBLEWRAP)
    launch = made.launch(["true"], cwd=str(made.view), scratch=tmp_path / "scratch", seconds=5)
    for number in launch.descriptors:
        os.close(number)
    argv = list(launch.argv)
    live = argv.index(str(made.live))
    assert argv[live - 2 : live + 1] == ["--bind", str(made.copy), str(made.live)]
    assert argv.index("/tmp") < live < argv.index(str(made.live / ".venv"))
    writable = [argv[i + 2] for i, word in enumerate(argv) if word in {"--bind", "--bind-try", "--dev-bind"}]
    assert writable == [str(made.live), str(tmp_path / "scratch")]


def test_landlock_names_the_live_tree_nowhere_but_for_its_environment(tmp_path):
    made = walls(tmp_path, Isolation.LANDLOCK)
    launch = made.launch(["true"], cwd=str(made.view), scratch=tmp_path / "scratch", seconds=5)
    spec = json.loads(next(part for part in launch.argv if part.startswith("{")))
    assert [path for path in spec["landlock"]["ro"] if path.startswith(str(made.live))] == [
        str(made.live / ".venv")
    ]
    assert spec["landlock"]["rw"] == [
        "/dev/null",
        "/dev/zero",
        "/dev/full",
        str(made.copy),
        str(tmp_path / "scratch"),
    ]
    assert spec["limits"]["RLIMIT_AS"] == SandboxSettings().memory_mb << 20


def test_paths_are_mapped_both_ways_and_only_whole_ones(tmp_path):
    paths = PathMap(walls(tmp_path, Isolation.LANDLOCK))
    live, copy = str(tmp_path / "live"), str(tmp_path / "copy")
    assert paths.inside(f"{live}/a.py") == f"{copy}/a.py"
    assert paths.inside(f"--config={live}/c:{live}") == f"--config={copy}/c:{copy}"
    for kept in (f"{live}-other/a.py", f"/x{live}/a", f"{live}/.venv/bin/python", "a.py"):
        assert paths.inside(kept) == kept
    raw = json.dumps({"file": f"{copy}/ä.py", "text": f"in {copy}/b"}).encode()
    assert json.loads(paths.outside(raw)) == {"file": f"{live}/ä.py", "text": f"in {live}/b"}


@pytest.mark.parametrize("ascii_only", [True, False])
def test_roots_with_unusual_names_are_mapped_in_documents(tmp_path, ascii_only):
    made = replace(walls(tmp_path, Isolation.LANDLOCK), live=Path('/ä "q" $'), copy=Path('/tmp/ü/ä "q" $'))
    raw = json.dumps({"file": '/tmp/ü/ä "q" $/a.py'}, ensure_ascii=ascii_only).encode()
    assert json.loads(PathMap(made).outside(raw)) == {"file": '/ä "q" $/a.py'}


def test_bubblewrap_needs_no_mapping(tmp_path):
    paths = PathMap(walls(tmp_path, Isolation.BUBBLEWRAP))
    assert paths.inside(str(tmp_path / "live" / "a.py")) == str(tmp_path / "live" / "a.py")


def test_only_what_comes_before_the_standard_library_is_added_to_the_import_path(tmp_path):
    made = walls(tmp_path, Isolation.BUBBLEWRAP)
    library, other = made.facts.stdlib, tmp_path / "other"
    other.mkdir()
    chosen = PathMap(made).import_path(["", str(other), "gone", library, str(tmp_path)], str(made.live))
    assert chosen == [str(made.live), str(other), str(made.live / "gone")]
    mapped = PathMap(walls(tmp_path, Isolation.LANDLOCK)).import_path(
        [library, str(made.live / "src")], str(made.live)
    )
    assert mapped == [str(made.copy / "src")]


def test_a_broken_bubblewrap_is_found_out_and_the_next_level_is_taken(tmp_path, monkeypatch):
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setattr("selfheal_tui.sandbox.walls.SYSTEM_PROGRAMS", str(tmp_path))
    problem = isolation.try_isolation(Isolation.BUBBLEWRAP)
    assert "does not hold here" in problem
    assert "No permissions" in problem


def test_walls_that_stop_nothing_are_not_believed(tmp_path, monkeypatch):
    fake = tmp_path / "bwrap"
    fake.write_text('#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done; shift\nexec "$@"\n')
    fake.chmod(0o755)
    monkeypatch.setattr("selfheal_tui.sandbox.walls.SYSTEM_PROGRAMS", str(tmp_path))
    assert isolation.try_isolation(Isolation.BUBBLEWRAP)


def test_a_bubblewrap_planted_on_the_path_comes_after_the_systems_own(tmp_path, monkeypatch):
    planted, own = tmp_path / "project" / "bwrap", tmp_path / "system" / "bwrap"
    for file in (planted, own):
        file.parent.mkdir()
        file.write_text("#!/bin/sh\n")
        file.chmod(0o755)
    monkeypatch.setenv("PATH", str(planted.parent))
    assert find_bubblewrap() != str(planted) or not Path("/usr/bin/bwrap").exists()
    monkeypatch.setattr("selfheal_tui.sandbox.walls.SYSTEM_PROGRAMS", str(own.parent))
    assert find_bubblewrap() == str(own)


def test_without_anything_the_level_is_unsandboxed_and_says_what_that_means(monkeypatch):
    monkeypatch.setattr(isolation, "try_isolation", lambda level: "not here")
    facts = isolation.detect_isolation.__wrapped__()
    assert facts.level is Isolation.UNSANDBOXED
    assert facts.tried == ("bubblewrap: not here", "landlock: not here")
    assert "can be read and written" in facts.weakness


def test_a_missing_bubblewrap_names_the_remedy(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name, path=None: None)
    assert "install the package bubblewrap" in isolation.try_isolation(Isolation.BUBBLEWRAP)


def test_the_drivers_use_nothing_but_the_standard_library_and_old_syntax():
    import ast

    for file in DRIVERS.rglob("*.py"):
        tree = ast.parse(file.read_text(), feature_version=(3, 9))
        for node in ast.walk(tree):
            names = (
                [a.name for a in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            for name in names:
                top = name.partition(".")[0]
                assert top in sys.stdlib_module_names or top in {"pytest", "selfheal_pytest_plugin"}, (
                    file,
                    name,
                )


def test_the_drivers_compile_under_every_interpreter_here():
    for python in Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob("versions/3.*/bin/python"):
        if int(python.parent.parent.name.split(".")[1]) >= 9:
            files = [str(path) for path in DRIVERS.rglob("*.py")]
            code = "import sys; [compile(open(f, 'rb').read(), f, 'exec') for f in sys.argv[1:]]"
            subprocess.run([str(python), "-I", "-c", code, *files], check=True)
