"""`@heal` and `guard`: the program says which of its calls may be healed while it runs.

A crash is reported, an answer is waited for as long as was declared, and the call is made once more with the healed
code where that was declared to be safe; in every other case the program gets its own exception as if we were not
there. Nothing is loaded before the first crash. Standard library only, CPython 3.9+.
"""

from __future__ import annotations

import functools
import sys
from types import CoroutineType

from .guardplan import TALLY, Plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Callable, Optional, Self, Type, TypeVar, Union, overload

    F = TypeVar("F", bound=Callable[..., Any])

_GENERATOR, _COROUTINE, _ASYNC_GENERATOR = 0x20, 0x80, 0x200


class guard:  # noqa: N801 - used as a word, like `open`
    """Guards a block: a crash in it is reported and an answer waited for; then it goes on to the caller.

    A block cannot be run again, so it is never swallowed: catch it outside, and look at `healed`, to go on with the
    healed code. Works in `with` and in `async with`.

    Args:
        wait: Seconds to wait for an answer; by default 0 in production and 30 elsewhere. Nobody waits when no engine
            listens, nor, unless `wait` says so, with `with` in a thread that runs an event loop.
        name: Name of the block in the report.

    Attributes:
        healed: After a crash: whether this process now runs healed code.
    """

    def __init__(self, *, wait: Optional[float] = None, name: str = "") -> None:
        caller = sys._getframe(1).f_code
        self._plan = Plan("never", wait, 0, name or caller.co_name, caller.co_filename)
        self._since = 0
        self.healed = False

    def __enter__(self) -> Self:
        self._since, self.healed = TALLY.healed, False
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        if isinstance(error, Exception):
            wait = self._plan.seconds(in_task=False)
            case = self._plan.begin(error, self._since, wait, None, 0)
            self.healed = case is not None and bool(case.wait(wait))

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        if isinstance(error, Exception):
            wait = self._plan.seconds(in_task=True)
            case = self._plan.begin(error, self._since, wait, None, 0)
            self.healed = case is not None and bool(await case.wait_async(wait))


if TYPE_CHECKING:

    @overload
    def heal(function: F) -> F: ...

    @overload
    def heal(*, retry: str = "never", wait: Optional[float] = None, times: int = 1) -> Callable[[F], F]: ...


def heal(
    function: Any = None, *, retry: str = "never", wait: Optional[float] = None, times: int = 1
) -> Union[Callable[[Any], Any], Any]:
    """Guards the calls of a function, method or coroutine function.

    An exception is reported and an answer waited for. When this process runs healed code by then, the call is made
    again where that was declared; in every other case the exception goes on, the same object as without us.
    Exceptions that are a way to stop (KeyboardInterrupt, CancelledError, …) go on at once. Generators and async
    generators are never called again: their crashes are only reported.

    Args:
        function: The function, when used without arguments: `@heal`.
        retry: `never`: heal for the next call. `safe`: the call may be repeated with the same arguments, whatever it
            had done by then. `snapshot`: it is repeated with copies of the arguments made before the call (the
            object whose method it is stays itself); arguments that cannot be copied are not retried.
        wait: Seconds to wait for an answer; by default 0 in production (`SELFHEAL_ENV` unset or `production`) and 30
            elsewhere. Nobody waits when no engine listens, nor, unless `wait` says so, with a plain function in a
            thread that runs an event loop.
        times: How often to call again, when the healed code crashes in turn; then its own exception goes on.

    Raises:
        TypeError: It does not decorate a function.
        ValueError: An argument is unknown or out of range.
    """
    Plan(retry, wait, times, "", "")  # a wrong declaration is told where it stands, not at the first crash
    if function is None:
        return lambda decorated: _guarded(decorated, retry, wait, times)
    return _guarded(function, retry, wait, times)


def _guarded(function: Any, retry: str, wait: Optional[float], times: int) -> Any:
    if isinstance(function, (classmethod, staticmethod)):
        return type(function)(_guarded(function.__func__, retry, wait, times))
    if isinstance(function, (type, property)) or not callable(function):
        raise TypeError(
            "@heal guards functions and methods, not %r; put it on the methods, below @property" % (function,)
        )
    inner = function
    while isinstance(inner, functools.partial):
        inner = inner.func
    code = getattr(inner, "__code__", None)
    name = getattr(inner, "__qualname__", "") or repr(type(inner))
    plan = Plan(retry, wait, times, name, getattr(code, "co_filename", ""))
    if inner is function:
        from .snapshot import owners_of

        plan.owners = owners_of(function)
    flags = getattr(code, "co_flags", 0)
    if flags & _COROUTINE:
        wrapper = _around_coroutine(function, plan)
    elif flags & _GENERATOR:
        wrapper = _around_generator(function, plan)
    elif flags & _ASYNC_GENERATOR:
        wrapper = _around_async_generator(function, plan)
    else:
        wrapper = _around_call(function, plan)
    return functools.update_wrapper(wrapper, function)


def _around_call(function: Callable[..., Any], plan: Plan) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        kept, done = plan.keep(args, kwargs) if plan.copies else None, 0
        while True:
            since = TALLY.healed
            try:
                result = function(*args, **kwargs)
                return plan.watch(result) if type(result) is CoroutineType else result
            except Exception as error:
                if not plan.crashed(error, since, kept, done):
                    raise
                again = plan.again(kept, args, kwargs, done)
                if again is None:
                    raise
            args, kwargs = again
            done += 1

    return call


def _around_coroutine(function: Callable[..., Any], plan: Plan) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        kept, done = plan.keep(args, kwargs) if plan.copies else None, 0
        while True:
            since = TALLY.healed
            try:
                return await function(*args, **kwargs)
            except Exception as error:
                if not await plan.crashed_in_task(error, since, kept, done):
                    raise
                again = plan.again(kept, args, kwargs, done)
                if again is None:
                    raise
            args, kwargs = again
            done += 1

    return call


def _around_generator(function: Callable[..., Any], plan: Plan) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        since = TALLY.healed
        try:
            return (yield from function(*args, **kwargs))
        except Exception as error:
            plan.begin(error, since, 0.0, None, 0)
            raise

    return call


def _around_async_generator(function: Callable[..., Any], plan: Plan) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        since = TALLY.healed
        inner = function(*args, **kwargs)
        try:
            value = await inner.__anext__()
            while True:
                try:
                    sent = yield value
                except GeneratorExit:
                    await inner.aclose()
                    raise
                except BaseException as thrown:
                    value = await inner.athrow(thrown)
                else:
                    value = await inner.asend(sent)
        except StopAsyncIteration:
            return
        except Exception as error:
            plan.begin(error, since, 0.0, None, 0)
            raise

    return call
