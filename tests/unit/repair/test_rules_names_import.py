"""Imports of wrong modules and names, and modules that import each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.repair.crashlab import MODES, Lab
from tests.unit.repair.namecases import RULES, Cure, Trap, check_cure, check_trap, name_of

CURES = [
    Cure("a misspelt name of the standard library", {"main.py": "from collections import OrderdDict\n\nprint(OrderedDict())\n"}, "from collections import OrderedDict", rule="wrong-import-name", least=0.95),
    Cure("its uses are corrected too", {"main.py": "from collections import OrderdDict, deque\n\nprint(OrderdDict(), deque())\n"}, "import OrderedDict, deque\n\nprint(OrderedDict(), deque())"),
    Cure("an alias stays", {"main.py": "from collections import OrderdDict as OD\n\nprint(OD())\n"}, "import OrderedDict as OD"),
    Cure("a misspelt name of the project", {"lib.py": "def make_report():\n    return 1\n", "main.py": "from lib import make_reprot\n\nmake_reprot()\n"}, "from lib import make_report\n\nmake_report()"),
    Cure(
        "a name that moved to another module",
        {"pkg/__init__.py": "", "pkg/old.py": "A = 1\n", "pkg/new.py": "def moved_thing():\n    return 2\n", "main.py": "from pkg.old import A, moved_thing\n\nassert moved_thing() + A == 3\n"},
        "from pkg.old import A\nfrom pkg.new import moved_thing", rule="wrong-import-name", least=0.95,
    ),
    Cure("a misspelt module of the standard library", {"main.py": "import colections\n\nprint(colections.OrderedDict())\n"}, "import collections\n\nprint(collections.OrderedDict())", rule="wrong-module", least=0.95),
    Cure("a misspelt module in a from import", {"main.py": "from pathlb import Path\n\nPath('x')\n"}, "from pathlib import Path"),
    Cure("a misspelt module of the project", {"helpers.py": "X = 1\n", "main.py": "from helper import X\n\nprint(X)\n"}, "from helpers import X"),
    Cure(
        "a sibling imported as if it were on the path",
        {"pkg/__init__.py": "", "pkg/utils.py": "def f():\n    return 1\n", "pkg/api.py": "from utils import f\n\nf()\n", "main.py": "import pkg.api\n"},
        "from pkg.utils import f", path="pkg/api.py", rule="wrong-module", least=0.95,
    ),
    Cure(
        "relative where the file imports relatively",
        {"pkg/__init__.py": "", "pkg/base.py": "B = 1\n", "pkg/utils.py": "def f():\n    return 1\n", "pkg/api.py": "from .base import B\nimport utils\n\nutils.f()\nprint(B)\n", "main.py": "import pkg.api\n"},
        "from . import utils", path="pkg/api.py",
    ),
    Cure(
        "a module that moved into a package",
        {"lib/__init__.py": "", "lib/text_tools.py": "def f():\n    return 1\n", "main.py": "from text_tools import f\n\nf()\n"},
        "from lib.text_tools import f",
    ),
    Cure(
        "the import keeps its name",
        {"lib/__init__.py": "", "lib/text_tools.py": "def f():\n    return 1\n", "main.py": "import os, text_tools as tt\n\ntt.f()\nprint(os.sep)\n"},
        "import os\nfrom lib import text_tools as tt",
    ),
    Cure(
        "a circle through functions only",
        {"a.py": "from b import bee\n\n\ndef ay():\n    return bee()\n", "b.py": "from a import ay\n\n\ndef bee():\n    return 1\n\n\ndef bzz():\n    '''Doc.'''\n    return ay()\n", "main.py": "import a\n\nassert a.ay() == 1\n"},
        "    '''Doc.'''\n    from a import ay\n    return ay()", path="b.py", rule="circular-import",
    ),
    Cure("a submodule that the package does not load", {"main.py": "import xml\n\nprint(xml.dom.minidom)\n"}, "import xml.dom.minidom", rule="missing-submodule-import"),
    Cure("a submodule of the project", {"pkg/__init__.py": "", "pkg/tools.py": "X = 1\n", "main.py": "import pkg\n\nprint(pkg.tools.X)\n"}, "import pkg\nimport pkg.tools", rule="missing-submodule-import"),
    Cure("a submodule of the standard library", {"main.py": "import concurrent\n\nprint(concurrent.futures.wait)\n"}, "import concurrent.futures"),
]  # fmt: skip

TRAPS = [
    Trap("nothing alike", {"lib.py": "X = 1\n", "main.py": "from lib import zzzzzzzzz\n"}),
    Trap("a package that is not installed", {"main.py": "import qwertyzxcv\n"}),
    Trap("the near module lacks the names", {"main.py": "from colections import nothing_such\n"}),
    Trap("raised by hand", {"main.py": "raise ImportError(\"cannot import name 'OrderdDict' from 'collections'\")\n"}),
    Trap("imported by a string", {"main.py": "import importlib\n\nimportlib.import_module('colections')\n"}),
    Trap("a circle at module level", {"a.py": "from b import bee\n\nay = 1\n", "b.py": "from a import ay\n\nbee = ay + 1\n", "main.py": "import a\n"}),
]  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("case", CURES, ids=name_of)
def test_a_wrong_import_is_cured(tmp_path: Path, case: Cure, mode: str) -> None:
    if mode not in case.modes:
        pytest.skip("this capture does not tell")
    check_cure(tmp_path, case, mode)


@pytest.mark.parametrize("case", TRAPS, ids=name_of)
def test_an_import_that_no_name_cures_is_left_alone(tmp_path: Path, case: Trap) -> None:
    for mode in case.modes:
        check_trap(tmp_path, case, mode)


def test_a_missing_package_is_explained_with_its_remedy(tmp_path: Path) -> None:
    lab = Lab(tmp_path, {"main.py": "import qwertyzxcv\n"})
    assert any("pip install qwertyzxcv" in refusal.explanation for refusal in lab.refusals("bare", RULES))


def test_a_circle_at_module_level_is_explained(tmp_path: Path) -> None:
    files = {
        "a.py": "from b import bee\n\nay = 1\n",
        "b.py": "from a import ay\n\nbee = ay + 1\n",
        "main.py": "import a\n",
    }
    lab = Lab(tmp_path, files)
    assert any("third module" in refusal.explanation for refusal in lab.refusals("text", RULES))
