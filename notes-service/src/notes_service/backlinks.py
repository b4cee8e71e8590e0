"""Backlinks: the notes that link to a note."""

import re

from asyncpg.pool import Pool

from contracts.errors import ValidationFailed
from contracts.ids import UUID_PATTERN
from contracts.note_links import ListBacklinks
from contracts.notes import NotePage
from notes_service.repository.links import LinkRepository


class BacklinkService:
    def __init__(self, pool: Pool) -> None:
        self.links = LinkRepository(pool)

    async def page(self, request: ListBacklinks) -> NotePage:
        """Raises `NotFound`."""
        below = _note_id(request.cursor)
        found = await self.links.linking_to(request.actor.user_id, request.id, below, request.limit + 1)
        page = found[: request.limit]
        return NotePage(notes=page, next_cursor=page[-1].id if len(found) > len(page) else None)


def _note_id(cursor: str | None) -> str | None:
    if cursor is not None and not re.fullmatch(UUID_PATTERN, cursor):
        raise ValidationFailed(errors=[{"field": "cursor", "message": "is not where a page of these notes ends"}])
    return cursor
