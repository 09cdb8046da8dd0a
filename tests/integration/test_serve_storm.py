"""A service that is killed at random while crashes pour in loses none of them and counts none twice."""

from __future__ import annotations

import itertools
import os
import random
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from serving import a_crash, drop, start_service, wait_until

from selfheal_tui.store import Store

REPORTS = int(os.environ.get("SELFHEAL_STORM_REPORTS", "2000"))
"""At least so many; `SELFHEAL_STORM_REPORTS=10000` is the full storm, which takes some minutes."""
CRASHES = 5
KILLS = max(6, REPORTS // 400)
MOST_EVENTS = 60
"""The service is killed after up to so many events, so in the middle of its work however fast the machine is."""
MOST_WAITING = 400
"""As the probe, which keeps no more than 500 reports in an inbox."""


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_of_all_reports_none_is_lost_or_doubled_by_a_service_that_is_killed_again_and_again(
    tmp_path: Path,
) -> None:
    (tmp_path / "app.py").write_text("".join(f"def f{n}(items):\n    return itms\n" for n in range(CRASHES)))
    with Store.open(tmp_path) as store:
        inbox = store.inbox.directory
    sent: Counter[str] = Counter()
    killed_enough = threading.Event()

    def pour_in() -> None:
        chance = random.Random(1)
        for number in itertools.count():
            if number >= REPORTS and killed_enough.is_set():
                return
            while number % 50 == 0 and len(list(inbox.glob("*.json"))) > MOST_WAITING:
                time.sleep(0.005)
            function = f"f{chance.randrange(CRASHES)}"
            sent[function] += 1
            drop(inbox, a_crash(tmp_path, function), number)

    feeder = threading.Thread(target=pour_in)
    feeder.start()
    chance = random.Random(2)
    try:
        for _ in range(KILLS):
            service = start_service(tmp_path)
            assert service.stdout is not None
            for _ in range(1 + chance.randrange(MOST_EVENTS)):  # the first one: it serves
                assert service.stdout.readline(), "the service ended by itself"
            service.kill()
            service.wait()
            service.stdout.close()
    finally:
        killed_enough.set()
        feeder.join()
    service = start_service(tmp_path)
    assert service.stdout is not None
    reader = threading.Thread(target=service.stdout.read)  # so that it never waits for us
    reader.start()
    wait_until(lambda: not list(inbox.glob("*.json")), 120)
    service.terminate()
    service.wait()
    reader.join()
    service.stdout.close()
    with Store.open(tmp_path) as store:
        counted = {i.report.chain[0].frames[-1].qualname: i.count for i in store.incidents.all()}
        assert counted == dict(sent)
        assert sum(counted.values()) == sum(sent.values()) >= REPORTS
        assert store.audit.verify().ok
        recorded = sum(
            len(record.data.get("reports", ["one"]))
            for record in store.audit.records(
                kinds={"incident.detected", "incident.seen_again", "incident.reopened"}
            )
        )
        assert (
            recorded >= sum(sent.values()) - 100 * KILLS
        )  # a record may be missing for the batch of each kill, no more
        assert not list(store.inbox.bad.glob("*.json"))
