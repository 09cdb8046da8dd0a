"""Settings: each layer wins over the one before, each value knows its origin, each error its remedy."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.config import ConfigError, describe_settings, find_root, load_settings, read_dotenv
from selfheal_tui.config.schema import render, settings_by_key
from selfheal_tui.model.kinds import Environment
from selfheal_tui.model.settings import Settings


def write(folder: Path, **files: str) -> None:
    names = {"own": "selfheal.toml", "shared": "pyproject.toml", "env": ".env"}
    for name, text in files.items():
        (folder / names[name]).write_text(text, "utf-8")


def test_without_anything_all_is_default_and_the_environment_the_strictest(tmp_path: Path) -> None:
    loaded = load_settings(tmp_path, environ={"HOME": "/nowhere"})
    assert loaded.settings == Settings()
    assert loaded.settings.environment is Environment.PRODUCTION
    assert {origin.source for origin in loaded.origins.values()} == {"default"}
    assert loaded.origins["sandbox.memory_mb"].value == "2048"


def test_each_layer_wins_over_the_one_before(tmp_path: Path) -> None:
    write(
        tmp_path,
        shared='[tool.selfheal]\nenvironment = "staging"\n[tool.selfheal.sandbox]\nmemory_mb = 100\nprocesses = 20\n',
    )
    write(tmp_path, env="SELFHEAL_ENV=dev\nSELFHEAL_SANDBOX_MEMORY_MB=300\nOTHER=1\n")
    loaded = load_settings(
        tmp_path,
        environ={"SELFHEAL_SANDBOX_MEMORY_MB": "400"},
        flags={"environment": "local"},
        env_file=tmp_path / ".env",
    )
    assert loaded.settings.environment is Environment.LOCAL
    assert loaded.settings.sandbox.memory_mb == 400
    assert loaded.settings.sandbox.processes == 20
    assert loaded.origins["environment"].source == "--env"
    assert loaded.origins["sandbox.memory_mb"].source == "$SELFHEAL_SANDBOX_MEMORY_MB"
    assert loaded.origins["sandbox.processes"].source == "pyproject.toml [tool.selfheal]"
    without_flags = load_settings(tmp_path, environ={}, env_file=tmp_path / ".env")
    assert without_flags.settings.environment is Environment.DEV
    assert without_flags.origins["environment"].source == f"$SELFHEAL_ENV in {tmp_path / '.env'}"


def test_a_dotenv_file_is_not_read_unless_asked_for(tmp_path: Path) -> None:
    write(tmp_path, env="SELFHEAL_ENV=local\n")
    assert load_settings(tmp_path, environ={}).settings.environment is Environment.PRODUCTION


def test_of_both_files_ours_wins_whole_and_says_so(tmp_path: Path) -> None:
    write(tmp_path, own='environment = "dev"\n', shared="[tool.selfheal.sandbox]\nmemory_mb = 100\n")
    loaded = load_settings(tmp_path, environ={})
    assert loaded.settings.environment is Environment.DEV
    assert loaded.settings.sandbox.memory_mb == 2048
    assert loaded.origins["environment"].source.startswith("selfheal.toml")
    assert "ignored" in loaded.origins["environment"].source
    write(tmp_path, shared="[tool.other]\nx = 1\n")
    assert load_settings(tmp_path, environ={}).origins["environment"].source == "selfheal.toml"


def test_the_full_name_of_the_environment_wins_over_its_alias(tmp_path: Path) -> None:
    environ = {"SELFHEAL_ENVIRONMENT": "staging", "SELFHEAL_ENV": "local"}
    assert load_settings(tmp_path, environ=environ).settings.environment is Environment.STAGING


def test_lists_come_from_arrays_and_from_commas(tmp_path: Path) -> None:
    write(tmp_path, own='[project]\ninclude = ["a/*.py", "b.py"]\nexclude = []\n')
    environ = {"SELFHEAL_PROJECT_PROTECT": " x.py , y/** ,"}
    project = load_settings(tmp_path, environ=environ).settings.project
    assert project.include == ("a/*.py", "b.py")
    assert project.exclude == ()
    assert project.protect == ("x.py", "y/**")


@pytest.mark.parametrize(("text", "value"), [("1", True), ("Yes", True), ("false", False), ("off", False)])
def test_booleans_from_variables(tmp_path: Path, text: str, value: bool) -> None:
    loaded = load_settings(tmp_path, environ={"SELFHEAL_PROJECT_RUN_TESTS": text})
    assert loaded.settings.project.run_tests is value


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ("[sandbox]\nmemry_mb = 1", "sandbox.memry_mb", r"did you mean sandbox\.memory_mb\?"),
        ("memory_mb = 100", "memory_mb", r"did you mean sandbox\.memory_mb\?"),
        ("[sandbx]\nmemory_mb = 1", "sandbx", "did you mean|lists all settings"),
        ("zzzzz = 1", "zzzzz", "selfheal config"),
        ("environment = 'prod'", "environment", r"local \| dev \| staging \| production"),
        ("environment = 1", "environment", "not a value of type"),
        ("[sandbox]\nmemory_mb = 1", "sandbox.memory_mb", "too small; use 64 or more"),
        ("[sandbox]\nreplay_seconds = 4000", "sandbox.replay_seconds", "too large; use 3600 or less"),
        ("[sandbox]\nmemory_mb = '100'", "sandbox.memory_mb", "integer"),
        ("[sandbox]\nmemory_mb = 100.5", "sandbox.memory_mb", "integer"),
        ("[sandbox]\nmemory_mb = true", "sandbox.memory_mb", "integer"),
        ("[sandbox]\nreplay_seconds = nan", "sandbox.replay_seconds", "number"),
        ("[sandbox]\nreplay_seconds = inf", "sandbox.replay_seconds", "number"),
        ("[project]\nrun_tests = 1", "project.run_tests", "true | false"),
        ("[project]\ninclude = 'a.py'", "project.include", "list of strings"),
        ("[project]\ninclude = [1]", "project.include", "list of strings"),
        ("sandbox = 3", "sandbox", "is a table"),
        ("[environment]\nx = 1", "environment", "not a value"),
    ],
)
def test_a_wrong_setting_names_file_key_and_remedy(tmp_path: Path, text: str, key: str, words: str) -> None:
    write(tmp_path, own=text)
    with pytest.raises(ConfigError, match=words) as caught:
        load_settings(tmp_path, environ={})
    assert caught.value.key == key
    assert caught.value.file == str(tmp_path / "selfheal.toml")
    assert caught.value.remedy
    write(tmp_path, own="")
    shared = "\n".join(
        f"[tool.selfheal.{line[1:-1]}]" if line.startswith("[") else line for line in text.splitlines()
    )
    write(tmp_path, shared=f"[tool.selfheal]\n{shared}\n")
    (tmp_path / "selfheal.toml").unlink()
    with pytest.raises(ConfigError, match=r"pyproject\.toml \[tool\.selfheal\]"):
        load_settings(tmp_path, environ={})


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("SELFHEAL_SANDBOX_MEMRY_MB", "1", "did you mean SELFHEAL_SANDBOX_MEMORY_MB"),
        ("SELFHEAL_SANDBOX_MEMORY_MB", "many", "integer"),
        ("SELFHEAL_SANDBOX_MEMORY_MB", "", "integer"),
        ("SELFHEAL_SANDBOX_MEMORY_MB", "1", "too small"),
        ("SELFHEAL_SANDBOX_REPLAY_SECONDS", "nan", "number"),
        ("SELFHEAL_ENV", "prod", "production"),
        ("SELFHEAL_PROJECT_RUN_TESTS", "maybe", "true | false"),
    ],
)
def test_a_wrong_variable_is_named(tmp_path: Path, name: str, text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        load_settings(tmp_path, environ={name: text})
    assert caught.value.file == f"${name}"


def test_the_variables_of_probe_and_sandbox_are_no_settings(tmp_path: Path) -> None:
    environ = {"SELFHEAL_INBOX": "/x", "SELFHEAL_ROOT": "/y", "SELFHEAL_TEST_CHANNEL": "3"}
    assert load_settings(tmp_path, environ=environ).settings == Settings()


def test_an_unknown_flag_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean environment"):
        load_settings(tmp_path, environ={}, flags={"enviroment": "dev"})


@pytest.mark.parametrize("content", [b"a = ", b"\xff\xfe", b"[tool\n"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes) -> None:
    for name in ("selfheal.toml", "pyproject.toml"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ConfigError, match=name):
            load_settings(tmp_path, environ={})
        (tmp_path / name).unlink()


def test_tool_selfheal_must_be_a_table(tmp_path: Path) -> None:
    write(tmp_path, shared="[tool]\nselfheal = 3\n")
    with pytest.raises(ConfigError, match="is not a table"):
        load_settings(tmp_path, environ={})


def test_every_setting_can_be_set_from_a_file_a_variable_and_a_flag(tmp_path: Path) -> None:
    for key, setting in settings_by_key().items():
        text = ",".join(setting.default) if setting.type is tuple else str(setting.default)
        if setting.type is bool:
            text = text.lower()
        assert load_settings(tmp_path, environ={setting.variable: text}).settings == Settings(), key
        assert load_settings(tmp_path, environ={}, flags={key: text}).settings == Settings(), key
        section, _, name = key.rpartition(".")
        write(tmp_path, own=(f"[{section}]\n" if section else "") + f"{name} = {render(setting.default)}\n")
        loaded = load_settings(tmp_path, environ={})
        assert loaded.settings == Settings(), key
        assert loaded.origins[key].source == "selfheal.toml"
        write(tmp_path, own="")


def test_every_setting_is_described(tmp_path: Path) -> None:
    rows = {row.key: row for row in describe_settings()}
    leaves = sum(
        len(dataclasses.fields(getattr(Settings(), f.name)))
        if dataclasses.is_dataclass(getattr(Settings(), f.name))
        else 1
        for f in dataclasses.fields(Settings)
    )
    assert len(rows) == leaves
    assert all(row.help and row.type and row.default for row in rows.values())
    assert rows["sandbox.memory_mb"].help.endswith("(64 or more)")
    assert rows["sandbox.memory_mb"].variable == "SELFHEAL_SANDBOX_MEMORY_MB"
    assert rows["project.include"].type == "list of strings"
    assert set(load_settings(tmp_path, environ={}).origins) == set(rows)


@pytest.mark.parametrize("mark", ["selfheal.toml", "pyproject.toml", ".git", "setup.py", "setup.cfg"])
def test_the_root_is_the_nearest_folder_with_a_mark(tmp_path: Path, mark: str) -> None:
    deep = tmp_path / "a" / "b" / "c"
    deep.mkdir(parents=True)
    (tmp_path / "a" / mark).mkdir() if mark == ".git" else (tmp_path / "a" / mark).touch()
    (tmp_path / "setup.py").touch()
    (deep / "x.py").touch()
    assert find_root(deep) == tmp_path / "a"
    assert find_root(deep / "x.py") == tmp_path / "a"


def test_dotenv_lines(tmp_path: Path) -> None:
    write(
        tmp_path,
        env='\ufeff# a comment\n\nA=1\nexport B = two words # note\nC=\'$HOME # kept\'\nD="x\\n\\"y\\"" # note\nE=\nF=a#b\nA=2\n',
    )
    assert read_dotenv(tmp_path / ".env") == {
        "A": "2", "B": "two words", "C": "$HOME # kept", "D": 'x\n"y"', "E": "", "F": "a#b",
    }  # fmt: skip


@pytest.mark.parametrize("line", ["no assignment", "1A=2", "A B=1", "A='open", 'A="open', "A='x' y", "=1"])
def test_a_dotenv_line_that_is_no_assignment_is_named(tmp_path: Path, line: str) -> None:
    write(tmp_path, env=f"OK=1\n{line}\n")
    with pytest.raises(ConfigError, match="line 2"):
        read_dotenv(tmp_path / ".env")


def test_a_missing_dotenv_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_settings(tmp_path, environ={}, env_file=tmp_path / "nope.env")


@given(
    st.text(
        st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters="'\x85"), max_size=30
    )
)
def test_what_is_in_single_quotes_is_taken_as_it_is(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    file = tmp_path_factory.mktemp("env") / ".env"
    file.write_text(f"A='{text}'\n", "utf-8")
    assert read_dotenv(file) == {"A": text}
