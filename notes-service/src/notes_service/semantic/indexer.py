"""Embeds notes in the background.

There are two loops. One follows the note events: each change is delivered to one replica by a durable consumer, and
redelivered until it is acknowledged. The other one, on one replica at a time, backfills older and missed notes: all
whose version is not the indexed one.

Both take turns among users, so that one user's thousands of notes keep nobody else's few waiting. The first has a
bounded number of changes waiting for each user, and leaves more of them to the second.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, suppress
from hashlib import md5
from uuid import UUID

import structlog
from asyncpg.pool import Pool
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
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
from notes_service.semantic.chunks import CHUNK_CHARACTERS, chunks
from notes_service.semantic.model import EmbeddingsModel, ModelUnavailable, TextRefused, Vector
from notes_service.semantic.pending_changes import PendingChanges
from servicekit.background import LoopHealth, attempt, in_background, repeat
from servicekit.error_logging import describe

log = structlog.stdlib.get_logger()

FOLLOW, BACKFILL = "semantic index", "semantic backfill"
BATCH_NOTES = 16
BATCH_CHUNKS = 32
BATCH_CHARACTERS = BATCH_CHUNKS * CHUNK_CHARACTERS
"""Of the notes of one turn: whoever comes meanwhile waits for these."""
MODEL_TIMEOUT_SECONDS = 30.0
"""The timeout of one request."""
DEBOUNCE_SECONDS = 2.0
"""A note is embedded once it has not changed for this long, and not after every pause in typing."""
RETRY_SECONDS = 10.0
BACKFILL_SECONDS = 3600.0
PULL_SECONDS = 5.0
FETCHED = 256
FETCH_SECONDS = 0.05
"""How long more changes are waited for while others wait to be embedded."""
KEEP_SECONDS = NOTE_INDEXERS.ack_wait / 3
"""How often the broker is told that changes are still waiting here."""
_USER_ID = TypeAdapter[str](Id)
NIL_UUID, MAX_UUID = "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"


class SemanticIndexer:
    def __init__(self, nc: Client, pool: Pool, model: EmbeddingsModel, health: LoopHealth) -> None:
        self.js: JetStreamContext = nc.jetstream()
        self.pool = pool
        self.model = model
        self.health = health
        self.embeddings = EmbeddingRepository(pool)
        self.is_complete = False
        """The last backfill has covered all notes."""
        self.pending = PendingChanges()
        self.kept_at = 0.0
        self.left_to_backfill = asyncio.Event()

    def running(self) -> AbstractAsyncContextManager[None]:
        return in_background(repeat(FOLLOW, self._follow, RETRY_SECONDS, self.health), self._backfill())

    async def _follow(self) -> None:
        """Returns when the model is unavailable; the changes stay in the stream."""
        subscription = await self.js.pull_subscribe_bind(NOTE_INDEXERS.name, NOTE_EVENTS.name)
        try:
            is_available = True
            while is_available:
                await self._fetch(subscription)
                is_available = await self._take()
                self.health.succeeded(FOLLOW)  # otherwise failures that are days apart would count as consecutive
        finally:
            with suppress(NatsError):
                for message in self.pending.messages:
                    await message.nak(RETRY_SECONDS)
            self.pending.clear()
            await subscription.unsubscribe()

    async def _fetch(self, subscription: JetStreamContext.PullSubscription) -> None:
        """All changes that are there; waits for one if none is pending."""
        while not self.pending.is_full:
            try:
                messages = await subscription.fetch(FETCHED, FETCH_SECONDS if self.pending else PULL_SECONDS)
            except NatsTimeoutError:  # no change for a while
                return
            for message in messages:
                await self._receive(message)
            if len(messages) < FETCHED:
                return

    async def _receive(self, message: Msg) -> None:
        try:
            key = _changed_note(message)
        except ValidationError as error:  # it would come back for ever, and no change behind it would be indexed
            log.error("invalid change dropped", subject=message.subject, error=describe(error))  # noqa: TRY400
            await message.term()
            return
        if not self.pending.add(key, message):
            self.left_to_backfill.set()
            await message.ack()

    async def _take(self) -> bool:
        """Embeds the next notes; those that are still being edited are redelivered later. False if the model is
        unavailable."""
        by_note = self.pending.take(BATCH_NOTES)
        if not by_note:
            return True
        turns = list(by_note)
        texts = await self.embeddings.texts(self.model.name, turns)
        texts.sort(key=lambda text: turns.index((text.user_id, text.id)))
        still_changing = {(text.user_id, text.id) for text in texts if text.age < DEBOUNCE_SECONDS}
        texts = [text for text in texts if (text.user_id, text.id) not in still_changing]
        characters = 0
        for count, text in enumerate(texts):
            characters += len(text.body)
            if count and characters > BATCH_CHARACTERS:
                self.pending.put_back((text.user_id, text.id), by_note.pop((text.user_id, text.id)))
        is_available = await self._index([text for text in texts if (text.user_id, text.id) in by_note])
        for key, of_note in by_note.items():
            for message in of_note:
                if not is_available:
                    await message.nak(RETRY_SECONDS)
                elif key in still_changing:
                    await message.nak(DEBOUNCE_SECONDS)
                else:
                    await message.ack()
        await self._keep_pending()
        return is_available

    async def _keep_pending(self) -> None:
        """Otherwise the broker would give them to another replica."""
        now = asyncio.get_running_loop().time()
        if now - self.kept_at >= KEEP_SECONDS:
            self.kept_at = now
            for message in self.pending.messages:
                await message.in_progress()

    async def _backfill(self) -> None:
        while True:
            self.is_complete = False
            self.left_to_backfill.clear()
            await attempt(BACKFILL, self._backfill_once, self.health)
            await asyncio.sleep(RETRY_SECONDS)
            if self.is_complete:
                with suppress(TimeoutError):
                    async with asyncio.timeout(BACKFILL_SECONDS):
                        await self.left_to_backfill.wait()

    async def _backfill_once(self) -> None:
        """Indexes all notes, a few per transaction, so that another replica can continue after a crash. Returns early
        if the model is unavailable or another replica is doing it.

        Each range is of notes that may be left, by user and id: first all of them, and later the rest of each user who
        had more than one turn's. A range goes behind the others after its turn.
        """
        ranges = deque([((NIL_UUID, NIL_UUID), (MAX_UUID, MAX_UUID))])
        while ranges:
            after, until = ranges.popleft()
            async with transaction(self.pool) as db:
                if not await db.fetchval(*TRY_BACKFILL_LOCK()):
                    return
                keys = await self.embeddings.not_indexed(self.model.name, after, until, BATCH_NOTES)
                if not await self._index(await self.embeddings.texts(self.model.name, keys)):
                    return
            if len(keys) < BATCH_NOTES:
                continue
            user_id, note_id = keys[-1]
            if keys[0][0] == user_id and until[0] != user_id:
                ranges.append(((user_id, note_id), (user_id, MAX_UUID)))
                note_id = MAX_UUID
            ranges.append(((user_id, note_id), until))
        self.is_complete = True

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
