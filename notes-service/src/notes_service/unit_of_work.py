"""The unit of work of every write: one transaction, once per idempotency key, published after the commit."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from asyncpg.pool import Pool

from contracts.errors import VersionConflict
from contracts.notes import Note, NoteRequest, NoteWrite
from notes_service.quota import Quota
from notes_service.relay import Relay
from notes_service.repository import NoteTransaction, note_transaction


class UnitOfWork:
    """Opens the transactions of writes:

        async with unit_of_work(request) as tx:
            if tx.is_repeat:
                return await tx.first_result()
            note = await tx.note(request.id)
            return await tx.update(note, content)

    The block commits at its end, also by a `return`, and rolls back if it raises. What it wrote, the result for a
    repeat under the request's key, and the changes to publish are one transaction. A block that does not check
    `is_repeat` cannot write twice: the methods that write refuse.
    """

    def __init__(self, pool: Pool, relay: Relay, language: str, quota: Quota) -> None:
        self.pool = pool
        self.relay = relay
        self.language = language
        self.quota = quota

    @asynccontextmanager
    async def __call__(self, request: NoteRequest, quota: Quota | None = None) -> AsyncGenerator[NoteTransaction]:
        """`quota` replaces the service's own. The methods of `NoteTransaction` document their errors."""
        key = request.idempotency_key if isinstance(request, NoteWrite) else None
        async with note_transaction(self.pool, request.actor, self.language, quota or self.quota, key) as tx:
            yield tx
        if tx.has_changes:
            self.relay.wake(request.actor.user_id)


def check_version(note: Note, expected: int | None) -> None:
    """Raises `VersionConflict` if the current version is not the `expected` one. None accepts any."""
    if expected is not None and expected != note.version:
        raise VersionConflict(current=note.model_dump(mode="json"))
