"""A terminal of tmux with the console in it: keys go in as a person types them, what is on the screen comes out."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

TMUX = shutil.which("tmux")
SECONDS = 60.0
LOOK = 0.05


class Tmux:
    """A tmux server of its own.

    Args:
        name: Of the server; nobody else's.
        environ: What the programs in it see.
    """

    def __init__(self, name: str, environ: Mapping[str, str]) -> None:
        self._name = name
        self._environ = {k: v for k, v in environ.items() if k not in ("TMUX", "TMUX_PANE")}

    def __call__(self, *arguments: str, check: bool = True) -> str:
        done = subprocess.run(
            [TMUX or "tmux", "-L", self._name, "-f", "/dev/null", *arguments],
            capture_output=True,
            text=True,
            timeout=30,
            check=check,
            env=self._environ,
        )
        return done.stdout

    def open(
        self, name: str, argv: Sequence[str], cwd: Path, *, width: int, height: int, **more: str
    ) -> Window:
        """Runs a program in a window; its exit code is left on the screen."""
        setting = " ".join(f"{key}={shlex.quote(value)}" for key, value in more.items())
        line = f"{setting} {shlex.join(argv)}; echo ENDED-WITH-$?; exec cat"
        self("new-session", "-d", "-s", name, "-x", str(width), "-y", str(height), "-c", str(cwd), line)
        return Window(self, name)

    def kill(self) -> None:
        self("kill-server", check=False)


class Window:
    """One program's screen."""

    def __init__(self, tmux: Tmux, name: str) -> None:
        self._tmux = tmux
        self._name = name

    @property
    def screen(self) -> str:
        return self._tmux("capture-pane", "-p", "-t", self._name)

    def press(self, *keys: str) -> None:
        """Sends keys, as tmux names them, in one go."""
        self._tmux("send-keys", "-t", self._name, *keys)

    def type(self, text: str) -> None:
        self._tmux("send-keys", "-t", self._name, "-l", text)

    def until(self, condition: Callable[[str], bool], what: str, seconds: float = SECONDS) -> str:
        end = time.monotonic() + seconds
        while not condition(screen := self.screen):
            assert time.monotonic() < end, f"{what} did not come to be:\n{screen}"
            time.sleep(LOOK)
        return screen

    def shows(self, pattern: str, seconds: float = SECONDS) -> re.Match[str]:
        """Waits until a pattern is on the screen."""
        self.until(lambda screen: re.search(pattern, screen) is not None, pattern, seconds)
        found = re.search(pattern, self.screen)
        return found if found is not None else self.shows(pattern, seconds)

    def mode(self, name: str) -> str:
        """One of tmux's facts about the terminal, such as `alternate_on`."""
        return self._tmux("display-message", "-p", "-t", self._name, f"#{{{name}}}").strip()
