"""A reviewer that answers asynchronously."""

import asyncio


class Reviewer:
    """Scores a text; longer titles score higher."""

    async def score(self, text):
        await asyncio.sleep(0)
        return len(text)

    async def accepts(self, text):
        score = self.score(text)
        return score > 3
