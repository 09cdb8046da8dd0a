"""The hot-swap matrix: programs before and after a change, what holds references, and what must follow.

Runs on CPython 3.9+ inside the driver. `setup` and `check` share one namespace, in which `outcome` is what the swap
answered; `expect` is "swap", "restart" (nothing may have changed, and `check` still runs) or "error".
"""

from __future__ import annotations

SITUATIONS = []


def situation(name, before, after, setup, check, expect="swap", others=None, others_after=None):
    SITUATIONS.append(
        {
            "name": name,
            "before": {"m.py": before, **(others or {})},
            "after": {"m.py": after, **(others_after or {})},
            "setup": setup,
            "check": check,
            "expect": expect,
        }
    )


def body(name, text, setup, check, **more):
    """A situation in which only OLD becomes NEW."""
    situation(name, text, text.replace("OLD", "NEW"), setup, check, **more)


body(
    "module attribute and from-import",
    "def f():\n    return 'OLD'\n",
    "import m, user; from m import f",
    "assert m.f() == f() == user.call() == 'NEW'",
    others={"user.py": "from m import f as g\ndef call():\n    return g()\n"},
)
body(
    "living instance, bound method and unbound method",
    "class A:\n    def __init__(self): self.n = 7\n    def g(self): return 'OLD', self.n\n",
    "import m; a = m.A(); a.n = 9; b = a.g; u = m.A.g",
    "assert a.g() == b() == u(a) == ('NEW', 9)",
)
body(
    "wraps in the same file, the wrapper's and the wrapped function's body at once",
    "import functools\ndef deco(fn):\n    @functools.wraps(fn)\n    def w(*a):\n        return 'OLD', fn(*a)\n    return w\n"
    "@deco\ndef f(x): return 'OLD'\n",
    "from m import f",
    "assert f(1) == ('NEW', 'NEW')",
)
body(
    "decorated three times, by another module, without wraps",
    "from d import deco\n@deco\n@deco\n@deco\ndef f(): return 'OLD'\n",
    "from m import f",
    "assert f() == [[['NEW']]]",
    others={"d.py": "def deco(fn):\n    return lambda *a: [fn(*a)]\n"},
)
body(
    "partial, partialmethod, and partial of a bound method",
    "import functools\nclass A:\n    def g(self, x): return 'OLD', x\n    h = functools.partialmethod(g, 3)\n",
    "import m, functools; a = m.A(); p = functools.partial(a.g, 5)",
    "assert a.h() == ('NEW', 3) and p() == ('NEW', 5)",
)
body(
    "property with setter and deleter, cached_property",
    "import functools\nclass A:\n    @property\n    def p(self): return 'OLD', self.v\n    @p.setter\n    def p(self, v): self.v = 'OLD', v\n"
    "    @p.deleter\n    def p(self): self.v = 'OLD del'\n    @functools.cached_property\n    def c(self): return 'OLD'\n",
    "from m import A; a = A()",
    "a.p = 1\nassert a.p == ('NEW', ('NEW', 1))\ndel a.p\nassert a.v == 'NEW del' and a.c == 'NEW'",
)
body(
    "class method, static method, __call__, operators, context manager methods",
    "class A:\n    @classmethod\n    def c(cls): return cls, 'OLD'\n    @staticmethod\n    def s(): return 'OLD'\n"
    "    def __call__(self): return 'OLD'\n    def __add__(self, o): return 'OLD'\n    def __enter__(self): return 'OLD'\n"
    "    def __exit__(self, *a): return True\n",
    "from m import A\na = A(); c = a.c; s = a.s; call = a.__call__\nclass B(A): pass",
    "assert c() == (A, 'NEW') and B.c() == (B, 'NEW') and s() == a() == call() == a + 1 == 'NEW'\nwith a as v: assert v == 'NEW'",
)
body(
    "async function awaited by a task that has been running",
    "import asyncio\nasync def step(): return 'OLD'\nasync def work(seen, gate):\n    seen.append(await step())\n    await gate.wait()\n    seen.append(await step())\n",
    "import m, asyncio\nloop = asyncio.new_event_loop(); seen = []\nasync def start():\n    global gate, task\n    gate = asyncio.Event(); task = loop.create_task(m.work(seen, gate)); await asyncio.sleep(0)\nloop.run_until_complete(start())",
    "async def end():\n    gate.set(); await task\nloop.run_until_complete(end())\nassert seen == ['OLD', 'NEW'], seen",
)
body(
    "suspended coroutine goes on with old code and is told",
    "async def w(gate):\n    await gate.wait()\n    return 'OLD'\n",
    "import m, asyncio\nloop = asyncio.new_event_loop()\nasync def start():\n    global gate, task\n    gate = asyncio.Event(); task = loop.create_task(m.w(gate)); await asyncio.sleep(0)\nloop.run_until_complete(start())",
    "async def end():\n    gate.set()\n    return await task, await m.w(gate)\nassert loop.run_until_complete(end()) == ('OLD', 'NEW')\n"
    "assert [w for w, why in outcome.notes if 'still running old code' in why] == ['m:w'], outcome.notes",
)
body(
    "generator from the next call on",
    "def g():\n    yield 'OLD'\n    yield 'OLD 2'\n",
    "from m import g; it = g(); next(it)",
    "assert next(it) == 'OLD 2' and list(g()) == ['NEW', 'NEW 2'] and outcome.notes",
)
body(
    "async generator and async context manager",
    "import contextlib\nasync def ag():\n    yield 'OLD'\n@contextlib.asynccontextmanager\nasync def cm():\n    yield 'OLD'\n",
    "from m import ag, cm\nimport asyncio",
    "async def run():\n    async with cm() as v:\n        return v, [x async for x in ag()]\nassert asyncio.run(run()) == ('NEW', ['NEW'])",
)
body(
    "closures made before, also two levels deep",
    "def outer(a):\n    def mid(b):\n        def inner(c):\n            return 'OLD', a, b, c\n        return inner\n    return mid\n",
    "import m; i = m.outer(1)(2)",
    "assert i(3) == ('NEW', 1, 2, 3)",
)
situation(
    "a closure that needs one variable less",
    "def make(a, b):\n    def inner(x):\n        return a + b + x\n    return inner\n",
    "def make(a, b):\n    def inner(x):\n        return b + x\n    return inner\n",
    "import m; i = m.make(100, 10)",
    "assert i(1) == 11 and m.make(5, 6)(7) == 13",
)
situation(
    "a closure that needs a variable nobody has kept",
    "def make(a, b):\n    def inner(x):\n        return a + x\n    return inner\n",
    "def make(a, b):\n    def inner(x):\n        return a + b + x\n    return inner\n",
    "import m; i = m.make(100, 10)",
    "assert i(1) == 101 and m.make(1, 2)(3) == 4 and \"'b'\" in outcome.restart_needed[0][1]",
    expect="restart",
)
body(
    "lru_cache forgets what the old code computed",
    "import functools\n@functools.lru_cache(maxsize=None)\ndef f(x): return 'OLD', x\n",
    "from m import f; f(1)",
    "assert f(1) == ('NEW', 1)",
)
situation(
    "a cached function's helper changes",
    "import functools\ndef h(): return 1\n@functools.lru_cache()\ndef f(): return h()\n",
    "import functools\ndef h(): return 2\n@functools.lru_cache()\ndef f(): return h()\n",
    "from m import f; f()",
    "assert f() == 2",
)
body(
    "singledispatch implementations, one of three",
    "import functools\n@functools.singledispatch\ndef f(x): return 'object'\n@f.register(int)\ndef _(x): return 'OLD'\n@f.register(str)\ndef _(x): return 'text'\n",
    "from m import f; f(1)",
    "assert [f(1), f(''), f(0.5)] == ['NEW', 'text', 'object']",
)
situation(
    "singledispatch gains an implementation in the middle",
    "import functools\n@functools.singledispatch\ndef f(x): return 'object'\n@f.register(str)\ndef _(x): return 'text'\n",
    "import functools\n@functools.singledispatch\ndef f(x): return 'object'\n@f.register(int)\ndef _(x): return 'number'\n@f.register(str)\ndef _(x): return 'text'\n",
    "from m import f; f(1)",
    "assert [f(1), f(''), f(0.5)] == ['number', 'text', 'object']",
)
situation(
    "dataclass gains a field with a default",
    "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int = 1\n    def area(self): return self.x\n",
    "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int = 1\n    y: int = 2\n    def area(self): return self.x * self.y\n",
    "from m import P; p = P(5)",
    "assert p.area() == 10 and P(3, 4).area() == 12 and P(3, 4) == P(3, 4) and repr(P(1)) == 'P(x=1, y=2)' and isinstance(p, P)",
)
situation(
    "frozen, ordered dataclass gains a field",
    "from dataclasses import dataclass\n@dataclass(frozen=True, order=True)\nclass P:\n    x: int = 1\n",
    "from dataclasses import dataclass\n@dataclass(frozen=True, order=True)\nclass P:\n    x: int = 1\n    y: int = 2\n",
    "from m import P; p = P(5)",
    "assert P(1, 1) < P(1, 2) and hash(P(1, 2)) == hash(P(1, 2))\ntry:\n    P(1).y = 3\nexcept Exception as e: assert type(e).__name__ == 'FrozenInstanceError', e\nelse: raise AssertionError",
)
situation(
    "dataclass gains a field without a value, and instances live",
    "from dataclasses import dataclass, field\n@dataclass\nclass P:\n    x: int = 1\n",
    "from dataclasses import dataclass, field\n@dataclass\nclass P:\n    x: int = 1\n    tags: list = field(default_factory=list)\n",
    "from m import P; p = P(5)",
    "assert not hasattr(p, 'tags') and 'tags' in outcome.restart_needed[0][1]",
    expect="restart",
)
situation(
    "the same dataclass without a living instance",
    "from dataclasses import dataclass, field\n@dataclass\nclass P:\n    x: int = 1\n",
    "from dataclasses import dataclass, field\n@dataclass\nclass P:\n    x: int = 1\n    tags: list = field(default_factory=list)\n",
    "from m import P",
    "assert P(1).tags == [] and P(1) == P(1)",
)
body(
    "enum methods; members stay who they are",
    "import enum\nclass K(enum.Enum):\n    A = 1\n    B = 2\n    def g(self): return 'OLD', self.value\n",
    "from m import K; k = K.A; table = {K.B: 'b'}",
    "assert k.g() == ('NEW', 1) and K(1) is k and table[K(2)] == 'b'",
)
situation(
    "enum gains a member",
    "import enum\nclass K(enum.Enum):\n    A = 1\n",
    "import enum\nclass K(enum.Enum):\n    A = 1\n    B = 2\n",
    "from m import K",
    "assert len(K) == 1",
    expect="restart",
)
body(
    "NamedTuple method",
    "from typing import NamedTuple\nclass P(NamedTuple):\n    x: int\n    def g(self): return 'OLD', self.x\n",
    "from m import P; p = P(3)",
    "assert p.g() == ('NEW', 3) and isinstance(p, P)",
)
situation(
    "NamedTuple gains a method and a property",
    "from typing import NamedTuple\nclass P(NamedTuple):\n    x: int\n",
    "from typing import NamedTuple\nclass P(NamedTuple):\n    x: int\n    def g(self): return self.twice\n    @property\n    def twice(self): return self.x * 2\n",
    "from m import P; p = P(3)",
    "assert p.g() == 6",
)
situation(
    "NamedTuple gains a field",
    "from typing import NamedTuple\nclass P(NamedTuple):\n    x: int\n",
    "from typing import NamedTuple\nclass P(NamedTuple):\n    x: int\n    y: int = 0\n",
    "from m import P; p = P(3)",
    "assert p == (3,)",
    expect="restart",
)
body(
    "__slots__ class",
    "class A:\n    __slots__ = ('n',)\n    def __init__(self): self.n = 3\n    def g(self): return 'OLD', self.n\n",
    "from m import A; a = A()",
    "assert a.g() == ('NEW', 3)",
)
situation(
    "__slots__ changes",
    "class A:\n    __slots__ = ('n',)\n    def g(self): return 1\n",
    "class A:\n    __slots__ = ('n', 'k')\n    def g(self): return 2\n",
    "from m import A; a = A()",
    "assert a.g() == 1",
    expect="restart",
)
body(
    "subclasses elsewhere, cooperative super, mixins",
    "class Base:\n    def g(self): return 'OLD'\n",
    "import user; u = user.Sub()",
    "assert u.g() == ['mixin', 'NEW']",
    others={
        "user.py": "from m import Base\nclass Mix:\n    def g(self): return ['mixin', super().g()]\nclass Sub(Mix, Base): pass\n"
    },
)
situation(
    "a method starts to use super()",
    "class B:\n    def g(self, k=1): return 'base', k\nclass A(B):\n    def g(self, k=2): return 'old'\n",
    "class B:\n    def g(self, k=1): return 'base', k\nclass A(B):\n    def g(self, k=4): return super().g(k)\n",
    "from m import A\na = A(); b = a.g; u = A.g\nclass C(A): pass\nc = C()",
    "assert a.g() == b() == u(a) == c.g() == ('base', 4)",
)
situation(
    "an async method starts to use super(), a generator too",
    "class B:\n    async def g(self): return 'base'\n    def i(self): yield 1\nclass A(B):\n    async def g(self): return 'old'\n    def i(self): yield 0\n",
    "class B:\n    async def g(self): return 'base'\n    def i(self): yield 1\nclass A(B):\n    async def g(self): return await super().g()\n    def i(self): yield from super().i()\n",
    "from m import A\nimport asyncio, inspect\na = A(); g = a.g; i = a.i",
    "assert asyncio.run(g()) == 'base' and list(i()) == [1] and inspect.iscoroutinefunction(g) and inspect.isgeneratorfunction(i)",
)
situation(
    "a method stops using super(), then starts again",
    "class B:\n    def g(self): return 'base'\nclass A(B):\n    def g(self): return super().g()\n",
    "class B:\n    def g(self): return 'base'\nclass A(B):\n    def g(self): return 'plain'\n",
    "from m import A; a = A(); b = a.g",
    "assert a.g() == b() == 'plain'\nput('m.py', 'class B:\\n    def g(self): return \"base\"\\nclass A(B):\\n    def g(self): return [super().g()]\\n')\n"
    "assert swap().ok and a.g() == b() == ['base'], (a.g(), b())",
)
body(
    "callbacks: signal handler, atexit-like list, thread pool, weak method, dict registry",
    "REG = {}\ndef tool(fn):\n    REG[fn.__name__] = fn\n    return fn\n@tool\ndef t(*a): return 'OLD'\nclass H:\n    def on(self): return 'OLD'\n",
    "import m, signal, weakref, concurrent.futures as cf\nsignal.signal(signal.SIGUSR1, m.t); h = m.H(); w = weakref.WeakMethod(h.on); pool = cf.ThreadPoolExecutor(1); jobs = [m.t]",
    "assert signal.getsignal(signal.SIGUSR1)() == w()() == pool.submit(jobs[0]).result() == m.REG['t']() == 'NEW' and list(m.REG) == ['t']",
)
body(
    "module-level lambda, its alias, lambdas in a table, a key function",
    "f = lambda x: 'OLD'\nALIAS = f\nTABLE = {'a': lambda: 'OLD', 'b': lambda: 'b'}\n",
    "import m; from m import ALIAS; T = m.TABLE",
    "assert m.f(1) == ALIAS(1) == T['a']() == 'NEW' and T['b']() == 'b' and m.TABLE is T",
)
