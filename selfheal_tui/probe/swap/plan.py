"""Works out, before anything is touched, what a change of one file needs: steps, or reasons for a restart.

Steps run in phases over all files: what only adds names comes first, so that no thread ever runs new code without
them. Planning runs nothing of the program except pure expressions of changed constants. Standard library only, 3.9+.
"""

from __future__ import annotations
import __future__

import ast
from types import CodeType, FunctionType
from typing import Any, Callable, Iterable, Optional

from .codes import Names, code_key, codes_by_name, pair, with_codes_of
from .functions import check_cells, class_at, evaluate_header, give_code
from .journal import Journal
from .live import LiveFile, Space, frames_of, unwrapped
from .outcome import NotSwappableError
from .safety import imported_names, is_pure
from .sources import Version
from .syntax import Function, function_nodes, header, touches

ADD, REBIND, CODE, RESHAPE, REMOVE = range(5)
_left_over: set[tuple[str, str]] = set()
Step = Callable[[Journal], None]


class FilePlan:
    """The plan for one file.

    Attributes:
        live: What is alive of it.
        now: The version on disk.
        before: The version that is alive, if it is known.
        imports: What imported names stand for.
        dirty: Names whose module-level value changes with this swap.
        steps: (phase, step) in order.
        swapped: Names of what changes.
        refusals: (what, why) that need a restart.
        notes: (what, remark).
        changed_codes: The old code of functions that do something else now, with its qualified name.
    """

    def __init__(self, live: LiveFile, now: Version, before: Optional[Version]) -> None:
        self.live = live
        self.now = now
        self.before = before
        self.imports = imported_names(now.tree)
        self.dirty: set[str] = set()
        self.steps: list[tuple[int, Step]] = []
        self.swapped: list[str] = []
        self.refusals: list[tuple[str, str]] = []
        self.notes: list[tuple[str, str]] = []
        self.changed_codes: dict[CodeType, str] = {}
        self._keeps: Optional[bool] = None
        self.codes = codes_by_name(now.code)
        self.nodes = function_nodes(now.tree)

    def add(self, phase: int, step: Step, what: str = "") -> None:
        """Appends a step, and the name of what it changes."""
        self.steps.append((phase, step))
        if what:
            self.tell(what)

    def tell(self, what: str) -> None:
        """Notes that something changes."""
        if what not in self.swapped:
            self.swapped.append(what)

    def refuse(self, what: str, why: str) -> None:
        """Notes that something needs a restart."""
        if (what, why) not in self.refusals:
            self.refusals.append((what, why))

    def is_left_over(self, what: str) -> bool:
        """Whether an earlier swap had to leave this removed name where it was."""
        return (self.live.path, what) in _left_over

    def leaves(self, what: str) -> bool:
        """Whether a removed name stays because a call that is under way may still need it.

        Found out once, when all code has been replaced: whatever runs the old code then is seen on some stack.
        """
        if self._keeps is None:
            new = {id(code) for codes in self.codes.values() for code in codes}
            codes = {one for one in frames_of(self.live.filename) if id(one) not in new}
            self._keeps = bool(codes)
        if self._keeps:
            _left_over.add((self.live.path, what))
        return self._keeps

    def note(self, what: str, remark: str) -> None:
        """Notes something that the operator should know."""
        if (what, remark) not in self.notes:
            self.notes.append((what, remark))

    def run(
        self,
        statement: ast.stmt,
        names: dict[str, Any],
        scope: Optional[dict[str, Any]] = None,
        shells: int = 0,
    ) -> None:
        """Runs one statement of the new text in a namespace; `shells` classes around it are not of that text."""
        tree = ast.Module([statement], [])
        code = compile(tree, self.live.filename, "exec", flags=self.now.flags, dont_inherit=True)
        # Compiled alone, a function may come out differently (3.11+ looks at the module's imports): the next
        # swap would not recognise it.
        code = with_codes_of(code, self.now.code, shells)
        exec(code, names, names if scope is None else scope)  # noqa: S102 - a changed statement, from disk

    def value(self, node: ast.expr, names: dict[str, Any], scope: Optional[dict[str, Any]] = None) -> Any:
        """Works out one expression of the text in a namespace."""
        tree = ast.Expression(node)
        code = compile(tree, self.live.filename, "eval", flags=self.now.flags, dont_inherit=True)
        return eval(code, names, names if scope is None else scope)  # noqa: S307 - from disk

    def code_of(self, node: Function, qualname: str) -> CodeType:
        """Returns the compiled code of a function of the new text."""
        line = min([node.lineno, *(one.lineno for one in node.decorator_list)])
        for code in self.codes.get(qualname, ()):
            if code.co_firstlineno == line:
                return code
        raise NotSwappableError(qualname, "its code was not found in the compiled file")

    def is_unmodified(self, value: ast.expr, current: Any, names: dict[str, Any], scope: Any = None) -> bool:
        """Whether a name still has the value that the text before gave it."""
        if not is_pure(value, self.imports):
            return False
        try:
            first = self.value(value, names, scope)
            return type(first) is type(current) and bool(first == current)
        except Exception:
            return False


def plan_functions(plan: FilePlan) -> None:
    """Plans new code for every live function of the file, also for those that only moved to other lines."""
    functions = plan.live.functions
    naming = Names(plan.before.code if plan.before else None, functions)
    by_name: dict[str, list[FunctionType]] = {}
    for function in functions:
        by_name.setdefault(naming.of(function), []).append(function)
    known = codes_by_name(plan.before.code) if plan.before else {}
    old_nodes = function_nodes(plan.before.tree) if plan.before else {}
    # Headers are worked out before any code is replaced, when the changed constants are in place.
    for qualname, alive in by_name.items():
        new = plan.codes.get(qualname)
        if not new:
            continue
        old = known.get(qualname) or _distinct(function.__code__ for function in alive)
        for old_code, new_code in pair(old, new):
            key = code_key(old_code)
            mine = [
                function
                for function in alive
                if function.__code__ is old_code
                or (
                    function.__code__.co_firstlineno == old_code.co_firstlineno
                    and code_key(function.__code__) == key
                )
            ]
            if mine:
                before = old_nodes.get((qualname, old_code.co_firstlineno))
                _plan_code(plan, qualname, mine, old_code, new_code, before)


def _distinct(codes: Iterable[CodeType]) -> list[CodeType]:
    found: dict[Any, CodeType] = {}
    for code in codes:
        found.setdefault((code.co_firstlineno, code_key(code)), code)
    return [found[key] for key in sorted(found, key=lambda one: one[0])]


def _plan_code(
    plan: FilePlan,
    qualname: str,
    functions: list[FunctionType],
    old: CodeType,
    new: CodeType,
    before: Optional[Function],
) -> None:
    changed = code_key(old) != code_key(new)
    node = plan.nodes.get((qualname, new.co_firstlineno))
    reheaded = node is not None and _header_changed(plan, qualname, functions, before, node)
    for function in functions:
        owner = class_at(function.__globals__, qualname.rpartition(".")[0]) if "." in qualname else None
        what = f"{function.__globals__.get('__name__', '?')}:{qualname}"
        try:
            check_cells(function, new, owner, what)
        except NotSwappableError as error:
            plan.refuse(error.what, error.why)
            continue
        if changed or reheaded:
            plan.changed_codes[function.__code__] = what
            plan.tell(what)
        plan.add(CODE, _code_step(plan, function, qualname, new, owner, node if reheaded else None))


def _code_step(
    plan: FilePlan,
    function: FunctionType,
    qualname: str,
    code: CodeType,
    owner: Optional[type],
    node: Optional[Function],
) -> Step:
    def step(journal: Journal) -> None:
        made_header = None
        if node is not None:
            scope = vars(owner) if owner is not None else {}
            names = function.__globals__
            # What a function inside a function is annotated with may be local there: kept as text.
            lazy = __future__.annotations.compiler_flag if "<locals>" in qualname else 0
            made_header = evaluate_header(node, plan.live.filename, plan.now.flags | lazy, names, scope)
        doc, annotations = function.__doc__, function.__annotations__
        real = give_code(journal, function, code, owner, made_header)
        if real is not function and owner is not None and vars(owner).get(code.co_name) is function:
            journal.set_class(owner, code.co_name, real)
        if made_header is not None:
            _tell_wrappers(journal, plan, function, doc, annotations)

    return step


def _tell_wrappers(
    journal: Journal, plan: FilePlan, inner: FunctionType, doc: Optional[str], annotations: dict[str, Any]
) -> None:
    """Passes docstring and annotations on to what `functools.wraps` copied them to."""
    for wrapper in plan.live.wrappers:
        if any(one is inner for one in unwrapped(wrapper)):
            if wrapper.__doc__ == doc:
                journal.set_attribute(wrapper, "__doc__", inner.__doc__)
            if getattr(wrapper, "__annotations__", None) == annotations:
                journal.set_attribute(wrapper, "__annotations__", inner.__annotations__)


def _header_changed(
    plan: FilePlan, qualname: str, functions: list[FunctionType], before: Optional[Function], node: Function
) -> bool:
    """Whether defaults, annotations or the docstring have to be worked out anew."""
    simple = ast.Module(
        [ast.Expr(one) for one in [*node.args.defaults, *filter(None, node.args.kw_defaults)]], []
    )
    pure = all(is_pure(one.value, plan.imports) for one in simple.body if isinstance(one, ast.Expr))
    if plan.before is None:
        # Nothing to compare with: the parameters' names tell whether the code expects other defaults.
        if not _parameters_differ(functions[0], node):
            return False
        if "<locals>" in qualname or not pure:
            name = functions[0].__globals__.get("__name__", "?")
            plan.refuse(
                f"{name}:{qualname}", "its parameters changed and the text it was started from is unknown"
            )
            return False
        return True
    if before is None:
        return False
    head = ast.Module([ast.Expr(ast.Lambda(node.args, ast.Constant(None)))], [])
    dirty = touches(head, plan.dirty) or (node.returns is not None and touches(node.returns, plan.dirty))
    if header(before) == header(node) and not dirty:
        return False
    if "<locals>" not in qualname:
        return True
    if all(
        isinstance(part, ast.Constant) for part in [*node.args.defaults, *filter(None, node.args.kw_defaults)]
    ):
        return True
    if ast.dump(before.args) != ast.dump(node.args) or dirty:
        name = functions[0].__globals__.get("__name__", "?")
        plan.refuse(f"{name}:{qualname}", "its defaults came from a call that is over")
    return False


def _parameters_differ(function: FunctionType, node: Function) -> bool:
    code = function.__code__
    count = code.co_argcount + code.co_kwonlyargcount
    now = [one.arg for one in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]]
    return list(code.co_varnames[:count]) != now or len(function.__defaults__ or ()) != len(
        node.args.defaults
    )


def name_of(space: Space, qualname: str) -> str:
    """Returns how an outcome names something in a module."""
    return f"{space.name}:{qualname}"
