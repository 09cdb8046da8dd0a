"""Which tool may run unasked. Tools that change the world need a person's approval."""


class ApprovalLedger:
    """Approvals that people gave, each for one tool and one use."""

    def __init__(self):
        self._granted = {}

    def grant(self, tool, by):
        self._granted.setdefault(tool, []).append(by)

    def take(self, tool):
        waiting = self._granted.get(tool)
        return waiting.pop(0) if waiting else None


class Governance:
    """The gate in front of every tool call."""

    def __init__(self, rules, ledger=None):
        self.auto_approve = frozenset(rules["auto_approve"])
        self.ask = frozenset(rules["ask"])
        self.ledger = ledger or ApprovalLedger()

    def authorise(self, tool):
        """Returns who allowed the call; raises PermissionError when nobody did."""
        if tool in self.auto_approve:
            return "policy"
        if tool not in self.ask:
            raise PermissionError(f"Tool {tool} is not known to governance")
        approver = self.ledger.take(tool)
        if approver is None:
            raise PermissionError("Tool requires approval but approval not granted")
        return approver
