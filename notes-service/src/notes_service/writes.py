"""How every write is done: in one transaction, once for each idempotency key, and then told to the tabs."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from asyncpg.pool import Pool

from contracts.actor import Actor
from contracts.errors import VersionConflict
from contracts.notes import Note, NoteWrite
from notes_service.quota import Quota
from notes_service.relay import Relay
from notes_service.repository import Writing, writing


class Writes:
    def __init__(self, pool: Pool, relay: Relay, language: str, quota: Quota) -> None:
        self.pool = pool
        self.relay = relay
        self.language = language
        self.quota = quota

    @asynccontextmanager
    async def open(self, actor: Actor, quota: Quota | None = None) -> AsyncGenerator[Writing]:
        """The user's transaction. What was saved in it is published when it has ended."""
        async with writing(self.pool, actor, self.language, quota or self.quota) as write:
            yield write
        if write.saved:
            self.relay.wake(actor.user_id)

    async def once(self, asked: NoteWrite, write: Callable[[Writing], Awaitable[Note]]) -> Note:
        """A repeated key is answered with what the first write under it was answered with."""
        async with self.open(asked.actor) as opened:
            if (before := await opened.remembered(asked.idempotency_key)) is not None:
                return before
            note = await write(opened)
            await opened.remember(asked.idempotency_key, note)
        return note


def expect(note: Note, version: int | None) -> None:
    """Raises `VersionConflict` where the writer saw another version than there is."""
    if version is not None and version != note.version:
        raise VersionConflict(current=note.model_dump(mode="json"))
