"""A value that carries a secret's name in one place is masked wherever else it appears."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

from selfheal_tui.probe.capture import capture_exception

SECRET = "correct-horse-battery"
HERE = str(Path(__file__).parent)


class Client:
    def __init__(self, api_key: str) -> None:
        self.api_key = api_key

    def ask(self, words: list[str]) -> None:
        raise ValueError(f"no answer for {words!r}")


def captured(action, tmp_path: Path) -> tuple[str, Path]:
    try:
        action()
    except Exception as error:
        report = capture_exception(error, root=HERE, payload_dir=str(tmp_path), context={"said": SECRET})
        return json.dumps(report), tmp_path
    raise AssertionError("it did not crash")


def test_a_list_a_message_and_the_context_do_not_give_a_named_secret_away(tmp_path: Path) -> None:
    def action() -> None:
        lines = ["first", SECRET]
        password = lines[1]
        raise RuntimeError(f"cannot log in with {password}")

    text, _ = captured(action, tmp_path)
    assert SECRET not in text
    assert "first" in text


def test_an_attribute_of_an_object_tells_it_too_and_arguments_are_saved_without_it(tmp_path: Path) -> None:
    text, folder = captured(lambda: Client(SECRET).ask(["x", SECRET]), tmp_path)
    assert SECRET not in text
    pickles = list(folder.glob("*.pickle"))
    assert pickles
    for file in pickles:
        assert SECRET.encode() not in file.read_bytes()
        assert pickle.loads(file.read_bytes())["args"][1] == ["x", "[masked]"]


def test_a_secret_of_the_environment_is_known(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("SERVICE_TOKEN", SECRET)

    def action() -> None:
        raise RuntimeError(f"401 for {SECRET}")

    assert SECRET not in captured(action, tmp_path)[0]


def test_what_a_parser_calls_a_token_is_no_secret(tmp_path: Path) -> None:
    def action() -> None:
        token = "identifier"
        raise SyntaxError(f"unexpected {token}, an identifier")

    assert captured(action, tmp_path)[0].count("identifier") >= 2


def test_a_place_is_no_secret_whatever_its_variable_is_called(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PWD", HERE)
    monkeypatch.setenv("TLS_PRIVATE_KEY", __file__)

    def action() -> None:
        raise RuntimeError(f"cannot read {__file__}")

    assert __file__ in captured(action, tmp_path)[0]
