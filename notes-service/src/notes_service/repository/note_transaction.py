"""Every write of a note: the note, its revision and its change in the user's feed, in one transaction.

**Invariant: a user's writes happen one after another, and their changes are numbered 1, 2, 3 … in the order in which
they are committed.** It holds because a transaction begins with a lock on the user's row in `feed` and keeps it to its
end. So a version cannot change between its check and its update, the quota cannot be passed by two writes at once, the
same idempotency key cannot be used twice at the same time, and a change that can be read has all earlier ones before
it. Whatever must see what the previous holder of the lock wrote is read by a statement after the lock's: a statement
sees what was committed when it began, which for the one that waited was too early.
"""

# ruff: noqa: S608  (only fragments of SQL from these modules are put together; values are arguments)

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import orjson
from asyncpg.pool import Pool

from contracts.actor import Actor
from contracts.errors import NotFound, VersionConflict
from contracts.notes import ChangeOp, Note, NoteContent
from notes_service.folding import sort_key
from notes_service.index_tokens import index_text
from notes_service.link_names import NamedNote
from notes_service.links import link_keys
from notes_service.plain_text import preview
from notes_service.quota import Quota, Usage
from notes_service.removals import removes_much
from notes_service.repository import note_columns
from notes_service.repository.connections import transaction
from notes_service.repository.history_pruning import PRUNE_EVERY, prune_history, prune_oldest
from notes_service.repository.links import named_note, remove_links, update_names
from notes_service.repository.note_columns import CONTENT
from notes_service.repository.trash import purge
from servicekit.sql import Statement

BURST = timedelta(minutes=5)
"""Changes of one person to one note within this time are one version in its history, the last one: while they follow
each other, and remove little."""
PAUSE = timedelta(seconds=5)
"""A version that stood for so long is not replaced in the history. While somebody is typing, the page saves more
often."""
BURST_REMOVED_BYTES = 20
"""A burst ends where its text is shorter than it was by more than this."""

ON_LOOP_CHARACTERS = 8 * 1024
"""So much text takes a few milliseconds, whatever it is."""

LOCK = Statement("SELECT notes, bytes, revision_bytes - bytes AS history FROM feed WHERE user_id = :user_id FOR UPDATE")
CREATE_FEED = Statement("INSERT INTO feed (user_id) VALUES (:user_id) ON CONFLICT DO NOTHING")

NOTE = Statement(f"SELECT {note_columns.NOTE} FROM notes WHERE user_id = :user_id AND id = :note_id")

FIELDS = ", ".join(CONTENT)
VALUES = ", ".join(f":{name}" for name in CONTENT)
UPDATED = (*CONTENT, "title_key", "preview", "aliases", "version", "updated_at", "deleted_at", "updated_by")

# For the first version of a note and for every later one. The time is that of this statement, which begins after the
# lock: a user's times never go back. An imported note may be older than its first version here.
SAVE = Statement(f"""
WITH saved AS (
    INSERT INTO notes AS notes (user_id, id, {FIELDS}, path, title_key, preview, aliases, version,
                                created_at, updated_at, deleted_at, updated_by)
    VALUES (:user_id, :note_id, {VALUES}, :path, :title_key, :preview, :aliases, :version,
            coalesce(:created_at, statement_timestamp()), coalesce(:updated_at, statement_timestamp()),
            CASE WHEN :is_deleted THEN statement_timestamp() END, :actor)
    ON CONFLICT (user_id, id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in UPDATED)}
    RETURNING *
), joined AS (
    UPDATE revisions AS previous SET listed = false
    WHERE :continues_burst::boolean AND user_id = :user_id AND note_id = :note_id AND version = :version - 1
          AND actor = :actor AND burst > statement_timestamp() - :burst::interval
          AND created_at > statement_timestamp() - :pause::interval
          AND octet_length(:body) + :burst_removed_bytes >= (
              SELECT max(octet_length(body)) FROM revisions AS earlier
              WHERE (user_id, note_id, burst) = (previous.user_id, previous.note_id, previous.burst)
          )
    RETURNING burst
), revision AS (
    INSERT INTO revisions (user_id, note_id, version, op, {FIELDS}, deleted_at, actor, created_at, burst)
    SELECT user_id, id, version, :op, {FIELDS}, deleted_at, updated_by, statement_timestamp(),
           CASE WHEN :is_by_hand::boolean THEN coalesce((SELECT burst FROM joined), statement_timestamp()) END
    FROM saved
), next AS (
    UPDATE feed SET cursor = cursor + 1, notes = notes + :added_notes, bytes = bytes + :added_bytes,
                    revision_bytes = revision_bytes + :revision_bytes
    WHERE user_id = :user_id RETURNING cursor
), change AS (
    INSERT INTO changes (user_id, cursor, op, note_id, version, actor, created_at)
    SELECT user_id, next.cursor, :op, id, version, updated_by, statement_timestamp() FROM saved, next
), names AS (
    INSERT INTO note_names (user_id, id, name, is_alias)
    SELECT user_id, id, name, is_alias FROM saved, unnest(:names::text[], :are_aliases::boolean[]) AS n (name, is_alias)
), links AS (
    INSERT INTO note_links (user_id, id, target) SELECT user_id, id, unnest(:links::text[]) FROM saved
    ON CONFLICT DO NOTHING
), words AS (
    INSERT INTO note_words (user_id, note_id, heading, words)
    SELECT user_id, id, heading, heading || setweight(words_of(:language::text::regconfig, :body_words), 'C')
    FROM saved, heading_of(:language::text::regconfig, :title_words, :tag_words) AS heading
    WHERE :language IS NOT NULL
)
SELECT {note_columns.NOTE} FROM saved AS notes
""")

DELETE_WORDS = Statement("DELETE FROM note_words WHERE user_id = :user_id AND note_id = :note_id")

STORE_KEY = Statement("""
INSERT INTO idempotency (user_id, key, note_id, version) VALUES (:user_id, :key, :note_id, :version)
ON CONFLICT DO NOTHING
""")
KEY_EXISTS = Statement("SELECT EXISTS (SELECT FROM idempotency WHERE user_id = :user_id AND key = :key)")
FIRST_RESULT = Statement(f"""
SELECT k.note_id::text AS id, {", ".join(f"r.{name}" for name in CONTENT)}, k.version, n.created_at,
       r.created_at AS updated_at, r.deleted_at, r.actor AS updated_by,
       n.id IS NOT NULL AS note_exists, r.version IS NOT NULL AS version_exists
FROM idempotency k
LEFT JOIN notes n ON (n.user_id, n.id) = (k.user_id, k.note_id)
LEFT JOIN revisions r ON (r.user_id, r.note_id, r.version) = (k.user_id, k.note_id, k.version)
WHERE k.user_id = :user_id AND k.key = :key
""")


@asynccontextmanager
async def note_transaction(
    pool: Pool, actor: Actor, language: str, quota: Quota, key: str | None = None
) -> AsyncGenerator["NoteTransaction"]:
    """A transaction that holds the lock on the user's feed: until it ends, no other write of this user's notes runs.

    Under an idempotency `key` the note that the block leaves behind is stored as its result, together with what the
    block wrote. A block that raises has written nothing, and its key can be used again.
    """
    async with transaction(pool) as db:
        usage = await _lock(db, actor.user_id)
        is_repeat = key is not None and await db.fetchval(*KEY_EXISTS(user_id=actor.user_id, key=key))
        tx = NoteTransaction(db, actor, language, quota, usage, key, is_repeat)
        yield tx
        if key is not None and tx.result is not None and not is_repeat:
            result = tx.result
            await db.execute(*STORE_KEY(user_id=actor.user_id, key=key, note_id=result.id, version=result.version))


async def _lock(db: Any, user_id: str) -> Usage:
    if (feed := await db.fetchrow(*LOCK(user_id=user_id))) is None:
        await db.execute(*CREATE_FEED(user_id=user_id))
        feed = await db.fetchrow(*LOCK(user_id=user_id))
    return Usage(feed["notes"], feed["bytes"], feed["history"])


@dataclass
class NoteTransaction:
    """Reads and writes notes of one user. `note_transaction` opens it."""

    db: Any
    actor: Actor
    language: str
    quota: Quota
    usage: Usage
    key: str | None
    is_repeat: bool
    """The idempotency key was used before. The block must return `first_result` and write nothing."""
    result: Note | None = None
    """The note that was read or written last: the result for a repeat under the same key."""
    has_changes: bool = False
    """There is a change to publish once the transaction has ended."""

    async def first_result(self) -> Note:
        """The result of the first write under this key, even if the note has changed since.

        Raises `NotFound` if the note was purged, and `VersionConflict` if that version was pruned.
        """
        row = await self.db.fetchrow(*FIRST_RESULT(user_id=self.actor.user_id, key=self.key))
        if not row["note_exists"]:
            raise NotFound("This was done before, and the note has been deleted for good since.")
        if not row["version_exists"]:
            current = await self.note(row["id"])
            raise VersionConflict(
                "This was done before, and the note has been changed since.", current=current.model_dump(mode="json")
            )
        return note_columns.note(row)

    async def note(self, note_id: str) -> Note:
        """In the trash or not. Raises `NotFound`."""
        row = await self.db.fetchrow(*NOTE(user_id=self.actor.user_id, note_id=note_id))
        if row is None:
            raise NotFound("There is no such note.")
        self.result = note_columns.note(row)
        return self.result

    async def create(
        self,
        note_id: str,
        content: NoteContent,
        *,
        created_at: datetime | None = None,
        updated_at: datetime | None = None,
        path: str | None = None,
    ) -> Note:
        """Raises `QuotaExceeded`. The times are for imported notes; None is now. `path`: of the file that the note was
        imported from, by which links may name it."""
        return await self._save("create", note_id, content, created_at=created_at, updated_at=updated_at, path=path)

    async def update(self, note: Note, content: NoteContent, *, is_by_hand: bool = False) -> Note:
        """The next version. Raises `QuotaExceeded`.

        `is_by_hand`: in the history it may take the place of the version before, where the same actor wrote that within
        a burst, and not much of it is missing.
        """
        return await self._save("update", note.id, content, note, is_by_hand=is_by_hand)

    async def delete(self, note: Note, content: NoteContent | None = None) -> Note:
        """Moves the note to the trash, with new content if given. Notes in the trash are not indexed for search."""
        return await self._save("delete", note.id, content or NoteContent.of(note), note)

    async def restore(self, note: Note, content: NoteContent | None = None) -> Note:
        """Restores the note from the trash, with new content if given. Raises `QuotaExceeded` if that needs too much
        room."""
        return await self._save("restore", note.id, content or NoteContent.of(note), note)

    async def purge(self, note_ids: Sequence[str], *, in_name_of_deleter: bool = False) -> None:
        """Deletes notes for good. The changes name the actor, or the one who had moved each note to the trash."""
        assert not self.is_repeat
        actor = None if in_name_of_deleter else self.actor.public().model_dump(exclude_none=True)
        await purge(self.db, self.actor.user_id, note_ids, actor)
        self.has_changes = True

    async def _save(
        self,
        op: ChangeOp,
        note_id: str,
        content: NoteContent,
        before: Note | None = None,
        *,
        is_by_hand: bool = False,
        created_at: datetime | None = None,
        updated_at: datetime | None = None,
        path: str | None = None,
    ) -> Note:
        assert not self.is_repeat
        user_id = self.actor.user_id
        size, size_before = _size(content), _size(before) if before else 0
        added_notes, added_bytes = 0 if before else 1, size - size_before
        usage = self.usage.plus(added_notes, added_bytes, size_before)
        self.quota.check(self.usage, usage)
        has_new_words = op == "update" and before is not None and _search_texts(before) != _search_texts(content)
        if op == "delete" or has_new_words:
            await self.db.execute(*DELETE_WORDS(user_id=user_id, note_id=note_id))
        aliases = tuple(content.properties.aliases)
        if before is not None and (before.title, (*before.properties.aliases,)) != (content.title, aliases):
            await self._rename(before, content.title, aliases)
        names = NamedNote(note_id, content.title, path, aliases).stored_keys() if before is None else {}
        derived = await _derived(content, before, is_indexed=has_new_words or op in ("create", "restore"))
        row = await self.db.fetchrow(
            *SAVE(
                user_id=user_id,
                note_id=note_id,
                **{name: getattr(content, name) for name in CONTENT},
                path=path,
                title_key=sort_key(content.title),
                preview=preview(content.body),
                aliases=content.properties.aliases,
                version=before.version + 1 if before else 1,
                created_at=created_at,
                updated_at=updated_at,
                is_deleted=op == "delete",
                actor=self.actor.public().model_dump(exclude_none=True),
                is_by_hand=is_by_hand,
                continues_burst=is_by_hand and before is not None and not removes_much(before, content),
                burst=BURST,
                pause=PAUSE,
                burst_removed_bytes=BURST_REMOVED_BYTES,
                op=op,
                added_notes=added_notes,
                added_bytes=added_bytes,
                revision_bytes=size,
                names=list(names),
                are_aliases=list(names.values()),
                links=list(derived.added_links),
                language=self.language if derived.words else None,
                **dict(zip(("title_words", "tag_words", "body_words"), derived.words or [None] * 3, strict=True)),
            )
        )
        await remove_links(self.db, user_id, note_id, derived.removed_links)
        self.usage = usage
        self.has_changes = True
        self.result = note_columns.note(row)
        await self._bound_history(self.result)
        return self.result

    async def _rename(self, before: Note, title: str, aliases: tuple[str, ...]) -> None:
        """A file that is called after the note is renamed with it."""
        named = replace(
            await named_note(self.db, self.actor.user_id, before.id), aliases=tuple(before.properties.aliases)
        )
        await update_names(self.db, self.actor.user_id, named, replace(named.renamed(title), aliases=aliases))

    async def _bound_history(self, note: Note) -> None:
        user_id = self.actor.user_id
        if note.version % PRUNE_EVERY == 0:
            self.usage = self.usage.plus(0, 0, -await prune_history(self.db, user_id, note.id))
        if self.usage.history > self.quota.history:
            freed = await prune_oldest(self.db, user_id, self.usage.history, self.quota.history)
            self.usage = self.usage.plus(0, 0, -freed)


@dataclass(frozen=True)
class _Derived:
    """What is made of a note's text. `words`: title, tags and text for the index over words; None where that stays as
    it is. `removed_links`, `added_links`: the keys of names that its text links to no more, and from now on."""

    words: tuple[str, str, str] | None
    removed_links: set[str]
    added_links: set[str]


async def _derived(content: NoteContent, before: Note | None, *, is_indexed: bool) -> _Derived:
    """A long text in a thread: every request waits for the event loop."""
    characters = len(content.body) + (len(before.body) if before else 0)
    if characters <= ON_LOOP_CHARACTERS:
        return _derive(content, before, is_indexed=is_indexed)
    return await asyncio.to_thread(_derive, content, before, is_indexed=is_indexed)


def _derive(content: NoteContent, before: Note | None, *, is_indexed: bool) -> _Derived:
    title, tags, body = map(index_text, _search_texts(content)) if is_indexed else ("", "", "")
    has_new_body = before is None or before.body != content.body
    links_before = link_keys(before.body) if before and has_new_body else set[str]()
    links = link_keys(content.body) if has_new_body else set[str]()
    return _Derived(
        words=(title, tags, body) if is_indexed else None,
        removed_links=links_before - links,
        added_links=links - links_before,
    )


def _search_texts(content: NoteContent) -> tuple[str, str, str]:
    """The searched texts: title, tags, text with the values of properties."""
    return content.title, " ".join(content.tags), " ".join((content.body, *content.properties.texts()))


def _size(content: NoteContent) -> int:
    """The bytes that count against the user's quota; `note_columns.size` is the same in SQL."""
    properties = len(orjson.dumps(content.properties)) if content.properties else 0
    return properties + sum(len(text.encode()) for text in (content.title, content.body, *content.tags))
