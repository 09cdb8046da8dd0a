"""The newsdesk agent: research, draft, review, publish."""

__version__ = "0.4.2"
