"""`[[program]]` tables are read as strictly as the settings, and every error says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.config import ConfigError, load_settings
from selfheal_tui.config.programs import ProgramTable, load_programs, pick_programs
from selfheal_tui.model.kinds import Restart


def written(root: Path, text: str, name: str = "selfheal.toml") -> Path:
    (root / name).write_text(text)
    return root


def test_tables_become_programs_in_the_order_of_the_file(tmp_path):
    written(
        tmp_path,
        """
        environment = "local"
        [[program]]
        name = "agent"
        command = "python 'my agent.py' --x"
        [[program]]
        name = "worker-2"
        command = ["python", "-m", "w"]
        cwd = "sub"
        restart = "always"
        pty = true
        env = { A = "1" }
        """,
    )
    assert load_programs(tmp_path) == (
        ProgramTable("agent", ("python", "my agent.py", "--x"), tmp_path),
        ProgramTable("worker-2", ("python", "-m", "w"), tmp_path / "sub", Restart.ALWAYS, True, {"A": "1"}),
    )
    assert load_settings(tmp_path, environ={}).settings.environment == "local"


def test_pyproject_has_them_below_tool_selfheal(tmp_path):
    written(tmp_path, '[[tool.selfheal.program]]\nname = "a"\ncommand = "b"\n', "pyproject.toml")
    assert [p.name for p in load_programs(tmp_path)] == ["a"]
    load_settings(tmp_path, environ={})


def test_without_tables_there_are_no_programs(tmp_path):
    assert load_programs(tmp_path) == ()
    assert load_programs(written(tmp_path, "environment = 'dev'")) == ()


@pytest.mark.parametrize(
    ("text", "key", "remedy"),
    [
        ("program = 3", "program", "[[program]]"),
        ("[program]\nname = 'a'", "program", "[[program]]"),
        ("[[program]]\ncommand = 'b'", "name", 'name = "agent"'),
        ("[[program]]\nname = 'a'", "command", "command ="),
        ("[[program]]\nname = 'a'\ncomand = 'b'", "comand", "did you mean command?"),
        ("[[program]]\nname = 'a'\ncommand = 'b'\nrestart = 'allways'", "restart", "did you mean always?"),
        ("[[program]]\nname = 'a'\ncommand = 'b'\nrestart = 'zzz'", "restart", "never, on-crash, always"),
        ("[[program]]\nname = 'a'\ncommand = 'b'\npty = 'yes'", "pty", "correct it"),
        ("[[program]]\nname = 'a'\ncommand = ['b', 3]", "command", "in quotes"),
        ("[[program]]\nname = 'a'\ncommand = []", "command", "python agent.py"),
        ("[[program]]\nname = 'a'\ncommand = \"b 'c\"", "command", "close the quotation"),
        ("[[program]]\nname = 'a b'\ncommand = 'c'", "name", "letters"),
        ("[[program]]\nname = 'a'\ncommand = 'b'\nenv = { X = 1 }", "X", "in quotes"),
        ("[[program]]\nname='a'\ncommand='b'\n[[program]]\nname='a'\ncommand='b'", "name", "choose another"),
    ],
)
def test_what_is_wrong_is_named_with_file_key_and_remedy(tmp_path, text, key, remedy):
    with pytest.raises(ConfigError) as caught:
        load_programs(written(tmp_path, text))
    assert caught.value.file == str(tmp_path / "selfheal.toml")
    assert key in caught.value.key
    assert remedy in str(caught.value)


def test_a_program_that_is_not_there_is_not_picked(tmp_path):
    programs = [ProgramTable(name, ("x",), tmp_path) for name in ("agent", "worker")]
    assert [p.name for p in pick_programs(programs, [])] == ["agent", "worker"]
    assert [p.name for p in pick_programs(programs, ["worker"])] == ["worker"]
    with pytest.raises(ConfigError, match="did you mean worker"):
        pick_programs(programs, ["wroker"])


_VALUES = st.recursive(
    st.one_of(st.integers(), st.booleans(), st.text("ab'\"= ")),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)


@given(
    table=st.dictionaries(st.sampled_from(["name", "command", "cwd", "restart", "pty", "env", "x"]), _VALUES)
)
def test_no_table_is_half_understood(table, tmp_path_factory):
    lines = [f"{key} = {_toml(value)}" for key, value in table.items()]
    root = written(tmp_path_factory.mktemp("toml"), "[[program]]\n" + "\n".join(lines))
    try:
        (program,) = load_programs(root)
    except ConfigError:
        return
    assert program.name == table["name"]
    assert "x" not in table


def _toml(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value) if abs(value) < 2**63 else "0"
