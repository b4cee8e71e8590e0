"""Sets up semantic search: the model, the table, and the background indexer."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import structlog
from asyncpg.pool import Pool
from nats.aio.client import Client

from notes_service.repository.embeddings import EmbeddingRepository
from notes_service.semantic.indexer import SemanticIndexer
from notes_service.semantic.model import connected
from notes_service.semantic.search import SemanticSearch
from servicekit.background import LoopHealth

log = structlog.stdlib.get_logger()


@asynccontextmanager
async def semantic_search(
    nc: Client, pool: Pool, loops: LoopHealth, *, model: str, base_url: str | None, key: str | None
) -> AsyncGenerator[SemanticSearch | None]:
    """None, with a warning, if the database has no pgvector or no server for the model is configured."""
    embeddings = EmbeddingRepository(pool)
    reason = None
    if base_url is None and key is None:
        reason = "neither OPENAI_BASE_URL nor OPENAI_API_KEY is set"
    elif not await embeddings.prepare():
        reason = "the database has no extension `vector` in the schema public"
    if reason is not None:
        log.warning("search is by words alone", reason=reason)
        yield None
        return
    async with (
        connected(model, base_url, key) as embeddings_model,
        SemanticIndexer(nc, pool, embeddings_model, loops).running(),
    ):
        yield SemanticSearch(embeddings_model, embeddings)
