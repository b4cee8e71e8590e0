"""The links between notes: which names the texts of notes link to, and which notes have a name."""

# ruff: noqa: S608  (only fragments of SQL from these modules are put together; values are arguments)

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from contracts.errors import NotFound
from contracts.notes import NoteSummary
from notes_service.folding import link_key, sort_key
from notes_service.link_names import NamedNote, NotesByKey
from notes_service.repository import note_columns
from servicekit.sql import Statement

SAME_NAME_MAX = 1_000
"""Notes of one name among which the nearest is looked for."""

NAMED = Statement("SELECT id::text, title, path FROM notes WHERE user_id = :user_id AND id = :note_id")
STORED_NAMES = Statement("SELECT name FROM note_names WHERE user_id = :user_id AND id = :note_id")
SET_PATH = Statement("UPDATE notes SET path = :path WHERE user_id = :user_id AND id = :note_id")

# Of titles the index also has whether a note is archived or pinned: each combination is looked up.
BY_NAME = Statement("""
SELECT wanted.key, found.* FROM unnest(:keys::text[]) AS wanted (key), LATERAL (
    SELECT notes.id::text, title, path, is_alias FROM note_names JOIN notes USING (user_id, id)
    WHERE user_id = :user_id AND note_names.name = wanted.key AND deleted_at IS NULL ORDER BY id LIMIT :most
) AS found
UNION ALL
SELECT wanted.key, found.* FROM unnest(:keys::text[], :title_keys::text[]) AS wanted (key, title_key),
     (VALUES (false), (true)) AS is_archived (value), (VALUES (false), (true)) AS is_unpinned (value), LATERAL (
    SELECT notes.id::text, title, path, NULL::boolean FROM notes
    WHERE user_id = :user_id AND archived = is_archived.value AND (NOT pinned) = is_unpinned.value
          AND notes.title_key = wanted.title_key AND deleted_at IS NULL
    ORDER BY id LIMIT :most
) AS found
""")

# A note may link to several of the names.
LINKING = Statement(f"""
WITH linking AS (
    SELECT DISTINCT found.id FROM unnest(:keys::text[]) AS wanted (key), LATERAL (
        SELECT id FROM note_links JOIN notes USING (user_id, id)
        WHERE user_id = :user_id AND target = wanted.key AND deleted_at IS NULL
              AND (:below::uuid IS NULL OR id < :below::uuid)
        ORDER BY id DESC LIMIT :limit
    ) AS found
    ORDER BY id DESC LIMIT :limit
)
SELECT {note_columns.SUMMARY}, notes.body, notes.path FROM linking JOIN notes USING (id)
WHERE user_id = :user_id ORDER BY id DESC
""")

REMOVE_LINKS = Statement(
    "DELETE FROM note_links WHERE user_id = :user_id AND id = :note_id AND target = ANY (:targets::text[])"
)
REMOVE_NAMES = Statement(
    "DELETE FROM note_names WHERE user_id = :user_id AND id = :note_id AND name = ANY (:names::text[])"
)
ADD_NAMES = Statement("""
INSERT INTO note_names (user_id, id, name, is_alias)
SELECT :user_id, :note_id, * FROM unnest(:names::text[], :are_aliases::boolean[]) ON CONFLICT DO NOTHING
""")


@dataclass(frozen=True, slots=True)
class LinkingNote:
    """A note whose text has a link that may lead to another."""

    id: str
    path: str | None
    body: str
    summary: Mapping[str, Any]
    """The columns of its summary."""


async def named_note(db: Any, user_id: str, note_id: str) -> NamedNote:
    """In the trash or not. Raises `NotFound`."""
    row = await db.fetchrow(*NAMED(user_id=user_id, note_id=note_id))
    if row is None:
        raise NotFound("There is no such note.")
    return NamedNote(row["id"], row["title"], row["path"])


async def notes_by_name(db: Any, user_id: str, names: Iterable[str]) -> NotesByKey:
    """By the key of each name: the notes outside the trash which have it, and whether as an alias only."""
    title_keys = {link_key(name): sort_key(name) for name in names}
    found: dict[str, dict[str, tuple[NamedNote, bool]]] = {}
    if not title_keys:
        return {}
    statement = BY_NAME(
        user_id=user_id, keys=list(title_keys), title_keys=list(title_keys.values()), most=SAME_NAME_MAX
    )
    for row in await db.fetch(*statement):
        note = NamedNote(row["id"], row["title"], row["path"])
        is_title = row["is_alias"] is None
        if is_title and link_key(note.title) != row["key"]:
            continue  # the order of titles ignores punctuation
        is_alias = bool(row["is_alias"])
        of_key = found.setdefault(row["key"], {})
        _, was_alias = of_key.get(note.id, (note, True))
        of_key[note.id] = (note, is_alias and was_alias)
    return {key: list(notes.values()) for key, notes in found.items()}


async def linking_notes(
    db: Any, user_id: str, keys: Collection[str], below: str | None, limit: int
) -> list[LinkingNote]:
    """Notes outside the trash with a link that may mean one of `keys`, with ids below `below`, highest first."""
    rows = await db.fetch(*LINKING(user_id=user_id, keys=list(keys), below=below, limit=limit))
    return [
        LinkingNote(row["id"], row["path"], row["body"], {name: row[name] for name in NoteSummary.model_fields})
        for row in rows
    ]


async def keys_of(db: Any, user_id: str, note: NamedNote) -> set[str]:
    """The keys of all names of a note."""
    rows = await db.fetch(*STORED_NAMES(user_id=user_id, note_id=note.id))
    return {link_key(note.title), *(row["name"] for row in rows)}


async def remove_links(db: Any, user_id: str, note_id: str, removed: Collection[str]) -> None:
    """To be called in the transaction of a write, for keys that the note's text links to no more."""
    if removed:
        await db.execute(*REMOVE_LINKS(user_id=user_id, note_id=note_id, targets=list(removed)))


async def update_names(db: Any, user_id: str, before: NamedNote, note: NamedNote) -> None:
    """To be called in the transaction of a write that changes the names of a note."""
    old, new = before.stored_keys(), note.stored_keys()
    if removed := [key for key, is_alias in old.items() if new.get(key) != is_alias]:
        await db.execute(*REMOVE_NAMES(user_id=user_id, note_id=note.id, names=removed))
    if added := {key: is_alias for key, is_alias in new.items() if old.get(key) != is_alias}:
        await db.execute(
            *ADD_NAMES(user_id=user_id, note_id=note.id, names=list(added), are_aliases=list(added.values()))
        )
    if note.path != before.path:
        await db.execute(*SET_PATH(user_id=user_id, note_id=note.id, path=note.path))
