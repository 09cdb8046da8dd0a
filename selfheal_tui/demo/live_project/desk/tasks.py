"""The kinds of work that the agent does; each task has a number and a kind."""

from desk import writing
from desk.memory import Notes
from desk.review import Reviewer
from desk.sources import Archive

KINDS = ("headline", "topic", "checksum", "slug", "note", "review")


class Desk:
    """Works on one task at a time; may be used from several threads."""

    def __init__(self):
        self.archive = Archive()
        self.notes = Notes()
        self.reviewer = Reviewer()

    def work(self, kind, number):
        """Work that may run in a thread."""
        article = self.archive.article(number)
        if kind == "headline":
            return writing.headline(article)
        if kind == "topic":
            return len(self.archive.search_by_topic(article["topics"][0]))
        if kind == "checksum":
            return writing.checksum(article["title"])
        if kind == "slug":
            return writing.slug(article)
        if kind == "note":
            self.notes.remember(article["topics"][0] + str(number))
            return sorted(self.notes.ages)
        raise ValueError(f"unknown kind of task: {kind}")

    async def work_async(self, kind, number):
        """Work that belongs into the event loop."""
        return await self.reviewer.accepts(self.archive.article(number)["title"])
