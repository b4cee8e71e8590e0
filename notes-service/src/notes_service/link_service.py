"""Requests about links: where they lead, which notes link to a note, and rewriting the links to a renamed one."""

import asyncio
import re
from typing import Any

from asyncpg.pool import Pool

from contracts.errors import ValidationFailed
from contracts.ids import UUID_PATTERN
from contracts.note_links import (
    LinkedNote,
    ListBacklinks,
    RelinkedNotes,
    RelinkNotes,
    ResolvedLinks,
    ResolveLinks,
)
from contracts.notes import NotePage, NoteRequest
from notes_service.link_names import NamedNote, resolved, wanted_names
from notes_service.links import Link, link_target
from notes_service.relinking import broken_links, links_with, relink
from notes_service.repository import note_columns
from notes_service.repository.connections import connection
from notes_service.repository.links import LinkingNote, keys_of, linking_notes, named_note, notes_by_name
from notes_service.unit_of_work import UnitOfWork

ROUNDS_MAX = 10
"""Times that further candidates are looked for, before a page ends that is not full."""


class LinkService:
    def __init__(self, pool: Pool, unit_of_work: UnitOfWork) -> None:
        self.pool = pool
        self.unit_of_work = unit_of_work

    async def resolve(self, request: ResolveLinks) -> ResolvedLinks:
        """Raises `NotFound` if there is no such note as the source."""
        user_id = request.actor.user_id
        targets = [link_target(text) for text in request.links]
        async with connection(self.pool) as db:
            source = None if request.source_id is None else (await named_note(db, user_id, request.source_id)).path
            names = {name for target in targets if target for name in wanted_names(target, source)}
            by_name = await notes_by_name(db, user_id, names)
        found = [target and resolved(target, source, by_name) for target in targets]
        return ResolvedLinks(notes=[LinkedNote(id=one.note.id, title=one.note.title) if one else None for one in found])

    async def backlinks(self, request: ListBacklinks) -> NotePage:
        """A page may have fewer notes than wanted, or none, and still not be the last. Raises `NotFound`."""
        user_id, below = request.actor.user_id, _note_id(request.cursor)
        found: list[LinkingNote] = []
        async with connection(self.pool) as db:
            note = await named_note(db, user_id, request.id)
            former = note.renamed(request.former_title) if request.former_title else None
            keys = former.keys() - note.keys() if former else await keys_of(db, user_id, note)
            for _ in range(ROUNDS_MAX):
                linking = await linking_notes(db, user_id, keys, below, request.limit + 1)
                below = linking[-1].id if len(linking) > request.limit else None
                if former:
                    leading = await broken_links(db, user_id, former, note, linking)
                else:
                    leading = await _leading_to(db, user_id, note, keys, linking)
                found += [one for one in leading if one.id != note.id]
                if below is None or len(found) > request.limit:
                    break
        page = found[: request.limit]
        next_cursor = page[-1].id if len(found) > len(page) else below
        return NotePage(notes=note_columns.note_summaries(one.summary for one in page), next_cursor=next_cursor)

    async def relink(self, request: RelinkNotes) -> RelinkedNotes:
        """A repeat rewrites what is left: nothing, where the first attempt was completed. Raises `NotFound`."""
        async with self.unit_of_work(NoteRequest(actor=request.actor)) as tx:
            note = await named_note(tx.db, request.actor.user_id, request.id)
            former = note.renamed(request.former_title)
            done = await relink(tx, former, below=_note_id(request.cursor), only_broken=True)
        return RelinkedNotes(updated=done.updated, next_cursor=done.next_cursor)


async def _leading_to(
    db: Any, user_id: str, note: NamedNote, keys: set[str], linking: list[LinkingNote]
) -> list[LinkingNote]:
    found = await asyncio.to_thread(links_with, keys, linking)
    names = {name for one, links in found for link in links for name in wanted_names(link.target, one.path)}
    by_name = await notes_by_name(db, user_id, names)
    for key in keys:  # a note in the trash is not found by its names, and has its backlinks for when it comes back
        of_key = by_name.setdefault(key, [])
        if all(one.id != note.id for one, _ in of_key):
            of_key.append((note, False))

    def leads_here(link: Link, source: str | None) -> bool:
        leading = resolved(link.target, source, by_name)
        return leading is not None and leading.note.id == note.id

    return [one for one, links in found if any(leads_here(link, one.path) for link in links)]


def _note_id(cursor: str | None) -> str | None:
    if cursor is not None and not re.fullmatch(UUID_PATTERN, cursor):
        raise ValidationFailed(errors=[{"field": "cursor", "message": "is not where a page of these notes ends"}])
    return cursor
