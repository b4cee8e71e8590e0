"""What may be done with notes: the rules, beside the limits that the contracts hold.

A write knows who acts, never through what: a person's form, the assistant's tool and a program's request are alike.
"""

import asyncio
from dataclasses import replace
from typing import Protocol

from asyncpg.pool import Pool

from contracts import notes
from contracts.errors import NotFound
from contracts.ids import new_id
from contracts.notes import Note
from contracts.operation import Empty
from notes_service import snippets
from notes_service.draft import Draft
from notes_service.meaning.merging import merged
from notes_service.page_cursor import Position, decode
from notes_service.query import fold_query, marks_in
from notes_service.repository import Changes, Found, Reading, Searching, Writing
from notes_service.writes import Writes, expect

EDITABLE = {"title", "body", "tags", "pinned", "archived"}


class Meaning(Protocol):
    """Finds notes by what they are about; see `notes_service.meaning`."""

    async def near(self, user_id: str, typed: str, limit: int) -> list[Found]: ...


class NotesService:
    def __init__(self, pool: Pool, writes: Writes, meaning: Meaning | None = None) -> None:
        self.writes = writes
        self.meaning = meaning
        self.reading = Reading(pool)
        self.searching = Searching(pool, writes.language)
        self.feed = Changes(pool)

    async def create(self, asked: notes.CreateNote) -> Note:
        draft = Draft(new_id(), asked.title, asked.body, asked.tags)
        return await self.writes.once(asked, lambda write: write.save("create", draft))

    async def update(self, asked: notes.UpdateNote) -> Note:
        """With nothing new in it the note stays at its version. A note in the trash is `NotFound`: nobody would see
        the change."""

        async def update(write: Writing) -> Note:
            note = await write.note(asked.id)
            if note.deleted_at is not None:
                raise NotFound("This note is in the trash. Restore it first.")
            expect(note, asked.expected_version)
            draft = Draft.of(note)
            wanted = replace(draft, **asked.model_dump(include=EDITABLE, exclude_unset=True))
            if wanted == draft:
                return note
            return await write.save("update", wanted, note, joins=_by_hand(asked))

        return await self.writes.once(asked, update)

    async def delete(self, asked: notes.DeleteNote) -> Note:
        async def delete(write: Writing) -> Note:
            note = await write.note(asked.id)
            if note.deleted_at is not None:
                return note
            expect(note, asked.expected_version)
            return await write.save("delete", Draft.of(note), note)

        return await self.writes.once(asked, delete)

    async def restore(self, asked: notes.RestoreNote) -> Note:
        async def restore(write: Writing) -> Note:
            note = await write.note(asked.id)
            if note.deleted_at is None:
                return note
            expect(note, asked.expected_version)
            return await write.save("restore", Draft.of(note), note)

        return await self.writes.once(asked, restore)

    async def purge(self, asked: notes.PurgeNote) -> Empty:
        """Repeated under its key it finds nothing to do; without one it is `NotFound`, as there is no such note."""
        async with self.writes.open(asked.actor) as write:
            if not await write.is_known(asked.idempotency_key):
                note = await write.note(asked.id)
                expect(note, asked.expected_version)
                await write.purge([note.id])
                await write.remember(asked.idempotency_key, note)
        return Empty()

    async def get(self, asked: notes.GetNote) -> Note:
        """Also from the trash, with `deleted_at` set."""
        return await self.reading.note(asked.actor.user_id, asked.id)

    async def page(self, asked: notes.ListNotes) -> notes.NotePage:
        after = decode(asked.cursor, asked.sort) if asked.cursor is not None else None
        found = await self.reading.page(asked, after)
        shown = found[: asked.limit]
        has_more = len(found) > len(shown)
        return notes.NotePage(
            notes=shown, next_cursor=Position.of(shown[-1], asked.sort).encode() if has_more else None
        )

    async def search(self, asked: notes.SearchNotes) -> notes.SearchResults:
        query = fold_query(asked.q)
        user_id = asked.actor.user_id
        if self.meaning is None:
            found = await self.searching.find(user_id, query, asked.limit)
        else:
            by_words, by_meaning = await asyncio.gather(
                self.searching.find(user_id, query, asked.limit), self.meaning.near(user_id, asked.q, asked.limit)
            )
            found = _together(by_words, by_meaning)[: asked.limit]
        return notes.SearchResults(results=await self._with_snippets(query, marks_in(asked.q), found))

    async def overview(self, asked: notes.GetOverview) -> notes.NotesOverview:
        return await self.reading.overview(asked.actor.user_id, asked.newest)

    async def changes(self, asked: notes.ListChanges) -> notes.ChangeFeed:
        if asked.since is None:
            return notes.ChangeFeed(changes=[], cursor=await self.feed.newest(asked.actor.user_id))
        return await self.feed.since(asked.actor.user_id, asked.since, asked.limit)

    async def _with_snippets(self, query: str, marks: list[str], found: list[Found]) -> list[notes.SearchHit]:
        """The part of the body that matches; where none does, the title; where that does not either, the beginning."""
        bodies = [snippets.searchable(hit.body) for hit in found]
        titles = [snippets.searchable(hit.note.title) for hit in found]
        headlines = await self.searching.headlines(query, bodies + titles, snippets.START, snippets.STOP)
        in_bodies, in_titles = headlines[: len(found)], headlines[len(found) :]
        return [
            notes.SearchHit(
                note=hit.note,
                rank=hit.rank,
                snippet=snippets.snippet(hit.body, in_body, marks)
                or snippets.snippet(hit.note.title, in_title, marks)
                or snippets.beginning(hit.body),
            )
            for hit, in_body, in_title in zip(found, in_bodies, in_titles, strict=True)
        ]


def _by_hand(asked: notes.UpdateNote) -> bool:
    """A person's edit, which may be one of a burst. What the assistant or a program does is always a version."""
    return asked.actor.kind == "user" and asked.actor.run_id is None


def _together(by_words: list[Found], by_meaning: list[Found]) -> list[Found]:
    """Where both found a note, it is shown by its words."""
    if not by_meaning:
        return by_words
    hits = {hit.note.id: hit for hit in (*by_meaning, *by_words)}
    scores = merged([hit.note.id for hit in by_words], [hit.note.id for hit in by_meaning])
    return [replace(hits[id_], rank=score) for id_, score in scores.items()]
