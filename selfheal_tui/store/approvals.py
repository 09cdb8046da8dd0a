"""Requests for approval, answered from any terminal, valid once and for one thing.

Deny by default: an expired request, a binding that differs in anything, a second use are all refused.
The state is never stored; it follows from what was recorded and from the clock.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from selfheal_tui.model.approval import (
    ApprovalDecision,
    ApprovalRequest,
    Binding,
    DecisionKind,
    RequestState,
)
from selfheal_tui.model.serial import from_builtins
from selfheal_tui.store.errors import ApprovalConflictError, UnknownRequestError
from selfheal_tui.store.masking import clean
from selfheal_tui.store.table import HistoryDB

POLL_SECONDS = 0.05
"""How often `wait` looks at the journal's size: one `stat` each, well under the 100 ms that it promises."""

_ANSWERED = {
    DecisionKind.APPROVED: RequestState.APPROVED,
    DecisionKind.REJECTED: RequestState.REJECTED,
    DecisionKind.EXPIRED: RequestState.EXPIRED,
    DecisionKind.WITHDRAWN: RequestState.WITHDRAWN,
}
_NEVER_TOO_LATE = frozenset({DecisionKind.EXPIRED, DecisionKind.WITHDRAWN})
"""Answers that allow nothing, and may therefore come after the time in which others must."""


class ApprovalStore:
    """Approval requests and their answers.

    Args:
        database: The history, whose tables `requests`, `decisions` and `consumed` are keyed by `request_id`.
        clock: Unix time in seconds, for expiry.
    """

    def __init__(self, database: HistoryDB, clock: Callable[[], float] = time.time) -> None:
        self._requests = database.journal_table("requests")
        self._decisions = database.journal_table("decisions")
        self._consumed = database.journal_table("consumed")
        self._journal = self._requests.journal
        self._clock = clock

    def request(self, request: ApprovalRequest) -> None:
        """Puts a question to a person.

        Raises:
            ApprovalConflictError: The id is taken by another request.
        """
        document = _document(request)
        with self._journal.locked():
            before = self._requests.find(request.request_id)
            if before is not None and before != document:
                raise ApprovalConflictError(
                    f"request {request.request_id} exists already", "ask under a new id"
                )
            if before is None:
                self._requests.put(request.request_id, document)

    def get(self, request_id: str) -> ApprovalRequest:
        """Returns a request.

        Raises:
            UnknownRequestError: There is none.
        """
        row = self._requests.find(request_id)
        if row is None:
            raise UnknownRequestError(
                f"no approval request {request_id!r}", "`selfheal incidents` lists what is waiting"
            )
        return from_builtins(row, ApprovalRequest)

    def state(self, request_id: str) -> RequestState:
        """Returns where a request stands now.

        An approval that was not used before the request expired counts as expired.

        Raises:
            UnknownRequestError: There is none.
        """
        request = self.get(request_id)
        if self._consumed.find(request_id) is not None:
            return RequestState.CONSUMED
        decision = self.decision(request_id)
        late = self._clock() >= request.expires_at
        if decision is None:
            return RequestState.EXPIRED if late else RequestState.OPEN
        if decision.kind is DecisionKind.APPROVED and late:
            return RequestState.EXPIRED
        return _ANSWERED[decision.kind]

    def open_requests(self) -> list[ApprovalRequest]:
        """Returns the requests that can still be answered, oldest first."""
        requests = [from_builtins(row, ApprovalRequest) for row in self._requests.rows()]
        return [r for r in requests if self.state(r.request_id) is RequestState.OPEN]

    def decide(self, decision: ApprovalDecision) -> None:
        """Answers a request; it is on the disk when this returns.

        Raises:
            UnknownRequestError: There is no such request.
            ApprovalConflictError: It was answered, has expired, or is about something else.
        """
        with self._journal.locked():
            request = self.get(decision.request_id)
            state = self.state(decision.request_id)
            late = decision.kind in _NEVER_TOO_LATE and state is RequestState.EXPIRED
            if self.decision(decision.request_id) is not None or not (state is RequestState.OPEN or late):
                raise ApprovalConflictError(
                    f"request {decision.request_id} is {state} already",
                    "it is asked anew when the program is run again and the crash returns",
                )
            if decision.binding != request.binding:
                raise ApprovalConflictError(
                    f"the answer to {decision.request_id} is for another patch, file or policy",
                    "look at the incident again and answer what it shows now",
                )
            self._decisions.put(decision.request_id, _document(decision))

    def decision(self, request_id: str) -> ApprovalDecision | None:
        """Returns the answer to a request, if there is one."""
        row = self._decisions.find(request_id)
        return from_builtins(row, ApprovalDecision) if row is not None else None

    def consume(self, request_id: str, binding: Binding) -> ApprovalDecision:
        """Uses an approval, once.

        Args:
            request_id: The request.
            binding: What is about to be done, computed anew.

        Returns:
            The approval.

        Raises:
            UnknownRequestError: There is no such request.
            ApprovalConflictError: It is not approved, has expired, is about something else, or was used.
        """
        with self._journal.locked():
            request = self.get(request_id)
            state = self.state(request_id)
            decision = self.decision(request_id)
            if state is not RequestState.APPROVED or decision is None:
                raise ApprovalConflictError(
                    f"request {request_id} is {state}, not approved", "ask for approval anew"
                )
            if not binding == request.binding == decision.binding:
                raise ApprovalConflictError(
                    f"request {request_id} was approved for another patch, other files or another policy",
                    "what would be written has changed since; ask for approval anew",
                )
            self._consumed.put(
                request_id, {"request_id": request_id, "at": self._clock(), "pid": os.getpid()}
            )
            return decision

    def wait(
        self, request_id: str, seconds: float, *, cancelled: Callable[[], bool] = lambda: False
    ) -> ApprovalDecision | None:
        """Waits for an answer, from this process or another.

        Args:
            request_id: The request.
            seconds: Longest wait.
            cancelled: Asked at each look; True ends the wait.

        Returns:
            The answer, or None when there is none in time, the request expires, or it was cancelled.

        Raises:
            UnknownRequestError: There is no such request.
        """
        request = self.get(request_id)
        deadline = time.monotonic() + seconds
        seen: tuple[int, int] | None = None
        while True:
            now = self._journal.signature()
            if now != seen:
                seen = now
                decision = self.decision(request_id)
                if decision is not None:
                    return decision
            left = deadline - time.monotonic()
            if left <= 0 or cancelled() or self._clock() >= request.expires_at:
                return self.decision(request_id)
            time.sleep(min(POLL_SECONDS, left))


def _document(value: ApprovalRequest | ApprovalDecision) -> dict[str, object]:
    # The binding is compared byte for byte, so no mask may touch it; it holds hashes and paths only.
    binding = {
        "patch_sha256": value.binding.patch_sha256,
        "targets": [{"path": t.path, "sha256": t.sha256} for t in value.binding.targets],
        "policy_version": value.binding.policy_version,
    }
    return {**clean(value), "request_id": value.request_id, "binding": binding}
