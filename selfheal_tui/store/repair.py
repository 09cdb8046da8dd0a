"""Sets damaged lines of a journal aside, on an operator's word only; never of the audit log.

Not used by the store itself: what a damaged line said (an approval used up, a fix barred) is unknown,
so going on without it is a decision for a person.
"""

from __future__ import annotations

import sys
from pathlib import Path

from selfheal_tui.store.durable import create_file, replace_file
from selfheal_tui.store.errors import StoreError
from selfheal_tui.store.journal import decode_line
from selfheal_tui.store.lock import StoreLock

AUDIT = "audit.jsonl"


def set_aside(file: Path, lock: StoreLock) -> int:
    """Moves the damaged lines of a journal to `<file>.corrupt` (or `.corrupt_1`, …).

    Args:
        file: The journal.
        lock: The store's lock.

    Returns:
        How many lines were damaged.

    Raises:
        StoreError: The file is the audit log, which is evidence and stays as it is.
        OSError: The files cannot be written; nothing was changed.
    """
    if file.name == AUDIT:
        raise StoreError(
            f"{file} is the audit log, and stays as it is",
            "keep it and its head as evidence, and move both away to begin a new chain",
        )
    with lock.held():
        lines = file.read_bytes().split(b"\n")[:-1]
        damaged = [line for line in lines if decode_line(line) is None]
        if not damaged:
            return 0
        name, number = f"{file.name}.corrupt", 0
        while file.with_name(name).exists():
            number += 1
            name = f"{file.name}.corrupt_{number}"
        create_file(file.with_name(name), b"".join(line + b"\n" for line in damaged))
        good = [line for line in lines if decode_line(line) is not None]
        replace_file(file, b"".join(line + b"\n" for line in good))
        return len(damaged)


def main(arguments: list[str]) -> int:
    """Repairs the journals named on the command line: `python -m selfheal_tui.store.repair FILE…`."""
    for name in arguments:
        file = Path(name).resolve()
        root = file.parent.parent  # both folders of the store lie in the project's root
        try:
            count = set_aside(file, StoreLock(root / ".selfheal" / "store.lock"))
        except (StoreError, OSError) as error:
            sys.stderr.write(f"{file}: {error}\n")
            return 1
        sys.stdout.write(f"{file}: {count} damaged line(s) set aside\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
