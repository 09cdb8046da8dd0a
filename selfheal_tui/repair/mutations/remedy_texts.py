"""Remedies for text and files: codecs, patterns taken literally, directories that are there already. Pure."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from selfheal_tui.repair.mutations.mutant import Mutant, replaced
from selfheal_tui.repair.mutations.remedy_steps import (
    added,
)
from selfheal_tui.repair.mutations.spot import Spot


def of_codecs(spot: Spot) -> Iterator[Mutant]:
    """See the module; of the failing statement."""
    for call in (n for n in spot.parts() if isinstance(n, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        given = {k.arg for k in call.keywords}
        if (name == "open" and "encoding" not in given and call.args) or (
            name in ("read_text", "write_text") and "encoding" not in given
        ):
            yield added(spot, call, "encoding='utf-8'", 0.6)
        elif name in ("encode", "decode"):
            codec = (
                call.args[0]
                if call.args
                else next((k.value for k in call.keywords if k.arg == "encoding"), None)
            )
            if codec is not None and isinstance(codec, ast.Constant):
                for other in ("utf-8", "latin-1"):
                    yield replaced(spot.at, "codec", codec, repr(other), 0.55 if other == "utf-8" else 0.35)
            if "errors" not in given and len(call.args) < 2:
                for errors in ("replace", "ignore", "surrogateescape", "backslashreplace"):
                    yield added(spot, call, f"errors='{errors}'", 0.4)


def of_patterns(spot: Spot) -> Iterator[Mutant]:
    """See the module; of the failing statement."""
    for call in (n for n in spot.parts() if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)):
        assert isinstance(call.func, ast.Attribute)
        if isinstance(call.func.value, ast.Name) and call.func.value.id == "re" and call.args:
            for part in ast.walk(call.args[0]):
                plain = isinstance(part, ast.Name | ast.Attribute | ast.Subscript)
                if (
                    plain
                    and isinstance(part, ast.expr)
                    and not isinstance(spot.at.up.get(part), ast.FormattedValue)
                ):
                    yield replaced(spot.at, "escape", part, f"re.escape({spot.at.source(part)})", 0.6)


def of_files(spot: Spot) -> Iterator[Mutant]:
    """See the module; of the failing statement."""
    for call in (n for n in spot.parts() if isinstance(n, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        given = {k.arg for k in call.keywords}
        if name in ("makedirs", "mkdir") and "exist_ok" not in given:
            os_mkdir = (
                name == "mkdir"
                and isinstance(call.func, ast.Attribute)
                and ast.unparse(call.func.value) == "os"
            )
            if not os_mkdir:
                yield added(spot, call, "exist_ok=True", 0.55)
        if name == "mkdir" and "parents" not in given and "exist_ok" in given:
            yield added(spot, call, "parents=True", 0.5)
