"""Renders the screenshots from real sessions: runs the commands and keeps what they print, as SVG.

    python screenshots/make.py

Nothing is retouched; only the temporary folder's name is shortened.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

HERE = Path(__file__).parent
WIDTH = 118
SHOWN = ("publish", "archive", "translate")


def shoot(name: str, command: str, output: str) -> None:
    """Writes one screenshot.

    Args:
        name: File name without ending.
        command: What was typed.
        output: What was printed, standard output and error as they came.
    """
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text(f"$ {command}", style="bold green"))
    console.print(Text.from_ansi(output))
    svg = console.export_svg(title="selfheal")
    # The picture must not depend on a font that is fetched from elsewhere.
    svg = re.sub(r"@font-face \{[^}]*\}\s*", "", svg).replace("Fira Code", "DejaVu Sans Mono")
    (HERE / f"{name}.svg").write_text(svg, encoding="utf-8")


def run(arguments: list[str], cwd: Path) -> str:
    """Runs a selfheal command and returns all that it printed."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("SELFHEAL", "PYTHONDONTWRITE"))}
    environ["PYTHONUNBUFFERED"] = "1"
    done = subprocess.run(
        [sys.executable, "-m", "selfheal_tui", *arguments],
        cwd=cwd,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    text = done.stdout.replace(str(cwd / "demo"), "~/demo").replace(sys.executable, "python")
    return re.sub(r"(?m)^Traceback .*\n(?:  .*\n)*", "Traceback (most recent call last): …\n", text)


def main() -> None:
    """Makes all screenshots."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        only = [part for name in SHOWN for part in ("--only", name)]
        shoot("demo", "selfheal demo", run(["demo", "--into", "demo", *only], place))
        project = place / "demo"
        shoot("incidents", "selfheal incidents", run(["incidents"], project))
        first = run(["incidents", "--json"], project).split('"id": "')[-1].split('"')[0]
        shoot("show", f"selfheal show {first}", run(["show", first], project))
        diff = run(["diff", first, "--side-by-side"], project)
        shoot("diff", f"selfheal diff {first} --side-by-side", diff)


if __name__ == "__main__":
    main()
