"""Names of groups that no pattern has: the nearest one that a pattern of the file does have is meant, or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfheal_tui.repair.rules import group_names
from selfheal_tui.repair.rules.support import STRONG
from tests.unit.repair.crashlab import Lab
from tests.unit.repair.flowcases import Fix, Trap, asked, check_fix, check_trap, name_of

RULES = group_names.RULES

FIXES = [
    Fix("a log line", "import re\n\nLINE = re.compile(r'(?P<level>[A-Z]+): (?P<message>.*)')\n\n\ndef level(line):\n    return LINE.match(line).group('levle')\n\n\nassert level('INFO: up') == 'INFO'\n", ".group('level')"),
    Fix("a date", "import re\n\n\ndef year(text):\n    found = re.search(r'(?P<year>\\d{4})-(?P<month>\\d\\d)', text)\n    return int(found[\"yaer\"])\n\n\nassert year('on 2024-05') == 2024\n", 'found["year"]'),
    Fix("a header in bytes", "import re\n\nHEADER = re.compile(rb'(?P<name>[\\w-]+): (?P<value>.*)')\n\n\nclass Request:\n    def __init__(self, raw):\n        self.found = HEADER.match(raw)\n\n    def name(self):\n        return self.found.group('nmae').decode()\n\n\nassert Request(b'Host: a').name() == 'Host'\n", "group('name')"),
    Fix("where a price stands", "import re\n\n\ndef place(text):\n    return re.search('(?P<amount>[0-9]+) (?P<currency>[A-Z]{3})', text).start('curency')\n\n\nassert place('12 EUR') == 3\n", ".start('currency')"),
    Fix("a span of a version", "import re\n\n\ndef span(text):\n    found = re.match(r'v(?P<major>\\d+)' r'\\.(?P<minor>\\d+)', text)\n    return found.span('mayor')\n\n\nassert span('v1.2') == (1, 2)\n", "found.span('major')"),
    Fix("one of several that are asked", "import re\n\n\ndef pair(text):\n    return re.match(r'(?P<key>\\w+)=(?P<value>\\w+)', text).group('key', 'valeu')\n\n\nassert pair('a=b') == ('a', 'b')\n", ".group('key', 'value')"),
    Fix("other spelling of the same words", "import re\n\nWIDTH = 4\n\n\ndef number(text):\n    return re.match(rf'(?P<order_id>\\d{{{WIDTH}}})', text)['orderId']\n\n\nassert number('1234') == '1234'\n", "['order_id']"),
]  # fmt: skip

TRAPS = [
    Trap("the name is one of another pattern", "import re\n\nLONG = r'(?P<name>\\w+) (?P<mane>\\w+)'\n\n\ndef name(text):\n    return re.match(r'(?P<namen>\\w+)', text).group('name')\n\n\nname('a')\n"),
    Trap("nothing is near", "import re\n\n\ndef city(text):\n    return re.match(r'(?P<street>\\w+) (?P<number>\\d+)', text).group('city')\n\n\ncity('Elm 1')\n"),
    Trap("a group without a name", "import re\n\n\ndef second(text):\n    return re.match(r'(?P<first>\\w+)', text).group(2)\n\n\nsecond('a')\n"),
    Trap("the file has no pattern", "import re\nfrom patterns import LINE\n\n\nre.match(LINE, 'a').group('nmae')\n", files=(("patterns.py", "LINE = r'(?P<name>\\w+)'\n"),)),
    Trap("an index that is no group", "import re\n\nNAME = r'(?P<name>\\w+)'\n\n\ndef first(rows):\n    return {'nmae': rows[0]}['nmae']\n\n\nfirst([])\n"),
    Trap("the name is worked out", "import re\n\n\ndef get(text, which):\n    return re.match(r'(?P<name>\\w+)', text).group(which)\n\n\nget('a', 'nmae')\n"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "mode"), asked(FIXES), ids=name_of)
def test_the_group_that_is_near_is_asked(case: Fix, mode: str, tmp_path: Path) -> None:
    check_fix(case, mode, tmp_path, RULES)


@pytest.mark.parametrize("mode", ["probe", "bare"])
@pytest.mark.parametrize("case", TRAPS, ids=name_of)
def test_nothing_is_offered_where_no_group_was_misspelt(case: Trap, mode: str, tmp_path: Path) -> None:
    check_trap(case, mode, tmp_path, RULES)


def test_a_match_does_not_tell_its_pattern_and_so_nothing_is_certain(tmp_path: Path) -> None:
    for number, case in enumerate(FIXES):
        folder = tmp_path / str(number)
        folder.mkdir()
        found = Lab(folder, {"main.py": case.code}).candidates("probe", RULES)
        assert found
        assert all(candidate.confidence <= STRONG for candidate in found)


def test_two_groups_that_are_equally_near_are_both_offered_and_neither_is_sure(tmp_path: Path) -> None:
    code = "import re\nre.match(r'(?P<line1>.)(?P<line2>.)', 'ab').group('line3')\n"
    found = Lab(tmp_path, {"main.py": code}).candidates("probe", RULES)
    assert {c.edits[0].text.rpartition("'")[0].rpartition("'")[2] for c in found} == {"line1", "line2"}
    assert all(c.confidence < STRONG for c in found)
