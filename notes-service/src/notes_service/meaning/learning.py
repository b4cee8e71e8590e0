"""Learns what notes mean, in the background: each change as the note events tell of it, the work shared by all
replicas; and, by one of them, what was there before or was missed."""

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

from contracts.streams import NOTE_EVENTS, NOTE_INDEXERS
from contracts.user_events import NoteChanged
from notes_service.meaning.model import EmbeddingsModel, ModelAway, TextRefused, Vector
from notes_service.meaning.pieces import pieces
from notes_service.repository.connections import transaction
from notes_service.repository.meanings import MINE, Meanings, Text, written
from servicekit.background import in_background
from servicekit.streams import ensure_consumer

log = structlog.stdlib.get_logger()

NOTES_AT_ONCE = 16
PIECES_AT_ONCE = 32
LEARN_SECONDS = 30.0
"""For the pieces in one request."""
QUIET_SECONDS = 2.0
"""A note is learnt when nobody has changed it for so long: not after every pause in somebody's typing."""
AWAY_SECONDS = 10.0
LOOK_SECONDS = 3600.0
PULL_SECONDS = 5.0
FIRST = "00000000-0000-0000-0000-000000000000"

Key = tuple[str, str]
"""A user and a note of theirs."""


class Learning:
    def __init__(self, nc: Client, pool: Pool, model: EmbeddingsModel) -> None:
        self.js: JetStreamContext = nc.jetstream()
        self.pool = pool
        self.model = model
        self.meanings = Meanings(pool)

    def running(self) -> AbstractAsyncContextManager[None]:
        return in_background(self._follow(), self._catch_up())

    async def _follow(self) -> None:
        while True:
            try:
                await self._pull()
            except Exception as error:  # whatever it is, the changes are still in the stream
                log.warning("cannot follow the notes", error=repr(error))
            await asyncio.sleep(AWAY_SECONDS)

    async def _pull(self) -> None:
        """Ends while the model is away; the changes wait in the stream."""
        await ensure_consumer(self.js, NOTE_INDEXERS)
        subscription = await self.js.pull_subscribe_bind(NOTE_INDEXERS.name, NOTE_EVENTS.name)
        try:
            works = True
            while works:
                try:
                    messages = await subscription.fetch(NOTES_AT_ONCE, PULL_SECONDS)
                except NatsTimeoutError:
                    continue
                works = await self._take(messages)
        finally:
            await subscription.unsubscribe()

    async def _take(self, messages: Sequence[Msg]) -> bool:
        """False where the model is away."""
        by_note: dict[Key, list[Msg]] = {}
        for message in messages:
            change = NoteChanged.model_validate_json(message.data)
            by_note.setdefault((message.subject.split(".")[1], change.id), []).append(message)
        texts = await self.meanings.texts(self.model.name, list(by_note))
        hurried = {(text.user_id, text.id) for text in texts if text.age < QUIET_SECONDS}
        works = await self._learn([text for text in texts if (text.user_id, text.id) not in hurried])
        for key, told in by_note.items():
            for message in told:
                if not works:
                    await message.nak(AWAY_SECONDS)
                elif key in hurried:
                    await message.nak(QUIET_SECONDS)
                else:
                    await message.ack()
        return works

    async def _catch_up(self) -> None:
        while True:
            try:
                whole = await self._look()
            except Exception as error:  # whatever it is, the notes are still there
                log.warning("cannot look for notes to learn", error=repr(error))
                whole = False
            await asyncio.sleep(LOOK_SECONDS if whole else AWAY_SECONDS)

    async def _look(self) -> bool:
        """Once over all notes, a few at a time, so that any replica may go on where one died. False where the model is
        away, or another replica is at it."""
        after: Key = (FIRST, FIRST)
        while True:
            async with transaction(self.pool) as db:
                if not await db.fetchval(MINE):
                    return False
                keys = await self.meanings.unlearnt(self.model.name, after, NOTES_AT_ONCE)
                if not keys:
                    return True
                if not await self._learn(await self.meanings.texts(self.model.name, keys)):
                    return False
                after = keys[-1]

    async def _learn(self, texts: Sequence[Text]) -> bool:
        """False where the model is away; a note whose text it refuses is passed over."""
        try:
            new = [text for text in texts if text.learnt != text.version and not await self._is_known(text)]
            try:
                await self._ask(new)
            except TextRefused:
                for text in new:
                    await self._ask_for_one(text)
        except ModelAway as error:
            log.warning("the embeddings model does not answer", error=str(error))
            return False
        return True

    async def _is_known(self, text: Text) -> bool:
        if text.digest != _digest(text):
            return False
        await self.meanings.same(text)
        return True

    async def _ask_for_one(self, text: Text) -> None:
        try:
            await self._ask([text])
        except TextRefused as error:
            log.warning("the embeddings model refuses a note", note_id=text.id, error=str(error))

    async def _ask(self, texts: Sequence[Text]) -> None:
        of_each = [pieces(text.title, text.tags, text.body) for text in texts]
        asked = [piece.text for found in of_each for piece in found]
        vectors = iter(await self._vectors(asked))
        for text, found in zip(texts, of_each, strict=True):
            its = [written(next(vectors)) for _ in found]
            await self.meanings.keep(text, self.model.name, _digest(text), [piece.start for piece in found], its)

    async def _vectors(self, texts: Sequence[str]) -> list[Vector]:
        """A few at a time: a small machine takes a while for each."""
        return [
            vector
            for start in range(0, len(texts), PIECES_AT_ONCE)
            for vector in await self.model.vectors(texts[start : start + PIECES_AT_ONCE], LEARN_SECONDS)
        ]


def _digest(text: Text) -> UUID:
    """Tells whether a version has another text than the one that was learnt."""
    whole = "\0".join((text.title, *text.tags, "", text.body))
    return UUID(bytes=md5(whole.encode(), usedforsecurity=False).digest())
