"""The second half of the hot-swap matrix: programs whose shape changes, and changes that need a restart.

Runs on CPython 3.9+ inside the driver, like `swap_situations`.
"""

from __future__ import annotations

from swap_situations import body, situation

situation(
    "defaults, keyword defaults, annotations and docstring",
    "def f(x, y=0):\n    'old'\n    return x, y\n",
    "def f(x: int, y: int = 1, *, z: str = 'z') -> tuple:\n    'new'\n    return x, y, z\n",
    "from m import f",
    "assert f(1) == (1, 1, 'z') and f.__doc__ == 'new' and f.__annotations__ == {'x': int, 'y': int, 'z': str, 'return': tuple}",
)
situation(
    "docstring and annotations show through functools.wraps",
    "import functools\ndef deco(fn):\n    @functools.wraps(fn)\n    def w(*a): return fn(*a)\n    return w\n@deco\ndef f(x):\n    'old'\n",
    "import functools\ndef deco(fn):\n    @functools.wraps(fn)\n    def w(*a): return fn(*a)\n    return w\n@deco\ndef f(x: int):\n    'new'\n",
    "from m import f",
    "assert f.__doc__ == 'new' and f.__annotations__ == {'x': int}",
)
situation(
    "a default that calls a function of the module",
    "def now(): return 1\ndef f(t=now()): return t\n",
    "def now(): return 1\ndef f(t=now() + 1, k=[]): return t, k\n",
    "from m import f",
    "assert f() == (2, [])",
)
situation(
    "decorated method whose default changes",
    "def deco(fn):\n    def w(*a, **k): return 'w', fn(*a, **k)\n    return w\nclass A:\n    LIMIT = 5\n    @deco\n    def g(self, x=0): return x\n",
    "def deco(fn):\n    def w(*a, **k): return 'w', fn(*a, **k)\n    return w\nclass A:\n    LIMIT = 5\n    @deco\n    def g(self, x=LIMIT): return x\n",
    "from m import A; b = A().g",
    "assert b() == ('w', 5)",
)
situation(
    "line numbers of functions that only moved",
    "def f(): return 1\n\n\ndef g():\n    raise ValueError('x')\n",
    "import json\n\n\n\ndef f():\n    y = json\n    return 1\n\n\ndef g():\n    raise ValueError('x')\n",
    "from m import g\nimport traceback, linecache",
    "try: g()\nexcept ValueError as e: last = traceback.extract_tb(e.__traceback__)[-1]\nassert last.lineno == 11 and last.line.startswith('raise'), last\nassert 'm:g' not in outcome.swapped and 'm:f' in outcome.swapped",
)
situation(
    "functions, methods, classes, imports and constants added",
    "class A:\n    def g(self): return 'old'\n",
    "import collections.abc\nfrom math import floor as fl\nLIMIT = 3\nSEEN = collections.abc.Sized\n_lock = __import__ if False else None\n"
    "class Helper:\n    def run(self): return _twice(LIMIT)\ndef _twice(x): return fl(x) * 2\n"
    "class A:\n    FACTOR = 10\n    def g(self): return self.h() + self.s() + len(self.p)\n    def h(self): return Helper().run() * self.FACTOR\n"
    "    @staticmethod\n    def s(): return 1\n    @property\n    def p(self): return 'abc'\n    class Inner:\n        def z(self): return type(self).__qualname__\n",
    "from m import A; a = A()",
    "assert a.g() == 64 and a.Inner().z() == 'A.Inner' and A.h.__qualname__ == 'A.h'",
)
situation(
    "functions and methods removed",
    "def bad(): pass\nclass A:\n    LIM = 1\n    def g(self): return 1\n    def bad(self): pass\n",
    "class A:\n    def g(self): return 2\n",
    "import m; a = m.A()",
    "assert a.g() == 2 and not hasattr(a, 'bad') and not hasattr(m, 'bad') and not hasattr(a, 'LIM')",
)
situation(
    "a removed function that another module imported",
    "def bad(): return 1\ndef f(): return 1\n",
    "def f(): return 2\n",
    "import m, user",
    "assert m.f() == 1 and m.bad() == 1 and 'user' in outcome.restart_needed[0][1]",
    expect="restart",
    others={"user.py": "from m import bad\n"},
)
situation(
    "constants: plain, derived, imported elsewhere, in a default, in a class",
    "LIM = 0\nDOUBLE = LIM * 2\nNAMES = ('a',)\ndef f(x=LIM): return x, LIM, DOUBLE\nclass A:\n    top = LIM\n",
    "LIM = 5\nDOUBLE = LIM * 2\nNAMES = ('a', 'b')\ndef f(x=LIM): return x, LIM, DOUBLE\nclass A:\n    top = LIM\n",
    "import m, user; a = m.A()",
    "assert m.f() == (5, 5, 10) and user.call() == 5 and m.NAMES == ('a', 'b') and a.top == 5, (m.f(), user.call(), a.top)",
    others={"user.py": "from m import LIM as L\nZERO = 0\ndef call(): return L + ZERO\n"},
)
situation(
    "module state that the program changed stays; the change is refused",
    "STATE = {'n': 0}\ndef f():\n    STATE['n'] += 1\n    return 1\n",
    "STATE = {'n': 0, 'k': 0}\ndef f():\n    STATE['n'] += 1\n    return 2\n",
    "import m; m.f()",
    "assert m.STATE == {'n': 1} and m.f() == 1",
    expect="restart",
)
situation(
    "module state that nobody touched",
    "STATE = {}\ndef f(): return STATE['k']\n",
    "STATE = {'k': 7}\ndef f(): return STATE['k']\n",
    "import m",
    "assert m.f() == 7",
)
situation(
    "state is kept and the top level is not run again",
    "import builtins\nbuiltins.RUNS = getattr(builtins, 'RUNS', 0) + 1\nS = []\ndef f(): S.append(1); return len(S)\n",
    "import builtins\nbuiltins.RUNS = getattr(builtins, 'RUNS', 0) + 1\nS = []\ndef f(): S.append(2); return S\n",
    "import m; m.f(); s = m.S",
    "assert m.f() is s and s == [1, 2] and RUNS == 1",
)
situation(
    "a statement with side effects is added",
    "def f(): return 1\n",
    "import os\ndef f(): return 2\nos.environ['X_SWAPPED'] = '1'\n",
    "from m import f\nimport os, m",
    "assert f() == 1 and 'X_SWAPPED' not in os.environ and not hasattr(m, 'os')",
    expect="restart",
)
situation(
    "a call at top level is added",
    "def f(): return 1\n",
    "def f(): return 2\nprint('hello')\n",
    "from m import f",
    "assert f() == 1",
    expect="restart",
)
situation(
    "under the main guard anything goes",
    "def f(): return 1\nif __name__ == '__main__':\n    print(f())\n",
    "def f(): return 2\nif __name__ == '__main__':\n    print(f(), 1 / 0)\n",
    "from m import f",
    "assert f() == 2",
)
situation(
    "a base class is added",
    "class X: pass\nclass M:\n    def h(self): return 'mixed'\nclass A(X):\n    def g(self): return 1\n",
    "class X: pass\nclass M:\n    def h(self): return 'mixed'\nclass A(M, X):\n    def g(self): return self.h()\n",
    "from m import A; a = A()",
    "assert a.g() == 'mixed'",
)
situation(
    "a base class that the layout forbids",
    "class A:\n    def g(self): return 1\ndef f(): return 1\n",
    "class A(dict):\n    def g(self): return 2\ndef f(): return 2\nNEW = 1\n",
    "import m; from m import A; a = A()",
    "assert a.g() == 1 and m.f() == 1 and not hasattr(m, 'NEW') and 'm:A' == outcome.restart_needed[0][0]",
    expect="restart",
)
situation(
    "the metaclass changes",
    "class A:\n    def g(self): return 1\n",
    "import abc\nclass A(metaclass=abc.ABCMeta):\n    def g(self): return 2\n",
    "from m import A; a = A()",
    "assert a.g() == 1",
    expect="restart",
)
situation(
    "abstract method gets an implementation",
    "import abc\nclass I(abc.ABC):\n    @abc.abstractmethod\n    def g(self): ...\nclass A(I):\n    pass\n",
    "import abc\nclass I(abc.ABC):\n    @abc.abstractmethod\n    def g(self): ...\nclass A(I):\n    def g(self): return 'now'\n",
    "from m import A",
    "assert A().g() == 'now'",
)
situation(
    "__init__ sets a new attribute while old instances live",
    "class A:\n    def __init__(self): self.x = 1\n    def g(self): return self.x\n",
    "class A:\n    def __init__(self):\n        self.x = 1\n        self.y = 2\n    def g(self): return self.y\n",
    "from m import A; a = A()",
    "assert a.g() == 1 and A().g() == 1 and \"'y'\" in outcome.restart_needed[0][1]",
    expect="restart",
)
situation(
    "__init__ sets a new attribute that the class provides for",
    "class A:\n    def __init__(self): self.x = 1\n    def g(self): return self.x\n",
    "class A:\n    y = 2\n    def __init__(self):\n        self.x = 1\n        self.y = 3\n    def g(self): return self.y\n",
    "from m import A; a = A()",
    "assert a.g() == 2 and A().g() == 3",
)
situation(
    "a decorator is added",
    "def f(x): return x\n",
    "def twice(fn):\n    def w(*a): return fn(*a) * 2\n    return w\n@twice\ndef f(x): return x\n",
    "import m, functools\nfrom m import f\np = functools.partial(f, 'x')",
    "assert m.f('x') == f('x') == p() == 'xx'",
)
situation(
    "a decorator is taken away, and its argument changes",
    "def rep(n):\n    def d(fn):\n        def w(): return fn() * n\n        return w\n    return d\n@rep(2)\ndef f(): return 'f'\n@rep(2)\ndef g(): return 'g'\n",
    "def rep(n):\n    def d(fn):\n        def w(): return fn() * n\n        return w\n    return d\ndef f(): return 'f'\n@rep(3)\ndef g(): return 'g'\n",
    "import m; from m import f, g",
    "assert f() == m.f() == 'f' and g() == m.g() == 'ggg'",
)
situation(
    "a method becomes a property, a function a static method",
    "class A:\n    def p(self): return 1\n    def s(): return 1\n",
    "class A:\n    @property\n    def p(self): return 2\n    @staticmethod\n    def s(): return 2\n",
    "from m import A; a = A()",
    "assert a.p == 2 and a.s() == 2",
)
body(
    "functions under try/except and if at top level",
    "try:\n    import nonexistent_xyz\nexcept ImportError:\n    def f(): return 'OLD'\nimport sys\nif sys.version_info > (3,):\n    def g(): return 'OLD'\nelse:\n    def g(): return 'no'\n",
    "from m import f, g",
    "assert f() == g() == 'NEW'",
)
situation(
    "an import with a fallback is added",
    "def f(): return json\n",
    "try:\n    import nonexistent_xyz as json\nexcept ImportError:\n    import json\ndef f(): return json.dumps(1)\n",
    "from m import f",
    "assert f() == '1'",
)
body(
    "overloads",
    "from typing import overload\n@overload\ndef f(x: int) -> int: ...\n@overload\ndef f(x: str) -> str: ...\ndef f(x): return 'OLD'\n",
    "from m import f",
    "assert f(1) == 'NEW'",
)
situation(
    "syntax error on disk",
    "def f(): return 1\n",
    "def f( return 2\n",
    "from m import f",
    "assert f() == 1 and 'line 1' in outcome.error",
    expect="error",
)
situation(
    "an import on disk does not exist: everything is put back",
    "X = 1\ndef f(): return X\nclass A:\n    def g(self): return 1\n",
    "import nonexistent_xyz\nX = 2\ndef f(y=3): return X\nclass A:\n    def g(self): return 2\n    def h(self): return 3\n",
    "import m; a = m.A()",
    "assert m.f() == 1 and m.X == 1 and a.g() == 1 and not hasattr(a, 'h') and m.f.__defaults__ is None and 'nonexistent_xyz' in outcome.error",
    expect="error",
)
situation(
    "two files that must change together, in either order",
    "def f(x): return x\n",
    "def f(x, scale): return x * scale\ndef extra(): return 1\n",
    "import user",
    "assert user.call() == 7",
    others={"user.py": "from m import f\ndef call(): return f(3)\n"},
    others_after={"user.py": "from m import f, extra\ndef call(): return f(3, scale=2) + extra()\n"},
)
situation(
    "one of two files is broken: neither changes",
    "def f(): return 1\n",
    "def f(): return 2\n",
    "import m, user",
    "assert m.f() == 1 and user.call() == 1",
    expect="error",
    others={"user.py": "def call(): return 1\n"},
    others_after={"user.py": "def call(: return 2\n"},
)
situation(
    "private names and class attributes",
    "class A:\n    __lim = 1\n    def g(self): return self.__lim\n",
    "class A:\n    __lim = 2\n    __top = 3\n    def g(self): return self.__lim + self.__top + self.__h()\n    def __h(self): return 10\n",
    "from m import A; a = A()",
    "assert a.g() == 15",
)
situation(
    "descriptor with __set_name__ added",
    "class D:\n    def __set_name__(self, o, n): self.n = n\n    def __get__(self, i, o): return self.n\nclass A:\n    pass\n",
    "class D:\n    def __set_name__(self, o, n): self.n = n\n    def __get__(self, i, o): return self.n\nclass A:\n    @D.__call__\n    def x(self): return 1\n",
    "from m import A; a = A()",
    "assert not hasattr(a, 'x')",
    expect="error",
)
body(
    "contextmanager, and a class that is its own iterator",
    "import contextlib\n@contextlib.contextmanager\ndef cm():\n    yield 'OLD'\nclass I:\n    def __iter__(self): return self\n    def __next__(self): return 'OLD'\n",
    "from m import cm, I; i = iter(I())",
    "assert next(i) == 'NEW'\nwith cm() as v: assert v == 'NEW'",
)
body(
    "objects hidden by gc.freeze",
    "def deco(fn):\n    return lambda: fn()\ndef f(): return 'OLD'\ng = deco(f)\n",
    "import m, gc; g = m.g; held = [m.f]; gc.freeze()",
    "assert m.f() == g() == held[0]() == 'NEW'",
)
body(
    "a plugin that is in no sys.modules",
    "def f(): return 'OLD'\n",
    "import importlib.util\nspec = importlib.util.spec_from_file_location('plugin', path('m.py')); mod = importlib.util.module_from_spec(spec); spec.loader.exec_module(mod); f = mod.f",
    "assert f() == 'NEW'",
)
body(
    "one file loaded as two modules",
    "def f(): return 'OLD', __name__\n",
    "import sys, runpy, importlib.util\nimport m\nspec = importlib.util.spec_from_file_location('twin', path('m.py')); twin = importlib.util.module_from_spec(spec); sys.modules['twin'] = twin; spec.loader.exec_module(twin)",
    "assert m.f() == ('NEW', 'm') and twin.f() == ('NEW', 'twin') and set(outcome.swapped) == {'m:f', 'twin:f'}",
)
body("a file nobody loaded", "def f(): return 'OLD'\n", "", "assert outcome.swapped == [] and outcome.ok")
situation(
    "a package with relative imports",
    "",
    "",
    "import pk.a; from pk.a import f",
    "assert f() == 'b'",
    others={"pk/__init__.py": "", "pk/b.py": "V = 'b'\n", "pk/a.py": "def f(): return 'old'\n"},
    others_after={"pk/a.py": "from .b import V\ndef f(): return V\n"},
)
situation(
    "three swaps in a row",
    "def f(): return 1\n",
    "def f(): return 2\n",
    "from m import f",
    "assert f() == 2\nput('m.py', 'import os\\nK = 3\\ndef f(k=K): return k\\n')\nassert swap().ok and f() == 3\nput('m.py', 'def f(): return 1\\n')\nassert swap().ok and f() == 1",
)
situation(
    "type parameters, on 3.12 and later",
    "def f(x): return 1\n",
    "import sys\ndef f(x): return 2\n",
    "from m import f\nimport sys",
    "assert f(1) == 2\nif sys.version_info >= (3, 12):\n    put('m.py', 'import sys\\ndef f[T](x: T) -> T: return 3\\n')\n    assert swap().ok, swap()\n    assert f(1) == 3",
)
