"""Requests about notes: reading, writing and searching them. The limits of a note are in `contracts.notes`.

A write has an actor, but is otherwise independent of its source: a form, a tool of the assistant and an API client are
treated alike.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from asyncpg.pool import Pool

from contracts import notes
from contracts.actor import ActorKind
from contracts.errors import NotFound
from contracts.ids import new_id
from contracts.notes import Note, NoteContent
from contracts.operation import Empty
from notes_service import snippets
from notes_service.page_cursor import Position, decode
from notes_service.relinking import relink
from notes_service.repository import ChangeRepository, NoteRepository, Ranking, SearchMatch, SearchRepository
from notes_service.repository.links import named_note
from notes_service.repository.trash import PURGE_BATCH, in_trash
from notes_service.search_query import highlighted_terms, normalize_query
from notes_service.semantic.rank_fusion import fuse_rankings
from notes_service.unit_of_work import UnitOfWork, check_version
from servicekit.fair_share import FairShare

if TYPE_CHECKING:  # it needs an HTTP client, which is loaded only where there is an embeddings model
    from notes_service.semantic.search import SemanticSearch


SEARCHES, SEARCHES_OF_USER = 4, 1
"""Under way at a time, in all and of one user: a search may keep one core of the database busy."""
FOUND_BY_MEANING = 50
"""The most similar notes that are added to those found by words."""
RELINKING: tuple[ActorKind, ...] = ("agent", "mcp")
"""Who renames notes in one step. Further notes than those of one transaction follow in requests of their own."""


class NotesService:
    def __init__(self, pool: Pool, unit_of_work: UnitOfWork, semantic: SemanticSearch | None = None) -> None:
        self.unit_of_work = unit_of_work
        self.searches = FairShare(SEARCHES, SEARCHES_OF_USER)
        self.semantic = semantic
        self.notes = NoteRepository(pool)
        self.full_text = SearchRepository(pool, unit_of_work.language)
        self.feed = ChangeRepository(pool)

    async def create(self, request: notes.CreateNote) -> Note:
        async with self.unit_of_work(request) as tx:
            if tx.is_repeat:
                return await tx.first_result()
            return await tx.create(new_id(), NoteContent.of(request))

    async def update(self, request: notes.UpdateNote) -> Note:
        """Without any change, the note keeps its version. Raises `NotFound` for a note in the trash, where nobody would
        see the change."""
        async with self.unit_of_work(request) as tx:
            if tx.is_repeat:
                return await tx.first_result()
            note = await tx.note(request.id)
            if note.deleted_at is not None:
                raise NotFound("This note is in the trash. Restore it first.")
            check_version(note, request.expected_version)
            before = NoteContent.of(note)
            content = before.model_copy(update=_changes(request))
            if content == before:
                return note
            named = await named_note(tx.db, tx.actor.user_id, note.id) if _renames_links(request, note) else None
            updated = await tx.update(note, content, is_by_hand=_is_by_hand(request))
            if named is None:
                return updated
            await relink(tx, named)
            return await tx.note(note.id)

    async def delete(self, request: notes.DeleteNote) -> Note:
        async with self.unit_of_work(request) as tx:
            if tx.is_repeat:
                return await tx.first_result()
            note = await tx.note(request.id)
            if note.deleted_at is not None:
                return note
            check_version(note, request.expected_version)
            return await tx.delete(note)

    async def restore(self, request: notes.RestoreNote) -> Note:
        async with self.unit_of_work(request) as tx:
            if tx.is_repeat:
                return await tx.first_result()
            note = await tx.note(request.id)
            if note.deleted_at is None:
                return note
            check_version(note, request.expected_version)
            return await tx.restore(note)

    async def purge(self, request: notes.PurgeNote) -> Empty:
        """A repeat does nothing. Without an idempotency key it raises `NotFound`, because the note does not exist."""
        async with self.unit_of_work(request) as tx:
            if not tx.is_repeat:
                note = await tx.note(request.id)
                check_version(note, request.expected_version)
                await tx.purge([note.id])
        return Empty()

    async def empty_trash(self, request: notes.EmptyTrash) -> notes.EmptiedTrash:
        """The notes are selected under the user's lock, so that one restored meanwhile stays."""
        user_id = request.actor.user_id
        async with self.unit_of_work(request) as tx:
            found = await in_trash(tx.db, user_id, request.before, PURGE_BATCH + 1)
            if found:
                await tx.purge(found[:PURGE_BATCH])
        return notes.EmptiedTrash(deleted=min(len(found), PURGE_BATCH), has_more=len(found) > PURGE_BATCH)

    async def get(self, request: notes.GetNote) -> Note:
        """Also from the trash, with `deleted_at` set."""
        return await self.notes.note(request.actor.user_id, request.id)

    async def page(self, request: notes.ListNotes) -> notes.NotePage:
        after = decode(request.cursor, request.sort) if request.cursor is not None else None
        found = await self.notes.page(request, after)
        page = found[: request.limit]
        has_more = len(found) > len(page)
        return notes.NotePage(
            notes=page, next_cursor=Position.of(page[-1], request.sort).encode() if has_more else None
        )

    async def search(self, request: notes.SearchNotes) -> notes.SearchResults:
        """Full-text search and, if there is an embeddings model, semantic search."""
        query = normalize_query(request.q)
        async with self.searches.place(request.actor.user_id):
            by_words, by_meaning = await self._found(request, query)
            ranks = _fused(by_words, by_meaning)
            start = int(request.cursor or 0)
            end = start + request.limit
            page = dict(list(ranks.items())[start:end])
            matches = await self._matches(request.actor.user_id, page, by_words, by_meaning)
            return notes.SearchResults(
                results=await self._with_snippets(query, highlighted_terms(request.q), matches),
                next_cursor=str(end) if end < len(ranks) else None,
                total=len(ranks) if by_words.is_exact else None,
                total_is_minimum=by_words.may_have_more,
            )

    async def tags(self, request: notes.CountTags) -> notes.TagCounts:
        return await self.notes.tags(request)

    async def overview(self, request: notes.GetOverview) -> notes.NotesOverview:
        return await self.notes.overview(request.actor.user_id, request.newest)

    async def usage(self, request: notes.NoteRequest) -> notes.NotesUsage:
        quota, usage = self.unit_of_work.quota, await self.notes.usage(request.actor.user_id)
        return notes.NotesUsage(
            notes=usage.notes,
            notes_max=quota.notes,
            bytes=usage.size,
            bytes_max=quota.size,
            history_bytes=usage.history,
            history_bytes_max=quota.history,
        )

    async def changes(self, request: notes.ListChanges) -> notes.ChangeFeed:
        if request.since is None:
            return notes.ChangeFeed(changes=[], cursor=await self.feed.newest(request.actor.user_id))
        return await self.feed.since(request.actor.user_id, request.since, request.limit)

    async def _found(self, request: notes.SearchNotes, query: str) -> tuple[Ranking, dict[str, SearchMatch]]:
        """By words, and by meaning: the same for every page of a search, so that no page changes the order."""
        user_id = request.actor.user_id
        if self.semantic is None:
            return await self.full_text.find(user_id, query), {}
        by_words, by_meaning = await asyncio.gather(
            self.full_text.find(user_id, query), self.semantic.find(user_id, request.q, FOUND_BY_MEANING)
        )
        return by_words, {match.note.id: match for match in by_meaning}

    async def _matches(
        self, user_id: str, page: dict[str, float], by_words: Ranking, by_meaning: dict[str, SearchMatch]
    ) -> list[SearchMatch]:
        """If both contain a note, its snippet is that of the full-text search."""
        wanted = {note_id: rank for note_id, rank in page.items() if note_id in by_words.ranks}
        matches = {match.note.id: match for match in await self.full_text.matches(user_id, wanted)}
        matches |= {
            note_id: replace(by_meaning[note_id], rank=rank) for note_id, rank in page.items() if note_id not in wanted
        }
        return [matches[note_id] for note_id in page if note_id in matches]

    async def _with_snippets(self, query: str, terms: list[str], matches: list[SearchMatch]) -> list[notes.SearchHit]:
        """Adds snippets: the part of the text that matches; else the title, if it matches; else the beginning."""
        texts = await asyncio.to_thread(_searchable_texts, matches, terms)
        headlines = await self.full_text.headlines(query, texts, snippets.START, snippets.STOP)
        return await asyncio.to_thread(_hits, matches, headlines, terms)


def _searchable_texts(matches: list[SearchMatch], terms: list[str]) -> list[str]:
    """Of each match the part of its text that matches, and its title."""
    return [
        text
        for match in matches
        for text in (
            snippets.matching_part(snippets.searchable(match.body), terms),
            snippets.searchable(match.note.title),
        )
    ]


def _hits(matches: list[SearchMatch], headlines: list[str], terms: list[str]) -> list[notes.SearchHit]:
    return [
        notes.SearchHit(
            note=match.note,
            rank=match.rank,
            snippet=snippets.snippet(match.body, in_body, terms)
            or snippets.snippet(match.note.title, in_title, terms)
            or snippets.beginning(match.body),
        )
        for match, in_body, in_title in zip(matches, headlines[::2], headlines[1::2], strict=True)
    ]


def _changes(request: notes.UpdateNote) -> dict[str, Any]:
    return {name: getattr(request, name) for name in NoteContent.model_fields if name in request.model_fields_set}


def _renames_links(request: notes.UpdateNote, note: Note) -> bool:
    """Whether the links to the note are rewritten with its title. A person decides on that when the title is whole: the
    page saves it letter by letter."""
    return request.actor.kind in RELINKING and "title" in request.model_fields_set and request.title != note.title


def _is_by_hand(request: notes.UpdateNote) -> bool:
    """Whether it is a user's own edit, which may be part of a burst. Other writes are always versions of their own."""
    return request.actor.kind == "user" and request.actor.run_id is None


def _fused(by_words: Ranking, by_meaning: dict[str, SearchMatch]) -> dict[str, float]:
    return fuse_rankings(list(by_words.ranks), list(by_meaning)) if by_meaning else by_words.ranks
