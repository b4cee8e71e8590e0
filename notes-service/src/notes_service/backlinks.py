"""Which notes link to a note."""

import re

from asyncpg.pool import Pool

from contracts.errors import ValidationFailed
from contracts.ids import UUID_PATTERN
from contracts.note_links import ListBacklinks
from contracts.notes import NotePage
from notes_service.repository.links import Links


class Backlinks:
    def __init__(self, pool: Pool) -> None:
        self.links = Links(pool)

    async def page(self, asked: ListBacklinks) -> NotePage:
        """Raises `NotFound`."""
        found = await self.links.to(asked.actor.user_id, asked.id, _id(asked.cursor), asked.limit + 1)
        shown = found[: asked.limit]
        return NotePage(notes=shown, next_cursor=shown[-1].id if len(found) > len(shown) else None)


def _id(cursor: str | None) -> str | None:
    if cursor is not None and not re.fullmatch(UUID_PATTERN, cursor):
        raise ValidationFailed(errors=[{"field": "cursor", "message": "is not where a page of these notes ends"}])
    return cursor
