"""Coroutines that are not awaited, and what is awaited without being one."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfheal_tui.repair.rules import awaits
from tests.unit.repair.flowcases import Fix, Trap, asked, check_fix, check_trap, name_of

RULES = awaits.RULES
LOAD = "import asyncio\n\n\nasync def load():\n    return {'a': [1]}\n\n\n"
RUN = "\n\nassert asyncio.run(main()) == 1\n"

FIXES = [
    Fix("subscript", LOAD + "async def main():\n    return load()['a'][0]\n" + RUN, "(await load())['a'][0]"),
    Fix("attribute", LOAD + "async def main():\n    return load().get('a')[0]\n" + RUN, "(await load()).get('a')"),
    Fix("variable", LOAD + "async def main():\n    data = load()\n    return data['a'][0]\n" + RUN, "data = await load()"),
    Fix("iterated", LOAD + "async def main():\n    for k in load():\n        return len(k)\n" + RUN, "for k in await load():"),
    Fix("length", LOAD + "async def main():\n    return len(load())\n" + RUN, "len(await load())"),
    Fix("argument", LOAD + "def first(d):\n    return d['a'][0]\n\n\nasync def main():\n    return first(load())\n" + RUN, "first(await load())"),
    Fix("unpacked", "import asyncio\n\n\nasync def pair():\n    return 1, 2\n\n\nasync def main():\n    a, b = pair()\n    return a\n" + RUN, "a, b = await pair()"),
    Fix("sync caller", LOAD + "assert load()['a'] == [1]\n", "asyncio.run(load())['a']"),
    Fix("extra await", "import asyncio\n\n\ndef one():\n    return 1\n\n\nasync def main():\n    return await one()\n" + RUN, "return one()"),
    Fix("await sleep", "import asyncio\nimport time\n\n\nasync def main():\n    await time.sleep(0)\n    return 1\n" + RUN, "await asyncio.sleep(0)"),
    Fix("await function", LOAD + "async def main():\n    return len(await load)\n" + RUN, "await load()"),
    Fix("async for over a list", "import asyncio\n\n\nasync def main():\n    async for x in [1]:\n        return x\n" + RUN, "    for x in [1]:"),
    Fix("for over an async generator", "import asyncio\n\n\nasync def gen():\n    yield 1\n\n\nasync def main():\n    for x in gen():\n        return x\n" + RUN, "    async for x in gen():"),
    Fix("comprehension", "import asyncio\n\n\nasync def gen():\n    yield 1\n\n\nasync def main():\n    return [x for x in gen()][0]\n" + RUN, "[x async for x in gen()]"),
    Fix("list of async generator", "import asyncio\n\n\nasync def gen():\n    yield 1\n\n\nasync def main():\n    return list(gen())[0]\n" + RUN, "[item async for item in gen()]"),
    Fix("async with on a plain manager", "import asyncio\nimport io\n\n\nasync def main():\n    async with io.StringIO() as f:\n        return 1 if f else 0\n" + RUN, "    with io.StringIO()"),
    Fix("with on a lock", "import asyncio\n\n\nasync def main():\n    with asyncio.Lock():\n        return 1\n" + RUN, "    async with asyncio.Lock():"),
    Fix("with on an own manager", "import asyncio\n\n\nclass M:\n    async def __aenter__(self):\n        return 1\n\n    async def __aexit__(self, *_):\n        pass\n\n\nasync def main():\n    with M() as x:\n        return x\n" + RUN, "    async with M() as x:"),
    Fix("nested run", LOAD + "async def main():\n    data = asyncio.run(load())\n    return data['a'][0]\n" + RUN, "data = await load()"),
    Fix("function instead of coroutine", LOAD + "assert asyncio.run(load)\n", "asyncio.run(load())"),
]  # fmt: skip

TRAPS = [
    Trap("loop in a plain function", LOAD + "def get():\n    return asyncio.run(load())\n\n\nasync def main():\n    return get()\n" + RUN, "another thread"),
    Trap("plain function in a loop", LOAD + "def get():\n    return load()['a']\n\n\nasync def main():\n    return get()\n" + RUN, "not `async def`"),
    Trap("not a manager at all", "import asyncio\n\n\nasync def main():\n    with 3:\n        return 1\n" + RUN),
]  # fmt: skip


@pytest.mark.parametrize(("case", "mode"), asked(FIXES), ids=name_of)
def test_what_is_a_coroutine_is_awaited_and_what_is_none_is_not(case: Fix, mode: str, tmp_path: Path) -> None:
    check_fix(case, mode, tmp_path, RULES)


@pytest.mark.parametrize("case", TRAPS, ids=name_of)
def test_plain_functions_are_not_made_asynchronous(case: Trap, tmp_path: Path) -> None:
    check_trap(case, "probe", tmp_path, RULES)
