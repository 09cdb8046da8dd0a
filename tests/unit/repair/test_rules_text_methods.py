"""Methods that only text has, asked of paths and numbers, and the values whose text would hide another fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfheal_tui.repair.rules import text_methods
from tests.unit.repair.crashlab import Lab
from tests.unit.repair.flowcases import Fix, Trap, asked, check_fix, check_trap, name_of

RULES = text_methods.RULES

PATHS = [
    Fix("a deployment's folders", "import os\nfrom pathlib import PurePosixPath\n\n\ndef depth(folder):\n    return len(folder.split(os.sep))\n\n\nassert depth('srv/app') == 2\nassert depth(PurePosixPath('srv/app/log')) == 3\n", "len(os.fspath(folder).split(os.sep))"),
    Fix("a photograph's extension", "from pathlib import Path\n\n\ndef is_photo(file):\n    return file.endswith('.jpg')\n\n\nassert is_photo(Path('holiday.jpg'))\n", "return str(file).endswith('.jpg')"),
    Fix("what a call hands out", "import os\nfrom pathlib import Path\n\n\nclass Site:\n    root = Path('blog')\n\n    def shout(self, page):\n        return (self.root / page).upper() + os.linesep\n\n\nassert Site().shout('a').strip() == 'BLOG/A'\n", "(os.fspath(self.root / page)).upper()"),
    Fix("an entry of a folder", "import os\n\n\ndef hidden(folder):\n    return [entry.name for entry in os.scandir(folder) if entry.startswith('./.')]\n\n\nassert hidden('.') == []\n", "if os.fspath(entry).startswith"),
]  # fmt: skip

NUMBERS = [
    Fix("an invoice number", "def shown(number):\n    return number.zfill(6)\n\n\nassert shown('17') == '000017'\nassert shown(17) == '000017'\n", "str(number).zfill(6)"),
    Fix("a postal code from a table", "rows = [{'zip': '01067'}, {'zip': 80331}]\nassert [row['zip'].rjust(5) for row in rows] == ['01067', '80331']\n", "str(row['zip']).rjust(5)"),
    Fix("a price", "from decimal import Decimal\n\n\ndef german(price):\n    return price.replace('.', ',')\n\n\nassert german(Decimal('1.50')) == '1,50'\n", "str(price).replace("),
    Fix("a session's id", "import os\nimport uuid\n\n\ndef short(session):\n    return session.split('-')[0] + os.linesep\n\n\nassert short(uuid.UUID(int=1)).strip() == '00000000'\n", "str(session).split('-')"),
]  # fmt: skip

TRAPS = [
    Trap("None has no text", "def shout(name):\n    return name.upper()\n\n\nshout(None)\n"),
    Trap("a list of lines", "def words(lines):\n    return lines.split()\n\n\nwords(['a b'])\n"),
    Trap("a mapping", "def clean(form):\n    return form.strip()\n\n\nclean({'a': 1})\n"),
    Trap("an object of the project", "class Title:\n    text = 'a'\n\n\ndef shout(title):\n    return title.upper()\n\n\nshout(Title())\n"),
    Trap("a project's own Path", "class Path:\n    def __init__(self, *points):\n        self.points = points\n\n\ndef parts(path):\n    return path.split('/')\n\n\nparts(Path(1, 2))\n"),
    Trap("a project's own Fraction", "from shares import Fraction\n\n\ndef parts(share):\n    return share.partition('/')\n\n\nparts(Fraction())\n", files=(("shares.py", "class Fraction:\n    top, bottom = 1, 2\n"),)),
    Trap("what text lacks as well", "from pathlib import Path\n\n\ndef size(file):\n    return file.length()\n\n\nsize(Path('a'))\n"),
    Trap("bytes are not text", "def shown(raw):\n    return raw.format(1)\n\n\nshown(b'{}')\n"),
    Trap("a class instead of its instance", "def shown(kind):\n    return kind.upper()\n\n\nshown(int)\n"),
    Trap("two of them on one line are not told apart", "def both(a, b):\n    return a.upper() + b.upper()\n\n\nboth(None, 1)\n"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "mode"), asked(PATHS + NUMBERS), ids=name_of)
def test_the_text_of_a_path_or_a_number_is_asked(case: Fix, mode: str, tmp_path: Path) -> None:
    check_fix(case, mode, tmp_path, RULES)


@pytest.mark.parametrize("mode", ["probe", "bare"])
@pytest.mark.parametrize("case", TRAPS, ids=name_of)
def test_no_text_is_made_of_what_is_no_plain_value(case: Trap, mode: str, tmp_path: Path) -> None:
    check_trap(case, mode, tmp_path, RULES)


@pytest.mark.parametrize("case", PATHS[:2], ids=name_of)
def test_a_path_stands_for_its_text_and_needs_no_test_to_say_so(case: Fix, tmp_path: Path) -> None:
    found = Lab(tmp_path, {"main.py": case.code}).candidates("probe", RULES)
    assert not any(candidate.guess for candidate in found)


@pytest.mark.parametrize("case", NUMBERS, ids=name_of)
def test_whether_a_number_is_meant_as_text_is_a_guess_and_less_likely(case: Fix, tmp_path: Path) -> None:
    found = Lab(tmp_path, {"main.py": case.code}).candidates("probe", RULES)
    assert found
    assert all(candidate.guess for candidate in found)
    assert found[0].confidence < text_methods._PATH


USED_TWICE = [
    ("import os\nfrom pathlib import Path\n\n\ndef module(file):\n    \"\"\"Its dotted name.\"\"\"\n    if file.endswith('.py'):\n        file = file[:-3]\n    return file.replace(os.sep, '.')\n\n\nassert module(Path('a/b.py')) == 'a.b'\n", "    \"\"\"Its dotted name.\"\"\"\n    file = os.fspath(file)\n    if file"),
    ("from pathlib import Path\n\n\nclass Index:\n    def add(self, page):\n        return page.strip() + ': ' + page\n\n\nassert Index().add(Path('a')) == 'a: a'\n", "    page = str(page)\n        return page.strip() + ': ' + page"),
    ("def grouped(number):\n    head = number.strip()\n    return head + '/' + number\n\n\nassert grouped(12) == '12/12'\n", "    number = str(number)\n    head"),
    ("async def tag(*, build):\n    return build.rjust(3) + '-' + build\n\n\nimport asyncio\nassert asyncio.run(tag(build=7)) == '  7-7'\n", "    build = str(build)\n    return"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "after"), USED_TWICE)
def test_a_parameter_that_is_used_as_text_more_than_once_is_made_text_where_the_function_begins(
    code: str, after: str, tmp_path: Path
) -> None:
    lab = Lab(tmp_path, {"main.py": code})
    here, early = lab.candidates("probe", RULES)
    assert after in early.edits[0].text
    assert early.confidence < here.confidence
    assert early.guess == here.guess
    assert lab.heals(early)
    assert not lab.heals(here)


@pytest.mark.parametrize(
    "code",
    [
        "def shout(number):\n    return number.upper()\n\n\nassert shout(1) == '1'\n",
        "def shout(rows):\n    total = rows[0] * 2\n    number = total\n    return number.upper() + number.strip()\n\n\nshout([1])\n",
        "class Bill:\n    number = 1\n\n    def shout(self):\n        return self.number.upper() or self.number\n\n\nassert Bill().shout() == '1'\n",
    ],
)
def test_where_nothing_is_gained_by_it_only_the_place_itself_changes(code: str, tmp_path: Path) -> None:
    found = Lab(tmp_path, {"main.py": code}).candidates("probe", RULES)
    assert len(found) == 1
    assert ").upper()" in found[0].edits[0].text
