"""Turns articles into texts."""


def headline(article):
    """Title and length in one line."""
    return article["title"] + ", " + article["words"] + " words"


def checksum(text):
    """A short mark by which an edition is told from another."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:12]


def slug(article):
    """Title as it stands in an address."""
    return "-".join(article["titel"].lower().split())
