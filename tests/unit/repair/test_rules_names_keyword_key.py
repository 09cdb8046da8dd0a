"""Keywords that the callee does not take, and keys that the mapping does not have."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.repair.crashlab import MODES, Lab
from tests.unit.repair.namecases import RULES, Cure, Trap, check_cure, check_trap, name_of

CURES = [
    Cure("a keyword of a function", {"main.py": "def f(alpha, beta=1):\n    return alpha + beta\n\nf(alpa=1)\n"}, "f(alpha=1)", rule="misspelt-keyword", least=0.95),
    Cure("a keyword of a method", {"main.py": "class A:\n    def go(self, timeout=1):\n        return timeout\n\na = A()\na.go(timeuot=2)\n"}, "a.go(timeout=2)"),
    Cure("a keyword of a constructor", {"m.py": "class A:\n    def __init__(self, width):\n        self.width = width\n", "main.py": "from m import A\n\nA(widht=2)\n"}, "A(width=2)"),
    Cure("a keyword of a dataclass", {"main.py": "from dataclasses import dataclass\n\n@dataclass\nclass P:\n    width: int = 0\n    name: str = ''\n\nP(name='x', widht=2)\n"}, "P(name='x', width=2)"),
    Cure("a keyword of a library function", {"main.py": "import json\n\njson.dumps({}, indnet=2)\n"}, "json.dumps({}, indent=2)"),
    Cure("a keyword of an imported library function", {"main.py": "from textwrap import shorten\n\nshorten('a', witdh=20)\n"}, "shorten('a', width=20)"),
    Cure("a keyword of a builtin", {"main.py": "print(sorted([2, 1], revrese=True))\n"}, "sorted([2, 1], reverse=True)"),
    Cure("a keyword that means the same", {"main.py": "def wait(timeout_seconds=1, name=''):\n    return timeout_seconds, name\n\nwait(timeout=2)\n"}, "wait(timeout_seconds=2)", least=0.6, most=0.6),
    Cure("all callers at once", {"lib.py": "def fetch(address, retries=1):\n    return address, retries\n", "other.py": "from lib import fetch\n\n\ndef g():\n    return fetch('x', retrys=3)\n", "main.py": "from lib import fetch\nimport other\n\nfetch('a', retrys=2)\nother.g()\n"}, "fetch('x', retries=3)", path="other.py"),
    Cure("a keyword that vanished into kwargs", {"main.py": "def f(*, target, **rest):\n    return target, rest\n\nf(taregt=1)\n"}, "f(target=1)", rule="misspelt-keyword"),
    Cure("the second call of the line", {"main.py": "def f(value=1):\n    return value\n\ndef g(value=1):\n    return value\n\nf(value=1) + g(valeu=2)\n"}, "f(value=1) + g(value=2)"),
    Cure("a key of a literal", {"main.py": "config = {'timeout': 3, 'name': 'x'}\nprint(config['timeuot'])\n"}, "config['timeout']", rule="misspelt-key"),
    Cure("quotes stay", {"main.py": 'config = {"timeout": 3, "name": "x"}\nprint(config["timeuot"])\nprint(config["timeout"])\n'}, 'config["timeout"])\nprint', least=0.95),
    Cure("another spelling", {"main.py": "row = {'user_id': 1}\nprint(row['userId'])\nprint(row['user_id'])\n"}, "print(row['user_id'])\nprint(row['user_id'])", least=0.95),
    Cure("a hyphen", {"main.py": "h = {'content-type': 1}\nprint(h['content_type'])\n"}, "h['content-type']"),
    Cure("a dict that a function returns", {"m.py": "def load():\n    return {'language': 'de', 'country': 'at'}\n", "main.py": "from m import load\n\nsettings = load()\nprint(settings['langauge'])\n"}, "settings['language']"),
    Cure("a dict in an attribute", {"main.py": "class A:\n    def __init__(self):\n        self.data = {'colour': 1}\n\n    def get(self):\n        return self.data['color']\n\nA().get()\n"}, "self.data['colour']"),
    Cure("pop", {"main.py": "d = {'colour': 1}\nd.pop('colur')\n"}, "d.pop('colour')"),
    Cure("a nested key", {"main.py": "d = {'outer': {'inner_value': 1}}\nprint(d['outer']['iner_value'])\n"}, "d['outer']['inner_value']"),
    Cure("rows in a list", {"main.py": "rows = [{'price': 1}, {'price': 2}]\nfor row in rows:\n    print(row['prize'])\n"}, "row['price']"),
    Cure("a key from a file", {"main.py": "import json\n\nd = json.loads('{\"weather\": 1}')\nprint(d['wether'])\n"}, "d['weather']", modes=("probe",)),
    Cure("a key that only a data file of the project has", {"data/s.json": '{"a": [{"language": "en"}]}', "main.py": "import json\n\nd = json.loads(open('data/s.json').read())\nprint(d['a'][0]['langauge'])\n"}, "[0]['language']", most=0.6, modes=("text", "bare")),
    Cure("a number as a string", {"main.py": "d = {1: 'a', 2: 'b'}\nprint(d['1'])\n"}, "print(d[1])", modes=("probe",)),
    Cure("the odd literal", {"main.py": "def make():\n    return {'mesage': 'x', 'level': 1}\n\ndef show(entry):\n    return entry['message']\n\ndef log(entry):\n    return entry['message'] + 'x'\n\nshow(make())\nlog(make())\n"}, "{'message': 'x'", rule="misspelt-key-definition", modes=("probe",)),
]  # fmt: skip

TRAPS = [
    Trap("no near parameter", {"main.py": "def f(alpha):\n    return alpha\n\nf(zzzzzz=1)\n"}),
    Trap("the near parameter is given already", {"main.py": "def f(alpha):\n    return alpha\n\nf(alpha=1, alpa=2)\n"}),
    Trap("the near parameter is filled by position", {"main.py": "def f(alpha):\n    return alpha\n\nf(1, alpa=2)\n"}),
    Trap("keywords from a dict", {"main.py": "def f(alpha):\n    return alpha\n\nf(**{'alpa': 1})\n"}),
    Trap("no near key", {"main.py": "d = {'alpha': 1}\nd['zzzzzz']\n"}),
    Trap("a key that is computed", {"main.py": "d = {'alpha': 1}\nk = ''.join(['al', 'pa'])\nd[k]\n"}),
    Trap("the environment", {"main.py": "import os\n\nos.environ['PATHH']\n"}),
    Trap("raised by hand", {"main.py": "d = {'alpha': 1}\nraise KeyError('alpa')\n"}),
    Trap("a numeric key", {"main.py": "d = {1: 1, 2: 2}\nd[3]\n"}),
]  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("case", CURES, ids=name_of)
def test_a_wrong_keyword_or_key_is_cured(tmp_path: Path, case: Cure, mode: str) -> None:
    if mode not in case.modes:
        pytest.skip("this capture does not tell")
    check_cure(tmp_path, case, mode)


@pytest.mark.parametrize("case", TRAPS, ids=name_of)
def test_a_keyword_or_key_without_a_meaning_is_left_alone(tmp_path: Path, case: Trap) -> None:
    for mode in case.modes:
        check_trap(tmp_path, case, mode)


def test_a_renamed_parameter_is_followed_to_every_caller_that_was_left_behind(tmp_path: Path) -> None:
    lab = Lab(tmp_path, {"lib.py": "def send(payload, url, retries=1):\n    return payload, url, retries\n"})
    lab.commit("first")
    lab.write({
        "lib.py": "def send(payload, endpoint, retries=1):\n    return payload, endpoint, retries\n",
        "other.py": "import lib\n\n\ndef again():\n    return lib.send(2, url='y')\n",
        "main.py": "import other\nfrom lib import send\n\nsend(1, url='x')\nother.again()\n",
    })  # fmt: skip
    lab.commit("rename the parameter")
    for mode in MODES:
        best = lab.candidates(mode, RULES)[0]
        assert best.rule == "renamed-keyword"
        assert {edit.path for edit in best.edits} == {"main.py", "other.py"}
        assert best.confidence == 0.95
        assert lab.heals(best)


def test_a_missing_environment_variable_is_explained_and_no_default_invented(tmp_path: Path) -> None:
    lab = Lab(tmp_path, {"main.py": "import os\n\nos.environ['SELFHEAL_NO_SUCH']\n"})
    assert any("not set" in refusal.reason for refusal in lab.refusals("bare", RULES))
