"""Tests that wait for an exception: when one that a crash broke off says what should have happened, and when not."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
from checks_world import make_context

from selfheal_tui.checks.judged import judging_test
from selfheal_tui.model.crash import CrashReport, ExceptionInfo, Frame
from selfheal_tui.model.kinds import CaptureSource

ONLY_WAITS = {
    "any message will do": """
        def test_f():
            with pytest.raises(ValueError):
                f(1)  # here
    """,
    "any of several types": """
        def test_f():
            with pytest.raises((ValueError, KeyError)):
                x = 1
                f(x)  # here
    """,
    "imported by itself, on one line": """
        def test_f():
            with raises(ValueError): f(1)  # here
    """,
    "of a test case": """
        class Case(unittest.TestCase):
            def test_f(self):
                with self.assertRaises(ValueError):
                    f(1)  # here
    """,
    "asynchronous, beside another manager": """
        async def test_f():
            async with client() as c, pytest.raises(ValueError):
                await f(c)  # here
    """,
    "two of them around it": """
        def test_f():
            with pytest.raises(ValueError):
                with pytest.raises(KeyError):
                    f(1)  # here
    """,
    "what is asserted comes before": """
        def test_f():
            assert f
            with pytest.raises(ValueError):
                f(1)  # here
    """,
    "and what is asserted of another test": """
        def test_f():
            with pytest.raises(ValueError):
                f(1)  # here

        def test_g():
            assert f(2) == 2
    """,
    "what it raised is kept and never looked at": """
        def test_f():
            with pytest.raises(ValueError) as caught:
                f(1)  # here
            print(caught)
    """,
    "after another block": """
        def test_f():
            with pytest.raises(ValueError, match="one"):
                f(1)
            f(2)  # here
    """,
}

JUDGES = {
    "the message is given": """
        def test_f():
            with pytest.raises(ValueError, match="too big"):
                f(1)  # here
    """,
    "the message is given to a test case": """
        class Case(unittest.TestCase):
            def test_f(self):
                with self.assertRaisesRegex(ValueError, "too big"):
                    f(1)  # here
    """,
    "what it raised is looked at": """
        def test_f():
            with pytest.raises(ValueError) as caught:
                f(1)  # here
            assert caught.value.args == (1,)
    """,
    "an assertion of a test case afterwards": """
        class Case(unittest.TestCase):
            def test_f(self):
                with self.assertRaises(ValueError):
                    f(1)  # here
                self.assertEqual(f(2), 2)
    """,
    "a helper that asserts afterwards": """
        def test_f():
            with pytest.raises(ValueError):
                f(1)  # here
            assert_empty(f)
    """,
    "an assertion in the block itself": """
        def test_f():
            with pytest.raises(ValueError):
                found = f(1)  # here
                assert found == 2
    """,
    "one of two gives the message": """
        def test_f():
            with pytest.raises(ValueError, match="one"):
                with pytest.raises(KeyError):
                    f(1)  # here
    """,
    "the block begins only after it": """
        def test_f():
            x = f(1)  # here
            with pytest.raises(ValueError):
                f(x)
    """,
    "it crashed before it waited": """
        def test_f():
            with pytest.raises(f(1)):  # here
                f(2)
    """,
    "another block follows": """
        def test_f():
            with pytest.raises(ValueError):
                f(1)  # here
            with pytest.raises(KeyError):
                f(2)
    """,
}


def judge(tmp_path: Path, body: str) -> str:
    text = "import unittest\nimport pytest\nfrom pytest import raises\nfrom app import f\n" + dedent(body)
    line = next(n for n, part in enumerate(text.splitlines(), 1) if part.endswith("# here"))
    frames = (
        Frame(file="/p/test_app.py", qualname="test_f", line=line, path="test_app.py", in_app=True),
        Frame(file="/p/app.py", qualname="f", line=5, path="app.py", in_app=True),
    )
    report = CrashReport("0" * 32, 0.0, CaptureSource.PROBE, (ExceptionInfo("TypeError", "x", frames),))
    context, _ = make_context(tmp_path, report=report)
    (tmp_path / "test_app.py").write_text(text)
    return judging_test(context)


@pytest.mark.parametrize("name", ONLY_WAITS)
def test_a_block_that_waits_for_any_exception_of_a_type_judges_nothing(name: str, tmp_path: Path) -> None:
    assert judge(tmp_path, ONLY_WAITS[name]) == ""


@pytest.mark.parametrize("name", JUDGES)
def test_a_message_or_an_assertion_that_is_still_to_come_judges(name: str, tmp_path: Path) -> None:
    assert judge(tmp_path, JUDGES[name]) == "test_app.py::test_f"
