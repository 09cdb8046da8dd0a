"""What was declared for a guarded call, and what that makes of a crash: report it, wait, and call again or not.

Apart from `guard`, which wraps the calls and blocks, so that every kind of call is decided on in one place. It
never repeats a call itself. Nothing is loaded before the first crash. Standard library only, CPython 3.9+.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

RETRIES = ("never", "safe", "snapshot")
WAIT_SECONDS = 30.0
"""How long a crash waits for an answer outside production, where nothing else is said."""
_CONTROL_FLOW = (StopIteration, StopAsyncIteration)


class Tally:
    """What a call notes when it begins, to know afterwards whether its code was replaced under it.

    Attributes:
        healed: How many cases were healed in this process so far.
    """

    healed = 0


TALLY = Tally()


class Plan:
    """What was declared for a guarded call.

    Attributes:
        retry: `never`, `safe` or `snapshot`.
        wait: Seconds to wait for an answer; None for what fits the environment.
        times: How often to call again.
    """

    def __init__(self, retry: str, wait: Optional[float], times: int, name: str, file: str) -> None:
        if retry not in RETRIES:
            raise ValueError("retry=%r is unknown; use one of %s" % (retry, ", ".join(map(repr, RETRIES))))
        if wait is not None and not wait >= 0:
            raise ValueError("wait=%r is no number of seconds; use 0 or more" % (wait,))
        if type(times) is not int or times < 0:
            raise ValueError("times=%r is no number of retries; use 0 or more" % (times,))
        self.retry = retry
        self.wait = wait
        self.times = times if retry != "never" else 0
        self.name = name
        self.file = file
        self.owners = 0
        self.copies = retry == "snapshot"

    def seconds(self, in_task: bool) -> float:
        """How long a crash waits now.

        Args:
            in_task: Whether waiting lets the event loop go on.
        """
        if self.wait is not None:
            return float(self.wait)
        if os.environ.get("SELFHEAL_ENV", "").strip().lower() in ("", "production"):
            return 0.0
        if not in_task and _loop_runs():
            return 0.0  # every other task of this thread would stand still
        return WAIT_SECONDS

    def keep(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Copies the arguments before the call, if that was declared and could be of use."""
        if self.retry != "snapshot" or not self.times or not self.seconds(in_task=True):
            return None
        from .snapshot import Kept

        return Kept(args, kwargs, self.owners)

    def again(
        self, kept: Any, args: tuple[Any, ...], kwargs: dict[str, Any], done: int
    ) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        """Returns the arguments for another call; None when what was copied cannot be copied once more."""
        if kept is None:
            return args, kwargs
        try:
            return kept.again(last=done + 1 >= self.times)  # type: ignore[no-any-return]  # loaded late
        except Exception:
            return None

    def may_repeat(self, kept: Any, done: int) -> bool:
        """Whether the call may be made once more, if it is healed."""
        if self.retry == "snapshot" and (kept is None or kept.problem):
            return False
        return done < self.times

    def begin(self, error: BaseException, since: int, wait: float, kept: Any, done: int) -> Any:
        """Reports a crash, unless it is a way to stop; returns its case, or None."""
        from . import cases
        from .stops import is_never_healed

        if isinstance(error, _CONTROL_FLOW) or is_never_healed(error):
            return None
        facts = {"selfheal.guard": self.name, "selfheal.retry": self.retry}
        if done:
            facts["selfheal.retried"] = str(done)
        if kept is not None and kept.problem:
            facts["selfheal.no_retry"] = kept.problem
        return cases.begin(error, since, wait, facts, self.file)

    def crashed(self, error: BaseException, since: int, kept: Any, done: int) -> bool:
        """Handles a crash in this thread.

        Args:
            error: The exception.
            since: `TALLY.healed` when the call began.
            kept: What `keep` returned.
            done: How often the call was already repeated.

        Returns:
            Whether to call again.
        """
        wait = self.seconds(in_task=False) if not done or done < self.times else 0.0
        case = self.begin(error, since, wait, kept, done)
        return case is not None and bool(case.wait(wait)) and self.may_repeat(kept, done)

    async def watch(self, coroutine: Any) -> Any:
        """Guards a coroutine that a plain function returned; it cannot be run again."""
        since = TALLY.healed
        try:
            return await coroutine
        except Exception as error:
            wait = self.seconds(in_task=True)
            case = self.begin(error, since, wait, None, 0)
            if case is not None:
                await case.wait_async(wait)
            raise

    async def crashed_in_task(self, error: BaseException, since: int, kept: Any, done: int) -> bool:
        """Handles a crash in a task, as `crashed`."""
        wait = self.seconds(in_task=True) if not done or done < self.times else 0.0
        case = self.begin(error, since, wait, kept, done)
        return case is not None and bool(await case.wait_async(wait)) and self.may_repeat(kept, done)


def _loop_runs() -> bool:
    asyncio = sys.modules.get("asyncio")
    running = getattr(asyncio, "_get_running_loop", None)
    return running is not None and running() is not None
