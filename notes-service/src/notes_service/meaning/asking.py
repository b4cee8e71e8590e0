"""What a search means, and the notes that come near it. It never keeps a search waiting for long, nor makes it fail."""

import re
import time
from collections import OrderedDict

import asyncpg
import structlog

from notes_service.meaning.model import EmbeddingsModel, ModelAway, TextRefused
from notes_service.repository import Found
from notes_service.repository.meanings import Meanings, written

log = structlog.stdlib.get_logger()

ANSWER_SECONDS = 0.8
"""A search waits so long for the model at most."""
SILENT_SECONDS = 10.0
"""After it did not answer, searches do without it for so long."""
QUERIES_KEPT = 200
SHORTEST_CHARACTERS = 3
NEAR = 0.8
"""Notes count that are at least so much like the search as the one most like it. How alike texts are that have nothing
in common differs from model to model, so no fixed bound would do."""
EXACTLY = re.compile(r"[\"“”„]|(?:^|\s)-\w|\sor\s", re.IGNORECASE)
"""Who asks with quotes, minus or `or` means the words."""


class Meaning:
    def __init__(self, model: EmbeddingsModel, meanings: Meanings) -> None:
        self.model = model
        self.meanings = meanings
        self.queries: OrderedDict[str, str] = OrderedDict()
        self.silent_until = 0.0

    async def near(self, user_id: str, typed: str, limit: int) -> list[Found]:
        """The notes that are about what is typed, nearest first; none where the model does not say in time."""
        text = typed.strip()
        if len(text) < SHORTEST_CHARACTERS or EXACTLY.search(text) or time.monotonic() < self.silent_until:
            return []
        try:
            found = await self.meanings.near(user_id, self.model.name, await self._vector(text), limit)
        except (ModelAway, TextRefused) as error:
            self.silent_until = time.monotonic() + SILENT_SECONDS
            log.warning("search without meaning", error=str(error))
            return []
        except asyncpg.DataError as error:  # the server gives vectors of another length than it did
            log.warning("search without meaning", error=str(error))
            return []
        return [hit for hit in found if hit.rank >= NEAR * found[0].rank]

    async def _vector(self, text: str) -> str:
        if text not in self.queries:
            (vector,) = await self.model.vectors([text], ANSWER_SECONDS)
            self.queries[text] = written(vector)
            if len(self.queries) > QUERIES_KEPT:
                self.queries.popitem(last=False)
        return self.queries[text]
