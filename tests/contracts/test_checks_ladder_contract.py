"""What the other floors may rely on: every rung has its check, and no check rates unchanged code."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

import selfheal_tui
from selfheal_tui.checks.honesty import honesty_findings
from selfheal_tui.checks.ladder import CHECKS
from selfheal_tui.checks.pairs import make_pair
from selfheal_tui.checks.safety import safety_findings
from selfheal_tui.model.evidence import RUNGS
from selfheal_tui.model.kinds import Verdict

HERE = Path(selfheal_tui.__file__).parent
PLAIN = "import os\n\n\ndef f(self, p, c):\n    return p.x\n"

PEERS_LET_THROUGH = {
    "system by name": "from os import system\n\n\ndef f(self, p, c):\n    system(c)\n    return p.x\n",
    "module alias": "import os as o\n\n\ndef f(self, p, c):\n    o.system(c)\n    return p.x\n",
    "attribute put together": "import os\n\n\ndef f(self, p, c):\n    getattr(os, 'sys' + 'tem')(c)\n    return p.x\n",
    "writing": "import os\n\n\ndef f(self, p, c):\n    open(p, 'w')\n    return p.x\n",
    "deleting": "import os\nfrom pathlib import Path\n\n\ndef f(self, p, c):\n    Path(p).unlink()\n    return p.x\n",
    "network": "import os\nimport urllib.request\n\n\ndef f(self, p, c):\n    urllib.request.urlopen(p)\n    return p.x\n",
    "builtins": "import os\nimport builtins\n\n\ndef f(self, p, c):\n    builtins.eval(c)\n    return p.x\n",
    "importlib": "import os\nimport importlib\n\n\ndef f(self, p, c):\n    importlib.import_module(c)\n    return p.x\n",
    "swallowing": "import os\n\n\ndef f(self, p, c):\n    try:\n        return p.x\n    except Exception:\n        pass\n",
}


@pytest.mark.parametrize("rung", RUNGS)
def test_every_rung_has_a_module_that_exposes_its_check(rung: str) -> None:
    check = importlib.import_module(f"selfheal_tui.checks.{rung}").CHECK
    assert check.name == rung
    assert check in CHECKS


@pytest.mark.parametrize("name", PEERS_LET_THROUGH)
def test_the_nine_dangerous_cases_that_peers_let_through_fail(name: str) -> None:
    pair = make_pair("m.py", PLAIN, PEERS_LET_THROUGH[name])
    assert any(f.verdict is Verdict.FAIL for f in (*safety_findings(pair), *honesty_findings(pair)))


def test_the_harmless_case_that_a_peer_blocks_passes() -> None:
    pair = make_pair("m.py", PLAIN, PLAIN.replace("p.x", "self.__class__.__name__"))
    assert [*safety_findings(pair), *honesty_findings(pair)] == []


@pytest.mark.parametrize("package", ["checks", "model"])
def test_our_own_unchanged_code_is_not_objected_to(package: str) -> None:
    for file in sorted((HERE / package).glob("*.py")):
        text = file.read_text(encoding="utf-8")
        pair = make_pair(file.name, text, text)
        assert [*safety_findings(pair), *honesty_findings(pair)] == [], file
