"""Write bits: a mark on one file counts, a whole tree laid without them does not (the system decides)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from selfheal_tui.model.candidate import sha256_hex
from selfheal_tui.store import Change, Store, WriteFailedError


def change(root: Path) -> Change:
    return Change("app.py", sha256_hex((root / "app.py").read_bytes()), b"x = 2\n")


def test_a_file_marked_read_only_in_a_writable_project_is_refused(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_bytes(b"x = 1\n")
    with Store.open(tmp_path) as store:
        (tmp_path / "app.py").chmod(0o444)
        with pytest.raises(WriteFailedError, match="read-only"):
            store.transactions.apply([change(tmp_path)], incident_id="i")
    assert (tmp_path / "app.py").read_bytes() == b"x = 1\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="ONLY A SUPERUSER CAN WRITE THERE: not tried")
def test_a_tree_laid_without_write_bits_is_left_to_the_system(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_bytes(b"x = 1\n")
    with Store.open(tmp_path) as store:
        (tmp_path / "app.py").chmod(0o444)
        tmp_path.chmod(0o555)
        store.transactions.apply([change(tmp_path)], incident_id="i")
    assert (tmp_path / "app.py").read_bytes() == b"x = 2\n"
    assert (tmp_path / "app.py").stat().st_mode & 0o777 == 0o444
    tmp_path.chmod(0o755)
