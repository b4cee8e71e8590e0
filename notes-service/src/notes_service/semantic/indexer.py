"""Embeds notes in the background.

There are two loops. One follows the note events: each change is delivered to one replica by a durable consumer, and
redelivered until it is acknowledged. The other one, on one replica at a time, backfills older and missed notes: all
whose version is not the indexed one.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from hashlib import md5
from uuid import UUID

import structlog
from asyncpg.pool import Pool
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js import JetStreamContext
from pydantic import TypeAdapter, ValidationError

from contracts.ids import Id
from contracts.streams import NOTE_EVENTS, NOTE_INDEXERS
from contracts.user_events import NoteChanged
from notes_service.repository.connections import transaction
from notes_service.repository.embeddings import (
    TRY_BACKFILL_LOCK,
    EmbeddingRepository,
    NoteKey,
    NoteText,
    vector_literal,
)
from notes_service.semantic.chunks import chunks
from notes_service.semantic.model import EmbeddingsModel, ModelUnavailable, TextRefused, Vector
from servicekit.background import LoopHealth, attempt, in_background, repeat
from servicekit.error_logging import describe

log = structlog.stdlib.get_logger()

FOLLOW, BACKFILL = "semantic index", "semantic backfill"
BATCH_NOTES = 16
BATCH_CHUNKS = 32
MODEL_TIMEOUT_SECONDS = 30.0
"""The timeout of one request."""
DEBOUNCE_SECONDS = 2.0
"""A note is embedded once it has not changed for this long, and not after every pause in typing."""
RETRY_SECONDS = 10.0
BACKFILL_SECONDS = 3600.0
PULL_SECONDS = 5.0
_USER_ID = TypeAdapter[str](Id)
NIL_UUID = "00000000-0000-0000-0000-000000000000"


class SemanticIndexer:
    def __init__(self, nc: Client, pool: Pool, model: EmbeddingsModel, health: LoopHealth) -> None:
        self.js: JetStreamContext = nc.jetstream()
        self.pool = pool
        self.model = model
        self.health = health
        self.embeddings = EmbeddingRepository(pool)
        self.is_complete = False
        """The last backfill has covered all notes."""

    def running(self) -> AbstractAsyncContextManager[None]:
        return in_background(repeat(FOLLOW, self._follow, RETRY_SECONDS, self.health), self._backfill())

    async def _follow(self) -> None:
        """Returns when the model is unavailable; the changes stay in the stream."""
        subscription = await self.js.pull_subscribe_bind(NOTE_INDEXERS.name, NOTE_EVENTS.name)
        try:
            is_available = True
            while is_available:
                try:
                    messages = await subscription.fetch(BATCH_NOTES, PULL_SECONDS)
                except NatsTimeoutError:  # no change for a while
                    continue
                is_available = await self._take(messages)
                self.health.succeeded(FOLLOW)  # otherwise failures that are days apart would count as consecutive
        finally:
            await subscription.unsubscribe()

    async def _take(self, messages: Sequence[Msg]) -> bool:
        """Embeds the notes of these changes; those that are still being edited are redelivered later. False if the
        model is unavailable."""
        by_note: dict[NoteKey, list[Msg]] = {}
        for message in messages:
            try:
                key = _changed_note(message)
            except ValidationError as error:  # it would come back for ever, and no change behind it would be indexed
                log.error("invalid change dropped", subject=message.subject, error=describe(error))  # noqa: TRY400
                await message.term()
                continue
            by_note.setdefault(key, []).append(message)
        texts = await self.embeddings.texts(self.model.name, list(by_note))
        still_changing = {(text.user_id, text.id) for text in texts if text.age < DEBOUNCE_SECONDS}
        is_available = await self._index([text for text in texts if (text.user_id, text.id) not in still_changing])
        for key, of_note in by_note.items():
            for message in of_note:
                if not is_available:
                    await message.nak(RETRY_SECONDS)
                elif key in still_changing:
                    await message.nak(DEBOUNCE_SECONDS)
                else:
                    await message.ack()
        return is_available

    async def _backfill(self) -> None:
        while True:
            self.is_complete = False
            await attempt(BACKFILL, self._backfill_once, self.health)
            await asyncio.sleep(BACKFILL_SECONDS if self.is_complete else RETRY_SECONDS)

    async def _backfill_once(self) -> None:
        """Indexes all notes, a few per transaction, so that another replica can continue after a crash. Returns early
        if the model is unavailable or another replica is doing it."""
        after = (NIL_UUID, NIL_UUID)
        while True:
            async with transaction(self.pool) as db:
                if not await db.fetchval(*TRY_BACKFILL_LOCK()):
                    return
                keys = await self.embeddings.not_indexed(self.model.name, after, BATCH_NOTES)
                if not keys:
                    self.is_complete = True
                    return
                if not await self._index(await self.embeddings.texts(self.model.name, keys)):
                    return
                after = keys[-1]

    async def _index(self, texts: Sequence[NoteText]) -> bool:
        """False if the model is unavailable. A note whose text the model refuses is skipped."""
        try:
            new = [text for text in texts if text.indexed_version != text.version and not await self._is_same(text)]
            try:
                await self._embed(new)
            except TextRefused:
                for text in new:
                    await self._embed_alone(text)
        except ModelUnavailable as error:
            log.warning("the embeddings model is unavailable", error=describe(error))
            return False
        return True

    async def _is_same(self, text: NoteText) -> bool:
        """Whether the same text is indexed already, from an earlier version of the note."""
        if text.indexed_digest != _digest(text):
            return False
        await self.embeddings.set_version(text)
        return True

    async def _embed_alone(self, text: NoteText) -> None:
        try:
            await self._embed([text])
        except TextRefused as error:
            log.warning("the embeddings model refuses a note", note_id=text.id, error=describe(error))

    async def _embed(self, texts: Sequence[NoteText]) -> None:
        chunks_of = [chunks(text.title, text.tags, text.body) for text in texts]
        vectors = iter(await self._vectors([chunk.text for of_text in chunks_of for chunk in of_text]))
        for text, of_text in zip(texts, chunks_of, strict=True):
            literals = await asyncio.to_thread(_literals, [next(vectors) for _ in of_text])
            starts = [chunk.start for chunk in of_text]
            await self.embeddings.replace(text, self.model.name, _digest(text), starts, literals)

    async def _vectors(self, texts: Sequence[str]) -> list[Vector]:
        """Requests a few at a time, because a model on a small machine is slow."""
        return [
            vector
            for start in range(0, len(texts), BATCH_CHUNKS)
            for vector in await self.model.vectors(texts[start : start + BATCH_CHUNKS], MODEL_TIMEOUT_SECONDS)
        ]


def _changed_note(message: Msg) -> NoteKey:
    """Raises `ValidationError` for a message that is no change of a note of a user."""
    return _USER_ID.validate_python(message.subject.split(".")[1]), NoteChanged.model_validate_json(message.data).id


def _literals(vectors: Sequence[Vector]) -> list[str]:
    """In a thread: those of a long note are 25,000 numbers."""
    return [vector_literal(vector) for vector in vectors]


def _digest(text: NoteText) -> UUID:
    """Equal for two versions of a note with the same text, title and tags."""
    whole = "\0".join((text.title, *text.tags, "", text.body))
    return UUID(bytes=md5(whole.encode(), usedforsecurity=False).digest())
