"""Which statements may be run once more in a living program: those that only make values and bind names.

The judgement is syntactic and errs on the side of a restart. Standard library only, CPython 3.9+.
"""

from __future__ import annotations

import ast
from typing import Mapping

from .syntax import FUNCTIONS, is_main_guard

# Callables that build a value and do nothing else, by full name.
PURE_CALLS = frozenset(
    [
        "bool",
        "int",
        "float",
        "complex",
        "str",
        "bytes",
        "bytearray",
        "tuple",
        "list",
        "dict",
        "set",
        "frozenset",
        "range",
        "slice",
        "object",
        "len",
        "min",
        "max",
        "sum",
        "sorted",
        "abs",
        "round",
        "zip",
        "enumerate",
        "reversed",
        "type",
        "property",
        "classmethod",
        "staticmethod",
        "collections.OrderedDict",
        "collections.defaultdict",
        "collections.deque",
        "collections.Counter",
        "collections.namedtuple",
        "collections.ChainMap",
        "re.compile",
        "logging.getLogger",
        "threading.Lock",
        "threading.RLock",
        "threading.Event",
        "threading.Condition",
        "threading.Semaphore",
        "threading.BoundedSemaphore",
        "threading.local",
        "asyncio.Lock",
        "asyncio.Event",
        "asyncio.Semaphore",
        "asyncio.Queue",
        "queue.Queue",
        "queue.SimpleQueue",
        "decimal.Decimal",
        "fractions.Fraction",
        "datetime.timedelta",
        "datetime.datetime",
        "datetime.date",
        "datetime.time",
        "datetime.timezone",
        "pathlib.Path",
        "pathlib.PurePath",
        "pathlib.PurePosixPath",
        "os.path.join",
        "os.path.dirname",
        "os.path.abspath",
        "os.path.basename",
        "os.environ.get",
        "os.getenv",
        "typing.TypeVar",
        "typing.NewType",
        "typing.ParamSpec",
        "typing.cast",
        "itertools.count",
        "functools.partial",
        "random.Random",
        "contextvars.ContextVar",
        "weakref.WeakKeyDictionary",
        "weakref.WeakValueDictionary",
        "weakref.WeakSet",
        "string.Template",
        "types.MappingProxyType",
        "types.SimpleNamespace",
        "uuid.UUID",
        "enum.auto",
        "dataclasses.field",
        "operator.itemgetter",
        "operator.attrgetter",
        "struct.Struct",
    ]
)

_PURE_NODES = (
    ast.Constant, ast.Name, ast.Attribute, ast.Tuple, ast.List, ast.Set, ast.Dict, ast.BinOp, ast.UnaryOp,
    ast.BoolOp, ast.Compare, ast.IfExp, ast.Subscript, ast.Slice, ast.JoinedStr, ast.FormattedValue,
    ast.Starred, ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context, ast.keyword, ast.Lambda,
    ast.ListComp, ast.SetComp, ast.DictComp, ast.comprehension, ast.arguments, ast.arg,
)  # fmt: skip


def imported_names(tree: ast.Module) -> dict[str, str]:
    """Returns what the names that a module imports stand for, such as `{"OD": "collections.OrderedDict"}`."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                target = alias.name if alias.asname else alias.name.split(".")[0]
                found[alias.asname or target] = target
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return found


def is_pure(value: ast.AST, imports: Mapping[str, str]) -> bool:
    """Whether working out an expression has no effect but its value."""
    todo = [value]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Call):
            if _full_name(node.func, imports) not in PURE_CALLS:
                return False
            todo.extend([*node.args, *node.keywords])
        elif not isinstance(node, _PURE_NODES):
            return False
        elif isinstance(node, ast.Lambda):
            todo.append(node.args)
        else:
            todo.extend(ast.iter_child_nodes(node))
    return True


def _full_name(node: ast.AST, imports: Mapping[str, str]) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        # A method of a literal text, such as "a b".split(), makes a value too.
        return "str" if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)) else ""
    return ".".join([imports.get(node.id, node.id), *reversed(parts)])


def is_plain_assignment(statement: ast.stmt, imports: Mapping[str, str]) -> bool:
    """Whether a statement binds plain names to a value that is made without side effects."""
    if isinstance(statement, ast.AnnAssign):
        pure = statement.value is None or is_pure(statement.value, imports)
        return isinstance(statement.target, ast.Name) and pure
    if not isinstance(statement, ast.Assign):
        return type(statement).__name__ == "TypeAlias"
    targets = [
        part
        for target in statement.targets
        for part in (target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target])
    ]
    return all(isinstance(one, ast.Name) for one in targets) and is_pure(statement.value, imports)


def is_safe(statement: ast.stmt, imports: Mapping[str, str]) -> bool:
    """Whether a statement may be run in the living program."""
    if isinstance(statement, (ast.Import, ast.ImportFrom, *FUNCTIONS, ast.ClassDef, ast.Pass)):
        return True
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    if isinstance(statement, ast.If):
        if is_main_guard(statement):
            return True
        inner = [*statement.body, *statement.orelse]
        return is_pure(statement.test, imports) and all(is_safe(one, imports) for one in inner)
    if isinstance(statement, ast.Try):
        inner = [*statement.body, *statement.orelse, *statement.finalbody]
        inner += [one for handler in statement.handlers for one in handler.body]
        return all(is_safe(one, imports) for one in inner)
    return is_plain_assignment(statement, imports)
