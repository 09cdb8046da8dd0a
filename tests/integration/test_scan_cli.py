"""`selfheal scan` as it is typed: lists without a trace, takes in when asked, and never applies by itself."""

from __future__ import annotations

import json
from pathlib import Path

from shell import Shell, tree

FAULTY = {
    "tools.py": "def area(width, height):\n    return width * height\n",
    "app.py": "from tools import area\n\n\ndef total(items):\n    return sum(itms)\n\n\ndef room():\n    return area(3, hight=4)\n",
    "notes.txt": "nothing\n",
}


def test_a_plain_scan_lists_faults_and_leaves_no_trace(tmp_path: Path) -> None:
    shell = Shell(tmp_path, FAULTY)
    done = shell("scan")
    assert done.returncode == 1, done.stderr
    assert "app.py:5  NameError: name 'itms' is not defined" in done.stdout
    assert "unexpected keyword argument 'hight'" in done.stdout
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(FAULTY)
    clean = shell("scan", "tools.py", "--json")
    assert (clean.returncode, json.loads(clean.stdout)) == (0, {"files": 1, "faults": [], "incidents": []})
    assert shell("scan", "--root", ".", str(tmp_path.parent)).returncode == 2


def test_reported_faults_become_incidents_once_and_change_nothing(tmp_path: Path) -> None:
    shell = Shell(tmp_path, FAULTY)
    before = tree(tmp_path)
    assert shell("scan", "--report").returncode == 1
    assert shell("scan", "--report").returncode == 1
    found = shell.json("incidents")
    assert {(one["source"], one["count"], one["state"]) for one in found} == {("scan", 1, "analyzed")}
    assert len(found) == 2
    assert "from scan" in shell("incidents").stdout
    assert tree(tmp_path) == before


def test_a_foreseen_fault_is_fixed_by_a_person_s_approval_only(tmp_path: Path) -> None:
    shell = Shell(tmp_path, FAULTY)
    before = tree(tmp_path)
    body = shell.json("scan", "--fix", "--env", "local", "app.py")
    assert tree(tmp_path) == before
    waiting = [one for one in body["incidents"] if one["needs_person"]]
    assert len(waiting) == 2, body["incidents"]
    assert all("found by reading" in one["message"] for one in waiting)
    name = next(one for one in waiting if one["error"].startswith("NameError"))
    approved = shell("approve", name["id"])
    assert approved.returncode == 0, approved.stdout + approved.stderr
    assert "return sum(items)" in shell.read("app.py")
    assert [one["exception"] for one in shell.json("scan")["faults"]] == ["TypeError"]
    assert shell("history", "--verify").returncode == 0
