"""Semantic search: notes that are similar in meaning to the query. It delays a search briefly, and never fails it."""

import re
import time
from collections import OrderedDict

import asyncpg
import structlog

from notes_service.repository import SearchMatch
from notes_service.repository.embeddings import EmbeddingRepository, vector_literal
from notes_service.semantic.model import EmbeddingsModel, ModelUnavailable, TextRefused
from servicekit.error_logging import describe

log = structlog.stdlib.get_logger()

TIMEOUT_SECONDS = 0.8
"""How long a search waits for the model."""
COOLDOWN_SECONDS = 10.0
"""Circuit breaker: after the model has failed, searches do not use it for this long."""
CACHED_QUERIES = 200
MIN_CHARACTERS = 3
MIN_SIMILARITY = 0.8
"""Relative to the most similar note. The similarity of unrelated texts differs from model to model, so that no fixed
threshold is possible."""
MEANS_WORDS = re.compile(r"[\"“”„]|(?:^|\s)-\w|\sor\s", re.IGNORECASE)
"""Queries with quotes, minus or `or` are about the words themselves."""


class SemanticSearch:
    def __init__(self, model: EmbeddingsModel, embeddings: EmbeddingRepository) -> None:
        self.model = model
        self.embeddings = embeddings
        self.vectors: OrderedDict[str, str] = OrderedDict()
        self.closed_until = 0.0

    async def find(self, user_id: str, typed: str, limit: int) -> list[SearchMatch]:
        """The notes most similar to the query, best first; empty if the model does not answer in time."""
        text = typed.strip()
        if len(text) < MIN_CHARACTERS or MEANS_WORDS.search(text) or time.monotonic() < self.closed_until:
            return []
        try:
            matches = await self.embeddings.nearest(user_id, self.model.name, await self._vector(text), limit)
        except (ModelUnavailable, TextRefused) as error:
            self.closed_until = time.monotonic() + COOLDOWN_SECONDS
            log.warning("search by words alone", error=describe(error))
            return []
        except asyncpg.DataError as error:  # the model's vectors have another length than those in the index
            log.warning("search by words alone", error=describe(error))
            return []
        return [match for match in matches if match.rank >= MIN_SIMILARITY * matches[0].rank]

    async def _vector(self, text: str) -> str:
        """From a cache of the last queries, or from the model."""
        if text not in self.vectors:
            (vector,) = await self.model.vectors([text], TIMEOUT_SECONDS)
            self.vectors[text] = vector_literal(vector)
            if len(self.vectors) > CACHED_QUERIES:
                self.vectors.popitem(last=False)
        return self.vectors[text]
