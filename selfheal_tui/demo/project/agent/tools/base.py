"""What every tool has in common: a name, a gate, and a trace in the audit trail."""


class Tool:
    """A governed action."""

    name = ""

    def __init__(self, governance, audit):
        self.governance = governance
        self.audit = audit

    def __call__(self, *args, **kwargs):
        allowed_by = self.governance.authorise(self.name)
        self.audit.record("tool.called", tool=self.name, allowed_by=allowed_by)
        return self.run(*args, **kwargs)

    def run(self, *args, **kwargs):
        raise NotImplementedError
