"""Every way to decide, as a person goes it: a real program crashes under the console, in a real terminal.

One program with a crash per way, one session for all of them: what is slow is proving, and that is done while the
first questions are answered.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from shell import PYTHON, Shell
from tmux import SECONDS, TMUX, Tmux, Window

pytestmark = [
    pytest.mark.skipif(
        TMUX is None, reason="NOT TESTED: the console in a terminal needs tmux, which is not installed"
    ),
    pytest.mark.timeout(300),
]

PARTS = ("alpha", "bravo", "gamma")
SHOP = {
    f"shop/{part}.py": (
        f'"""The {part} shelf."""\n\n\n'
        f"def {part}(article):\n"
        f"    # the {part} label\n"
        '    return article["titel"].upper()\n\n\n'
        f"def {part}_last():\n"
        '    """Stands at the end."""\n'
        '    return "far away"\n'
    )
    for part in PARTS
}
SHOP |= {
    "shop/__init__.py": "",
    "main.py": (
        "import logging, time\n"
        + "".join(f"from shop.{part} import {part}\n" for part in PARTS)
        + f"for _ in range(100000):\n    for work in ({', '.join(PARTS)}):\n"
        "        try:\n"
        '            print("done", work.__name__, work({"title": "tea", "price": 3}), flush=True)\n'
        "        except Exception:\n"
        '            logging.exception("%s failed", work.__name__)\n'
        "    time.sleep(0.5)\n"
    ),
    "tests/test_shop.py": (
        "import unittest\n\nfrom shop.alpha import alpha_last\n\n\n"
        "class ShopTest(unittest.TestCase):\n"
        "    def test_the_end_is_far(self):\n"
        '        self.assertEqual(alpha_last(), "far away")\n'
    ),
    "selfheal.toml": 'environment = "dev"\n[search]\nseconds = 0  # else it finds a guess as another fix\n',
}
EDITOR = """#!{python}
import sys
from pathlib import Path
file = Path(sys.argv[-1])
text = file.read_text()
file.write_text(text.replace("label", "sign").replace("Stands at", "Is at"))
"""


@pytest.fixture(scope="module")
def tmux(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tmux]:
    folder = tmp_path_factory.mktemp("tmux")
    editor = folder / "editor"
    editor.write_text(EDITOR.format(python=sys.executable))
    editor.chmod(editor.stat().st_mode | stat.S_IXUSR)
    environ = {
        k: v
        for k, v in os.environ.items()
        if not k.startswith(("SELFHEAL", "COVERAGE", "NO_COLOR", "COLUMNS", "LINES"))
    }
    environ |= {
        "EDITOR": str(editor),
        "LC_ALL": "C.UTF-8",
        "TERM": "xterm-256color",
        "TMUX_TMPDIR": str(folder),
    }
    environ |= {"SELFHEAL_OPERATOR": "kim"}
    environ.pop("VISUAL", None)
    server = Tmux(f"selfheal-test-{os.getpid()}", environ)
    yield server
    server.kill()


def until(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what} did not come to be"
        time.sleep(0.05)


ARMED = r"a (\+ code )?approves: written"


def point_at(window: Window, place: str, key: str) -> None:
    """Presses a key until the incident at a place is under the cursor."""
    end = time.monotonic() + SECONDS
    while f"  {place} " not in (title := titled(window.screen)):
        assert time.monotonic() < end, window.screen
        window.press(key)
        with contextlib.suppress(AssertionError):  # there may be one question only as yet
            window.until(lambda screen, title=title: titled(screen) != title, "another incident", 0.5)


def titled(screen: str) -> str:
    """The title of the detail, which is the incident under the cursor."""
    found = re.search(r"╭─ #\w+ .*", screen)
    return found.group() if found else ""


def review(window: Window, place: str) -> None:
    """Opens the review of the question about a place, and waits until keys decide there."""
    at_home(window)
    point_at(window, place, "n")
    window.shows(rf"(?s)needs you.*Approval \d of \d.*{re.escape(place.partition(':')[0])}")
    window.press("v")
    window.shows(f"Review #.*\\n.*{re.escape(place)}")
    window.shows(ARMED)


def at_home(window: Window) -> None:
    window.until(lambda screen: "[1 Incidents]" in screen, "the incidents")


def test_every_way_to_decide_in_one_session(tmux: Tmux, tmp_path: Path) -> None:
    shell = Shell(tmp_path, SHOP)
    before = {part: shell.read(f"shop/{part}.py") for part in PARTS}
    fixed = {part: text.replace("titel", "title") for part, text in before.items()}

    def has(part: str, texts: dict[str, str]) -> bool:
        return shell.read(f"shop/{part}.py") == texts[part]

    argv = shell.command("run", "--", PYTHON, "main.py")
    window = tmux.open("shop", argv, tmp_path, width=120, height=36)
    window.shows("needs? you .*\\n(.*\\n)*.*Approval")

    # Stray keys before the arming: one opens the review, the rest of them is swallowed.
    window.press("a", "a", "a", "a")
    window.shows("Review #")
    window.shows(ARMED)
    assert all(has(part, before) for part in PARTS)
    window.press("Enter")  # never approves
    window.press("Escape")
    at_home(window)
    assert all(has(part, before) for part in PARTS)

    # Approve: in the file and, live, in the program.
    review(window, "shop/alpha.py:6")
    window.press("a")
    window.shows(r"#\w+: applied by operator:kim")
    until(lambda: has("alpha", fixed), "the fix")

    # Reject, with a reason that the history knows.
    review(window, "shop/bravo.py:6")
    window.press("r")
    window.shows("Reject this fix")
    window.type("not the right title")
    window.press("Enter")
    window.shows(r"#\w+: rejected by operator:kim: not the right title")
    assert has("bravo", before)
    window.press("2")
    window.shows(r"✗ .*rejected")
    window.shows("not the right title")
    window.press("1")
    at_home(window)

    # Another fix instead: where nothing else is found the question stays.
    review(window, "shop/gamma.py:6")
    window.press("n")
    window.shows("nothing else was found")
    window.shows(ARMED)

    # Edit: what comes back is proved and asked anew, then one hunk of it is left out, which is proved too.
    window.press("e")
    window.shows("hunk 1 of [23]")
    window.shows("the gamma sign")
    window.shows(ARMED)
    assert has("gamma", before)
    window.press("]")
    window.press("h")
    window.shows("hunk 2 of 2 .* left out")
    window.press("a")
    window.shows("Approve: ")  # refused: the selection was not proved
    assert has("gamma", before)
    window.press("P")
    window.shows("hunk 1 of 1")
    window.shows(ARMED)
    window.press("a")
    until(lambda: "the gamma sign" in shell.read("shop/gamma.py"), "the edited fix")
    assert shell.read("shop/gamma.py") == fixed["gamma"].replace("label", "sign")

    # Take the first one back from the list, then undo that from the backups.
    at_home(window)
    window.press("g")
    point_at(window, "shop/alpha.py:6", "j")
    window.press("U")
    window.shows("y writes exactly this")
    until(lambda: press_until_written(window, lambda: has("alpha", before)), "the rollback")
    at_home(window)
    window.press("3")
    window.shows("3 versions of 2 files")
    window.press("u")
    window.shows("undo the rollback")
    until(lambda: press_until_written(window, lambda: has("alpha", fixed)), "the undo")

    # Leave: the terminal is as it was, and what was open stays open.
    window.shows(r"\[3 Backups\]")
    window.press("q")
    window.shows("Leave")
    window.press("q")
    window.shows("ENDED-WITH-0")
    assert window.mode("alternate_on") == "0"
    assert window.mode("cursor_flag") == "1"
    assert window.mode("mouse_any_flag") == "0"
    # Its crash goes on, so that the incident may have been opened anew meanwhile; the record stays.
    outcomes = [row["outcome"] for row in shell.json("history")]
    assert "rejected" in outcomes


def press_until_written(window: Window, written: Callable[[], bool]) -> bool:
    """Presses the key that writes once more where it came before the preview was looked at for a moment."""
    if not written() and "y writes exactly this" in window.screen:
        window.press("y")
    return written()


GREETER = {
    "greeter.py": SHOP["shop/alpha.py"].replace("alpha", "greeter"),
    "main.py": 'from greeter import greeter\n\nprint(greeter({"title": "Good day"}))\n',
    "selfheal.toml": 'environment = "production"\n',
}


def test_production_takes_the_very_code_and_a_read_only_console_nothing(tmux: Tmux, tmp_path: Path) -> None:
    shell = Shell(tmp_path, GREETER)
    shell("run", "--wait", "0", "--", PYTHON, "main.py")
    before = shell.read("greeter.py")

    looker = tmux.open("looker", shell.command("console", "--read-only"), tmp_path, width=80, height=24)
    looker.shows("1 needs you")
    looker.shows("read-only")
    looker.press("v")
    looker.shows(ARMED)
    looker.press("a")
    looker.shows("this console is read-only")
    looker.press("q")
    looker.shows("ENDED-WITH-0")
    assert shell.read("greeter.py") == before

    window = tmux.open("greeter", shell.command(), tmp_path, width=80, height=24)
    window.shows("1 needs you")
    window.press("v")
    code = window.shows(r"code (\w{4}) ").group(1)
    window.shows(ARMED)
    window.press("a")
    window.shows("Type the code to approve")
    window.type("0000" if code != "0000" else "1111")
    window.shows("that is not the code")
    assert shell.read("greeter.py") == before
    window.type(code)
    until(lambda: "titel" not in shell.read("greeter.py"), "the fix")
    at_home(window)
    window.press("q")
    window.shows("ENDED-WITH-0")
