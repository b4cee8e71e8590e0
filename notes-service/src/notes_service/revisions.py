"""The earlier versions of a note, and restoring one of them."""

from asyncpg.pool import Pool

from contracts.errors import NotFound, ValidationFailed
from contracts.note_history import GetRevision, ListRevisions, RestoreRevision, Revision, RevisionPage
from contracts.notes import Note, NoteContent
from notes_service.repository.revisions import RevisionRepository, stored_revision
from notes_service.unit_of_work import UnitOfWork, check_version

ABOVE_ALL_VERSIONS = 2**31 - 1
STAYS_ON_RESTORE = ("pinned", "archived")
"""Fields that are not restored: they say where the current note is shown."""


class RevisionService:
    def __init__(self, pool: Pool, unit_of_work: UnitOfWork) -> None:
        self.revisions = RevisionRepository(pool)
        self.unit_of_work = unit_of_work

    async def page(self, request: ListRevisions) -> RevisionPage:
        """Newest first. Raises `NotFound` if there is no such note."""
        below = _version(request.cursor) if request.cursor is not None else ABOVE_ALL_VERSIONS
        found = await self.revisions.page(request.actor.user_id, request.id, below, request.limit + 1)
        if not found and request.cursor is None:
            raise NotFound("There is no such note.")
        page = found[: request.limit]
        return RevisionPage(revisions=page, next_cursor=str(page[-1].version) if len(found) > len(page) else None)

    async def revision(self, request: GetRevision) -> Revision:
        return await self.revisions.revision(request.actor.user_id, request.id, request.version)

    async def restore(self, request: RestoreRevision) -> Note:
        """Writes everything but `STAYS_ON_RESTORE` as a new version. Raises `NotFound` for a note in the trash, like
        any other change."""
        async with self.unit_of_work(request) as tx:
            if tx.is_repeat:
                return await tx.first_result()
            note = await tx.note(request.id)
            if note.deleted_at is not None:
                raise NotFound("This note is in the trash. Restore it first.")
            check_version(note, request.expected_version)
            stored = await stored_revision(tx.db, request.actor.user_id, request.id, request.version)
            if stored is None:
                raise NotFound("There is no such version of this note.")
            now = NoteContent.of(note)
            content = NoteContent.of(stored.revision).model_copy(update=now.model_dump(include={*STAYS_ON_RESTORE}))
            return note if content == now else await tx.update(note, content)


def _version(cursor: str) -> int:
    if cursor.isascii() and cursor.isdecimal() and len(cursor) < 10:
        return int(cursor)
    raise ValidationFailed(errors=[{"field": "cursor", "message": "is not where a page of this history ends"}])
