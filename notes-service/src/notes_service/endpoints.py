"""Which request is answered by what; and the one edge where a database that is away becomes `ServiceUnavailable`."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TypeVar

import asyncpg
import structlog
from contracts.errors import ServiceUnavailable
from contracts.rpc import Handlers
from pydantic import BaseModel

from contracts import note_history, note_transfer, notes
from notes_service.history import NotesHistory
from notes_service.service import NotesService
from notes_service.transfers import Exports, ImportDesk

log = structlog.stdlib.get_logger()

ANSWER_SECONDS = 3.0
"""A caller waits for 5 s: what takes longer than this is given up while somebody still listens."""

AWAY = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the server went away in the middle of a prepare
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
)

Asked = TypeVar("Asked", bound=BaseModel)
Answered = TypeVar("Answered", bound=BaseModel)


def handlers(service: NotesService, history: NotesHistory, desk: ImportDesk, exports: Exports) -> Handlers:
    answers = Handlers()
    answers.add(notes.CREATE, _in_time(service.create))
    answers.add(notes.GET, _in_time(service.get))
    answers.add(notes.LIST, _in_time(service.page))
    answers.add(notes.SEARCH, _in_time(service.search))
    answers.add(notes.UPDATE, _in_time(service.update))
    answers.add(notes.DELETE, _in_time(service.delete))
    answers.add(notes.RESTORE, _in_time(service.restore))
    answers.add(notes.PURGE, _in_time(service.purge))
    answers.add(notes.OVERVIEW, _in_time(service.overview))
    answers.add(notes.CHANGES, _in_time(service.changes))
    answers.add(note_history.REVISIONS, _in_time(history.page))
    answers.add(note_history.REVISION, _in_time(history.one))
    answers.add(note_history.RESTORE_REVISION, _in_time(history.restore))
    answers.add(note_history.UNDO_RUN, _in_time(history.undo_run))
    answers.add(note_transfer.IMPORT_BEGIN, _in_time(desk.begin))
    answers.add(note_transfer.IMPORT_CHUNK, _in_time(desk.send))
    answers.add(note_transfer.IMPORT_START, _in_time(desk.start))
    answers.add(note_transfer.IMPORT_GET, _in_time(desk.status))
    answers.add(note_transfer.EXPORT, _in_time(exports.open))
    return answers


def _in_time(handler: Callable[[Asked], Awaitable[Answered]]) -> Callable[[Asked], Awaitable[Answered]]:
    @wraps(handler)
    async def answer(asked: Asked) -> Answered:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await handler(asked)
        except AWAY as error:
            if isinstance(error, ValueError):  # an argument that asyncpg cannot send: a mistake of ours
                raise
            log.warning("the database does not answer", error=repr(error))
            raise ServiceUnavailable from error

    return answer
