"""Stands between every text and the outside: finds credentials and takes them out."""

import re

PATTERNS = {
    "api key": re.compile(r"\bsk-[A-Za-z0-9]{16,}\b"),
    "access key": re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
    "password": re.compile(r"(?i)\bpassword\s*[:=]\s*\S+"),
}
PLACEHOLDER = "[removed]"


class OutputSanitizer:
    """Detects and removes credentials."""

    def __init__(self, patterns=None):
        self.patterns = dict(patterns or PATTERNS)

    def contains_secrets(self, text):
        """Whether any known kind of credential is in the text."""
        return any(pattern.search(text) for pattern in self.patterns.values())

    def kinds(self, text):
        """Names of the kinds of credentials that are in the text."""
        return [name for name, pattern in self.patterns.items() if pattern.search(text)]

    def sanitize(self, text):
        """The text with every credential replaced."""
        for pattern in self.patterns.values():
            text = pattern.sub(PLACEHOLDER, text)
        return text
