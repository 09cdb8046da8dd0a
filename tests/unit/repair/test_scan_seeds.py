"""What the scan finds and what it leaves alone, on files written for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from selfheal_tui.model.settings import ProjectSettings
from selfheal_tui.repair.scan.finding import Fault
from selfheal_tui.repair.scan.run import scan
from selfheal_tui.source.project import Project

SEEDS = Path(__file__).resolve().parents[2] / "data" / "scan"
MARK = re.compile(r"#\s*raises (\w+)")


def faults(root: Path, files: dict[str, str] | None = None, **options: bool) -> list[Fault]:
    for path, text in (files or {}).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    project = Project(root, ProjectSettings())
    return scan(project, "", (), project.python_files(), **{"with_ruff": False, **options})


def kinds(root: Path, text: str, **others: str) -> list[str]:
    found = faults(root, {"app.py": text, **{f"{name}.py": body for name, body in others.items()}})
    return [one.exception for one in found]


def test_every_seeded_fault_is_found_as_what_it_raises() -> None:
    seeded = {
        (path, number, match.group(1))
        for path in ("faults.py", "helper.py")
        for number, line in enumerate((SEEDS / path).read_text().splitlines(), 1)
        if (match := MARK.search(line))
    }
    assert len(seeded) >= 35
    found = {(one.path, one.line, one.exception) for one in faults(SEEDS)}
    assert found == seeded


def test_code_that_only_looks_wrong_is_left_alone() -> None:
    assert [one for one in faults(SEEDS) if one.path == "sound.py"] == []


@pytest.mark.parametrize(
    "guard",
    [
        "try:\n    {}\nexcept NameError:\n    pass\n",
        "try:\n    {}\nexcept Exception:\n    pass\n",
        "if sys.version_info < (3, 0):\n    {}\n",
        "if os.name == 'nt':\n    {}\n",
        "if PY2:\n    {}\n",
        "if False:\n    {}\n",
        "with contextlib.suppress(NameError):\n    {}\n",
        "def f():\n    return 1\n    {}\n",
        "{}  # noqa: F821\n",
        "{}  # type: ignore[name-defined]\n",
        "from elsewhere import *\n{}\n",
        "exec(open('x').read())\n{}\n",
        "globals().update(x=1)\n{}\n",
    ],
)
def test_a_guarded_or_marked_line_is_excused(tmp_path: Path, guard: str) -> None:
    text = "import contextlib, os, sys\nPY2 = False\n" + guard.format("print(nowhere_to_be_found)")
    assert kinds(tmp_path, text) == []


def test_the_same_line_without_a_guard_is_reported(tmp_path: Path) -> None:
    assert kinds(tmp_path, "print(nowhere_to_be_found)\n") == ["NameError"]


def test_a_handler_of_something_else_excuses_nothing(tmp_path: Path) -> None:
    assert kinds(tmp_path, "try:\n    print(nowhere)\nexcept KeyError:\n    pass\n") == ["NameError"]


@pytest.mark.parametrize(
    "other",
    [
        "def __getattr__(name):\n    return name\n",
        "globals()['missing'] = 1\n",
        "from nowhere import *\n",
        "import sys\nsys.modules[__name__] = object()\n",
        "if True:\n    missing = 1\n",
        "try:\n    import missing\nexcept ImportError:\n    missing = None\n",
        "def make():\n    global missing\n    missing = 1\n",
        "for missing in (1, 2):\n    pass\n",
    ],
)
def test_a_module_that_may_have_the_name_is_not_said_to_lack_it(tmp_path: Path, other: str) -> None:
    assert (
        kinds(tmp_path, "import other\nfrom other import missing\nprint(other.missing)\n", other=other) == []
    )


def test_a_submodule_a_stub_and_an_extension_count_as_there(tmp_path: Path) -> None:
    files = {
        "app.py": "from pkg import sub, speed, typed, built\n",
        "pkg/__init__.py": "",
        "pkg/sub.py": "",
        "pkg/speed.cpython-311-x86_64-linux-gnu.so": "",
        "pkg/typed.pyi": "",
        "pkg/built.pyx": "",
    }
    assert faults(tmp_path, files) == []


def test_a_module_that_builds_make_is_not_missing(tmp_path: Path) -> None:
    files = {
        "pkg/__init__.py": "from pkg._version import version\nfrom .tables import rows\nfrom .gone import x\n",
        "pyproject.toml": "[tool.hatch.build]\nfile = 'pkg/tables.py'\n",
    }
    assert [one.message for one in faults(tmp_path, files)] == ["No module named 'pkg.gone'"]


def test_a_package_that_is_not_installed_is_nobodys_fault(tmp_path: Path) -> None:
    assert kinds(tmp_path, "import nobody_installed_this\nfrom nor_this.sub import x\n") == []


def test_a_file_named_like_a_library_module_deep_inside_does_not_stand_for_it(tmp_path: Path) -> None:
    files = {"pkg/__init__.py": "", "pkg/typing.py": "x = 1\n", "pkg/use.py": "import typing\ntyping.Any\n"}
    assert faults(tmp_path, files) == []


def test_attributes_of_other_platforms_are_not_reported(tmp_path: Path) -> None:
    text = "import os, signal, select, socket\nos.startfile\nsignal.CTRL_BREAK_EVENT\nselect.kqueue\nsocket.AF_SYSTEM\n"
    assert kinds(tmp_path, text) == []


def test_decorated_rebound_and_overridden_callees_are_not_judged(tmp_path: Path) -> None:
    text = (
        "import functools\n"
        "def wrap(f):\n    return f\n"
        "@wrap\ndef a(x):\n    return x\n"
        "def b(x):\n    return x\n"
        "b = functools.partial(b, 1)\n"
        "if a:\n    def c(x):\n        return x\nelse:\n    def c():\n        return 0\n"
        "class Base:\n    def go(self):\n        return self.step(1)\n    def step(self):\n        pass\n"
        "class Sub(Base):\n    def step(self, by):\n        return by\n"
        "def use(d):\n    return a(), b(), c(), d()\n"
    )
    assert kinds(tmp_path, text) == []


def test_a_stub_that_returns_nothing_may_be_overridden(tmp_path: Path) -> None:
    text = (
        "class Reader:\n    def rows(self):\n        ...\n    def first(self):\n        return self.rows()[0]\n"
        "def never():\n    raise SystemExit\n"
        "def use():\n    return never().anything\n"
    )
    assert kinds(tmp_path, text) == []


def test_a_syntax_error_is_found_with_the_target_s_own_compiler(tmp_path: Path) -> None:
    found = faults(tmp_path, {"app.py": "def f(:\n    pass\n"})
    assert [(one.exception, one.line) for one in found] == [("SyntaxError", 1)]


def test_a_detector_that_fails_is_told_and_costs_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from selfheal_tui.repair.scan import run

    def broken(view: object, world: object) -> list[Fault]:
        raise KeyError("x")

    monkeypatch.setattr(run, "DETECTORS", (broken, *run.DETECTORS))
    (tmp_path / "app.py").write_text("print(nowhere)\n")
    project = Project(tmp_path, ProjectSettings())
    told: list[str] = []
    found = scan(project, "", (), project.python_files(), with_ruff=False, tell=told.append)
    assert [one.exception for one in found] == ["NameError"]
    assert told == ["app.py: broken failed: KeyError: 'x'"]


def test_nothing_of_the_project_is_run_or_written(tmp_path: Path) -> None:
    witness = tmp_path / "ran"
    text = f"open({str(witness)!r}, 'w').close()\nimport app\nprint(nowhere)\n"
    files = {"app.py": text, "conftest.py": text, "sitecustomize.py": text}
    assert faults(tmp_path, files)
    assert not witness.exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(files)
