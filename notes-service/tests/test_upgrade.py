"""A database filled by an older version works with the newer one: nothing is lost, and existing notes are counted."""

import shutil
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

import notes_service.links
from contracts import notes
from contracts.actor import Actor
from contracts.ids import new_id
from contracts.moments import EARLIEST, LATEST
from contracts.note_history import ListRevisions, RestoreRevision, UndoRun
from contracts.note_links import ListBacklinks
from notes_service.folding import link_key, sort_key
from notes_service.link_service import LinkService
from notes_service.main import MIGRATIONS
from notes_service.quota import Quota
from notes_service.revisions import RevisionService
from notes_service.service import NotesService
from notes_service.undo import UndoService
from servicekit.database import migrate, pool

from .conftest import unit_of_work

SCHEMA = "older_notes"
ADA, BOB, RUN = new_id(), new_id(), new_id()
FIRST, SECOND, TRASHED, HIS, SPELT = (new_id() for _ in range(5))
USER, AGENT = '{"kind": "user"}', f'{{"kind": "agent", "run_id": "{RUN}", "call_id": "c"}}'

NOTES = [
    (ADA, FIRST, "Größe", "the newest text é", ["x", "ü"], 3, False, USER),
    (ADA, SECOND, "Second", "after [[größe]]", [], 2, False, AGENT),
    (ADA, TRASHED, "Gone", "in the trash", [], 2, True, USER),
    (BOB, HIS, "His", "his text", [], 1, False, USER),
    (BOB, SPELT, "Straße", "毎日の散歩, οδος", ["Größe"], 1, False, USER),
]
REVISIONS = [
    (ADA, FIRST, 1, "create", "Größe", "first", USER),
    (ADA, FIRST, 2, "update", "Größe", "second", USER),
    (ADA, FIRST, 3, "update", "Größe", "the newest text é", USER),
    (ADA, SECOND, 1, "create", "Second", "before", USER),
    (ADA, SECOND, 2, "update", "Second", "after [[größe]]", AGENT),
    (ADA, TRASHED, 1, "create", "Gone", "in the trash", USER),
    (ADA, TRASHED, 2, "delete", "Gone", "in the trash", USER),
    (BOB, HIS, 1, "create", "His", "his text", USER),
    (BOB, SPELT, 1, "create", "Straße", "毎日の散歩, οδος", USER),
]


@pytest.fixture
async def older(postgres, tmp_path: Path):
    """The schema of the first version, with data."""
    shutil.copytree(MIGRATIONS, tmp_path / "migrations")
    for script in (tmp_path / "migrations" / "versions").glob("*.py"):
        if not script.name.startswith("0001"):
            script.unlink()
    admin = await asyncpg.connect(postgres.dsn())
    await admin.execute(f"CREATE SCHEMA {SCHEMA} AUTHORIZATION notes")
    await migrate(postgres.dsn("notes"), SCHEMA, tmp_path / "migrations")
    db = await asyncpg.connect(postgres.dsn("notes"), server_settings={"search_path": SCHEMA})
    await db.executemany("INSERT INTO feed (user_id, cursor) VALUES ($1, $2)", [(ADA, 7), (BOB, 2)])
    await db.executemany(
        "INSERT INTO notes (user_id, id, title, title_key, body, preview, tags, pinned, archived, version, created_at, "
        "updated_at, deleted_at, updated_by) VALUES ($1, $2, $3, $9, $4, $4, $5, false, false, $6, now(), now(), "
        "CASE WHEN $7 THEN now() END, $8::text::jsonb)",
        [(*note, sort_key(note[2])) for note in NOTES],
    )
    await db.executemany(
        "INSERT INTO revisions (user_id, note_id, version, op, title, body, tags, pinned, archived, deleted_at, actor, "
        "created_at) VALUES ($1, $2, $3, $4::text, $5, $6, '{}', false, false, CASE WHEN $4 = 'delete' THEN now() END, "
        "$7::text::jsonb, now())",
        REVISIONS,
    )
    await db.execute("INSERT INTO idempotency (user_id, key, note_id, version) VALUES ($1, 'k', $2, 1)", ADA, FIRST)
    await db.execute(
        "INSERT INTO note_words (user_id, note_id, heading, words) SELECT user_id, id, "
        "heading_of('english', title, ''), words_of('english', body) FROM notes WHERE deleted_at IS NULL"
    )
    yield db
    await db.close()
    await admin.execute(f"DROP SCHEMA {SCHEMA} CASCADE")
    await admin.close()


async def test_a_filled_older_schema_is_brought_up_to_date(older, postgres):
    await migrate(postgres.dsn("notes"), SCHEMA, MIGRATIONS)
    ada, bob = Actor(user_id=ADA, kind="user"), Actor(user_id=BOB, kind="user")
    async with pool(postgres.dsn("notes"), SCHEMA) as connections:
        writes = unit_of_work(connections, Quota(5, 1000))
        service, revisions = NotesService(connections, writes), RevisionService(connections, writes)

        used = {str(row["user_id"]): (row["notes"], row["bytes"]) for row in await older.fetch("SELECT * FROM feed")}
        assert used == {
            user: (
                len([note for note in NOTES if note[0] == user]),
                sum(len((n[2] + n[3] + "".join(n[4])).encode()) for n in NOTES if n[0] == user),
            )
            for user in (ADA, BOB)
        }
        shown = (await revisions.page(ListRevisions(actor=ada, id=FIRST))).revisions
        assert [revision.version for revision in shown] == [3, 2, 1]
        repeated = await service.create(notes.CreateNote(actor=ada, title="Again", idempotency_key="k"))
        assert (repeated.id, repeated.version, repeated.body) == (FIRST, 1, "first")

        linking = await LinkService(connections, unit_of_work(connections, Quota(10, 1000))).backlinks(
            ListBacklinks(actor=ada, id=FIRST)
        )
        assert [note.id for note in linking.notes] == [SECOND]
        changed = await service.update(notes.UpdateNote(actor=ada, id=FIRST, body="by hand", expected_version=3))
        assert changed.version == 4
        shown = (await revisions.page(ListRevisions(actor=ada, id=FIRST))).revisions
        assert [revision.version for revision in shown] == [4, 3, 2, 1]  # no burst begins before the upgrade
        back = await revisions.restore(RestoreRevision(actor=ada, id=FIRST, version=1))
        assert back.body == "first"
        undone = await UndoService(writes).undo_run(UndoRun(actor=ada, run_id=RUN))
        assert [(u.op, u.note.id) for u in undone.undone] == [("update", SECOND)]
        assert (await service.get(notes.GetNote(actor=ada, id=SECOND))).body == "before"
        await service.purge(notes.PurgeNote(actor=ada, id=TRASHED))
        assert (await service.changes(notes.ListChanges(actor=ada))).cursor == 11
        assert (await service.get(notes.GetNote(actor=bob, id=HIS))).body == "his text"
        for typed in ("his", '"his text"'):
            found = await service.search(notes.SearchNotes(actor=bob, q=typed))
            assert [hit.note.id for hit in found.results] == [HIS], typed
        for typed in ("straße", "strasse", "größe", "散歩", "οδος"):
            found = await service.search(notes.SearchNotes(actor=bob, q=typed))
            assert [hit.note.id for hit in found.results] == [SPELT], typed


@pytest.mark.parametrize("bound", ["with the bound of links", "with values that the database refuses"])
async def test_a_note_that_cannot_be_linked_does_not_stop_an_upgrade(older, postgres, monkeypatch, capsys, bound):
    """The database refuses an index row of such a size; the upgrade skips it, and logs the note's id only."""
    canary = ", ".join(f"canary {number / 7919:.9f}" for number in range(700))
    await older.execute("UPDATE notes SET body = $1 WHERE id = $2", f"[[Größe]] [[{canary}]]", HIS)
    refused = bound == "with values that the database refuses"
    if refused:
        monkeypatch.setattr(notes_service.links, "KEY_MAX_BYTES", 1_000_000)
    await migrate(postgres.dsn("notes"), SCHEMA, MIGRATIONS)
    output = capsys.readouterr().out
    assert ("migration skipped a row" in output, HIS in output) == (refused, refused)
    assert "canary" not in output
    links = {(str(row["id"]), row["target"]) for row in await older.fetch("SELECT id, target FROM note_links")}
    assert links == {(SECOND, link_key("größe")), (HIS, link_key("größe"))}


async def test_moments_that_no_program_can_hold_are_mended(older, postgres):
    """They made every export and every list in their order fail."""
    versions = await older.fetchrow("SELECT min(created_at) AS first, max(created_at) AS newest FROM revisions")
    await older.execute("UPDATE notes SET created_at = '-infinity', updated_at = '20000-01-01' WHERE id = $1", HIS)
    await older.execute("UPDATE notes SET created_at = '0044-03-15 BC', updated_at = 'infinity' WHERE id = $1", SPELT)
    kept = await older.fetchval("SELECT created_at FROM notes WHERE id = $1", FIRST)
    await migrate(postgres.dsn("notes"), SCHEMA, MIGRATIONS)
    rows = await older.fetch("SELECT created_at, updated_at FROM notes WHERE id = ANY ($1)", [HIS, SPELT])
    assert [(row["created_at"], row["updated_at"]) for row in rows] == [(versions["first"], versions["newest"])] * 2
    assert await older.fetchval("SELECT created_at FROM notes WHERE id = $1", FIRST) == kept
    for moment in (EARLIEST, LATEST - timedelta(microseconds=1)):
        await older.execute("UPDATE notes SET created_at = $1, updated_at = $1", moment)
    for moment in (EARLIEST - timedelta(microseconds=1), LATEST):
        for column in ("created_at", "updated_at"):
            with pytest.raises(asyncpg.CheckViolationError):
                await older.execute(f"UPDATE notes SET {column} = $1", moment)
