"""Under which name a person's decisions are put on record."""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping


def operator(environ: Mapping[str, str] | None = None) -> str:
    """Returns the operator's name: `SELFHEAL_OPERATOR`, else the login name.

    Args:
        environ: Environment variables; ours by default.
    """
    return (os.environ if environ is None else environ).get("SELFHEAL_OPERATOR") or _login()


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid-{os.getuid()}"
