"""A service that is killed at random while crashes pour in loses none of them and counts none twice."""

from __future__ import annotations

import os
import random
import threading
from collections import Counter
from pathlib import Path

import pytest
from serving import a_crash, drop, start_service, wait_until

from selfheal_tui.store import Store

REPORTS = int(os.environ.get("SELFHEAL_STORM_REPORTS", "4000"))
"""So many that the service is killed a dozen times; `SELFHEAL_STORM_REPORTS=10000` is the full storm, which takes
some minutes."""
CRASHES = 5
MOST_KILLS = 25
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
    done = threading.Event()

    def pour_in() -> None:
        chance = random.Random(1)
        for number in range(REPORTS):
            while number % 50 == 0 and len(list(inbox.glob("*.json"))) > MOST_WAITING:
                done.wait(0.005)
            function = f"f{chance.randrange(CRASHES)}"
            sent[function] += 1
            drop(inbox, a_crash(tmp_path, function), number)
        done.set()

    feeder = threading.Thread(target=pour_in)
    feeder.start()
    chance = random.Random(2)
    kills = 0
    service = start_service(tmp_path)
    while not done.is_set() and kills < MOST_KILLS:
        assert service.stdout is not None
        service.stdout.readline()  # it serves
        done.wait(chance.uniform(0.0, 0.8))
        if not done.is_set():
            service.kill()
            service.wait()
            service.stdout.close()
            kills += 1
            service = start_service(tmp_path)
    feeder.join()
    assert service.stdout is not None
    wait_until(lambda: not list(inbox.glob("*.json")), 120)
    service.terminate()
    service.wait()
    assert service.stdout is not None
    service.stdout.close()
    assert kills >= 5
    with Store.open(tmp_path) as store:
        counted = {i.report.chain[0].frames[-1].qualname: i.count for i in store.incidents.all()}
        assert counted == dict(sent)
        assert sum(counted.values()) == REPORTS
        assert store.audit.verify().ok
        recorded = sum(
            len(record.data.get("reports", ["one"]))
            for record in store.audit.records(
                kinds={"incident.detected", "incident.seen_again", "incident.reopened"}
            )
        )
        assert (
            recorded >= REPORTS - 100 * kills
        )  # a record may be missing for the batch of each kill, no more
        assert not list(store.inbox.bad.glob("*.json"))
