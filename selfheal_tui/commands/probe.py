"""`selfheal probe`: the probe as one file, for programs whose environment must stay clean."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click

from selfheal_tui.commands import exits
from selfheal_tui.commands.common import emit, fail


@click.command("probe")
@click.option(
    "--write",
    "target",
    required=True,
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="The file to write, such as selfheal_probe.py; - for standard output.",
)
@click.option("--force", is_flag=True, help="Also over a file that is no earlier copy of the probe.")
def probe_command(*, target: Path, force: bool) -> None:
    """Write the whole probe as one Python file (standard library only, CPython 3.9+).

    A program that imports it needs nothing else of selfheal: `from selfheal_probe import install, heal, guard`.
    """
    from selfheal_tui import __version__
    from selfheal_tui.probe.single import MARK, build

    if str(target) == "-":
        sys.stdout.write(build(__version__))
        return
    module = target.name.removesuffix(".py")
    if target.suffix != ".py" or not re.fullmatch(r"[A-Za-z_]\w*", module):
        raise click.UsageError(f"{target.name} cannot be imported; name it like selfheal_probe.py")
    try:
        if target.exists() and not force and MARK not in target.read_text("utf-8", "replace")[:200]:
            fail(f"{target} is there and no copy of the probe; use another name, or --force", exits.REFUSED)
        target.write_text(build(__version__, module), "utf-8")
    except OSError as error:
        fail(f"{target} cannot be written ({error.strerror}); choose another place", exits.BAD_INPUT)
    emit(f"{target}: import it with `from {module} import install, heal, guard, progress`")
