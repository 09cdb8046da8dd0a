"""Reviews drafts, several at a time."""

import asyncio

from agent.sub_agents.base import SubAgent


class Review:
    """What the reviewer thinks of a draft."""

    def __init__(self, score, remarks):
        self.score = score
        self.remarks = remarks


class Reviewer(SubAgent):
    """Reads drafts; asynchronous, because a real one waits for a model."""

    name = "reviewer"

    async def review(self, draft):
        await asyncio.sleep(0)
        remarks = [line for line in draft.splitlines() if len(line) > 80]
        return self.done(Review(score=10 - len(remarks), remarks=remarks))

    async def accept(self, draft, threshold=7):
        """Whether the draft is good enough to go out."""
        review = self.review(draft)
        return review.score >= threshold
