"""What all commands share: options, the open project, JSON on stdout, talk on stderr, exit codes.

It translates the core's errors into messages with a remedy and a documented exit code; it never hides
one. Everything that comes from a program or a model is made visible before it is printed.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, ParamSpec, TypeVar

import click

from selfheal_tui.commands import exits
from selfheal_tui.operations.operator import operator

__all__ = [
    "Failure",
    "Options",
    "emit",
    "emit_json",
    "fail",
    "opened",
    "operator",
    "project_options",
    "say",
    "translated_errors",
]

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Options:
    """The options that every command has.

    Attributes:
        root: The project.
        as_json: Whether data goes out as JSON.
        flags: Settings from the command line, by dotted key.
        env_file: A `.env` file, if one was asked for.
    """

    root: Path
    as_json: bool
    flags: dict[str, str]
    env_file: Path | None


class Failure(click.ClickException):
    """An error with a message that names the remedy, and a documented exit code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.exit_code = code  # type: ignore[misc]  # click declares it on the class

    def show(self, file: Any = None) -> None:  # noqa: ARG002 - click's signature
        """Writes the message on standard error."""
        say(f"error: {self.message}")


def project_options(command: Callable[..., R]) -> Callable[..., R]:
    """Adds `--root`, `--env`, `--env-file` and `--json`, and hands them over as `options`."""

    @click.option(
        "--root",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        default=None,
        help="The project; default: the nearest folder above that looks like one.",
    )
    @click.option(
        "--env",
        "environment",
        type=click.Choice(["local", "dev", "staging", "production"]),
        default=None,
        help="Where the program runs; decides what is allowed unasked. Unset means production.",
    )
    @click.option(
        "--env-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        default=None,
        help="Read variables from this .env file as well; none is read unless asked for.",
    )
    @click.option("--json", "as_json", is_flag=True, help="Data as JSON.")
    @functools.wraps(command)
    def wrapper(
        *args: Any,
        root: Path | None,
        environment: str | None,
        env_file: Path | None,
        as_json: bool,
        **kwargs: Any,
    ) -> R:
        from selfheal_tui.config import find_root

        place = (root or find_root(Path.cwd())).resolve()
        if place == Path(place.anchor):
            # Nobody's project; it would be walked, copied and given a state folder.
            fail(f"{place} is the whole file system, not a project; name its folder with --root", exits.USAGE)
        flags = {"environment": environment} if environment else {}
        options = Options(root=place, as_json=as_json, flags=flags, env_file=env_file)
        with translated_errors(place):
            return command(*args, options=options, **kwargs)

    return wrapper


@contextlib.contextmanager
def translated_errors(root: Path) -> Iterator[None]:
    """Turns errors into messages with exit codes; anything unforeseen is the healer's own failure.

    Args:
        root: The project, in whose state folder the traceback of an unforeseen error is kept.
    """
    try:
        yield
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except BrokenPipeError:
        # Whoever read our output has gone, as in `selfheal history | head`; Python must not flush to it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise click.exceptions.Exit(128 + signal.SIGPIPE) from None
    except Exception as error:
        raise _failure(root, error) from error


def _failure(root: Path, error: Exception) -> Failure:
    # Imported only when something failed: whoever raised it has loaded them already.
    from selfheal_tui.config import ConfigError
    from selfheal_tui.model.serial import MalformedDocumentError
    from selfheal_tui.pipeline.lease import IncidentBusyError
    from selfheal_tui.source.project import OutsideRootError
    from selfheal_tui.store import AmbiguousIncidentError, StoreError, UnknownIncidentError

    match error:
        case ConfigError():
            return Failure(str(error), exits.BAD_CONFIG)
        case UnknownIncidentError() | AmbiguousIncidentError():
            return Failure(str(error), exits.NOT_FOUND)
        case OutsideRootError():
            return Failure(f"{error}; nothing was written there", exits.REFUSED)
        case IncidentBusyError():
            return Failure(f"{error}; try again when it is done", exits.REFUSED)
        case StoreError() | MalformedDocumentError():
            return Failure(str(error), exits.HEALER_FAILED)
        case OSError():
            text = f"{error.strerror or error}: {error.filename or ''}".rstrip(": ")
            return Failure(text, exits.HEALER_FAILED)
        case _:
            return Failure(own_failure(root, error), exits.HEALER_FAILED)


def own_failure(root: Path, error: BaseException) -> str:
    """Keeps the traceback of an unforeseen error, without locals and masked, and says where it is."""
    from selfheal_tui.probe.redaction import mask_text

    text = mask_text("".join(traceback.format_exception(error)))
    log = root / ".selfheal" / "healer-errors.log"
    summary = mask_text(f"selfheal itself failed: {type(error).__name__}: {error}")
    try:
        log.parent.mkdir(mode=0o700, exist_ok=True)
        with log.open("a", encoding="utf-8") as stream:
            stream.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')}\n{text}\n")
    except OSError:
        return f"{summary}. Please report it with this traceback:\n{text}"
    return f"{summary}. Please report it with the traceback in {log}"


@contextlib.contextmanager
def opened(options: Options) -> Iterator[Any]:
    """Opens the project; says so when a crash of the healer had left something half-done."""
    from selfheal_tui.pipeline.build import open_project

    with open_project(
        options.root, environ=os.environ, flags=options.flags, env_file=options.env_file
    ) as project:
        for line in project.recovered:
            say(f"recovered: {line}")
        yield project


def say(text: str) -> None:
    """Writes a line for people on standard error, with control characters made visible."""
    from selfheal_tui.source.display import visible

    stream = sys.stderr
    line = visible(text)
    encoding = getattr(stream, "encoding", None) or "ascii"
    stream.write(line.encode(encoding, "replace").decode(encoding) + "\n")
    stream.flush()


def emit(text: str) -> None:
    """Writes data for people on standard output, with control characters made visible."""
    from selfheal_tui.source.display import visible

    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    sys.stdout.write(visible(text).encode(encoding, "replace").decode(encoding) + "\n")


def emit_json(value: Any) -> None:
    """Writes one JSON document on standard output; ASCII only, so no terminal can be driven by it."""
    from selfheal_tui.model.serial import to_builtins

    sys.stdout.write(json.dumps(to_builtins(value), indent=2, ensure_ascii=True) + "\n")


def fail(message: str, code: int) -> NoReturn:
    """Ends the command with a message and an exit code."""
    raise Failure(message, code)
