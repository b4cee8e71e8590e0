"""Opens search by meaning: the model, the table, and the work in the background."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import structlog
from asyncpg.pool import Pool
from nats.aio.client import Client

from notes_service.meaning.asking import Meaning
from notes_service.meaning.learning import Learning
from notes_service.meaning.model import connected
from notes_service.repository.meanings import Meanings

log = structlog.stdlib.get_logger()


@asynccontextmanager
async def opened(
    nc: Client, pool: Pool, model: str, base_url: str | None, key: str | None
) -> AsyncGenerator[Meaning | None]:
    """None, and a line of log, where the database has no pgvector, or there is nobody to ask."""
    meanings = Meanings(pool)
    reason = None
    if base_url is None and key is None:
        reason = "neither OPENAI_BASE_URL nor OPENAI_API_KEY is set"
    elif not await meanings.prepare():
        reason = "the database has no extension `vector` in the schema public"
    if reason is not None:
        log.warning("search is by words alone", reason=reason)
        yield None
        return
    async with connected(model, base_url, key) as embeddings, Learning(nc, pool, embeddings).running():
        yield Meaning(embeddings, meanings)
