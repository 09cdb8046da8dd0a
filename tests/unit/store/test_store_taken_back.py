"""What can be taken back: a question, a count, a bar; each once, and never more than there was."""

from __future__ import annotations

from pathlib import Path

from selfheal_tui.store import Store


def test_a_retracted_count_is_as_if_it_had_not_been_counted(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.learning.count("rule:x", True)
        store.learning.count("rule:x", False)
        store.learning.retract("rule:x", success=False)
        found = store.learning.get("rule:x")
        assert (found.successes, found.failures) == (1, 0)


def test_more_than_was_counted_cannot_be_retracted(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.learning.retract("rule:x", success=True)
        assert store.learning.all() == []
        store.learning.count("rule:x", True)
        store.learning.retract("rule:x", success=False)
        assert store.learning.get("rule:x").successes == 1


def test_a_bar_is_lifted_for_its_crash_alone_and_stays_lifted(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        for crash in ("f1", "f2"):
            store.learning.blacklist(crash, "key", "rolled back")
        store.learning.blacklist("f1", "other", "rolled back")
        store.learning.unbar("f1", "key")
        store.learning.unbar("f1", "never barred")
    with Store.open(tmp_path) as store:
        assert store.learning.blacklisted("f1") == {"other"}
        assert store.learning.blacklisted("f2") == {"key"}
