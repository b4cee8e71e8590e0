"""The export of all notes as a zip, whose import gives the same notes."""

import asyncio
import io
from contextlib import suppress
from datetime import UTC, timedelta
from zipfile import ZipFile

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from contracts import note_transfer, notes, subjects
from contracts.errors import RateLimited, ServiceUnavailable
from contracts.ids import new_id
from contracts.moments import EARLIEST, LATEST
from notes_service.exports import MAX_EXPORTS, MAX_OF_USER
from notes_service.transfer.archive_writer import MISSING_NAME
from servicekit import rpc
from standalone.testing import until

from .uploads import counts, exported, imported

FIELDS = {"id", "title", "body", "tags", "pinned", "archived", "created_at", "updated_at"}
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200)
NOTES = st.lists(
    st.fixed_dictionaries(
        {
            "title": TEXT.map(str.strip).filter(lambda title: 1 <= len(title) <= 200),
            "body": TEXT,
            "tags": st.lists(TEXT.map(str.strip).filter(lambda tag: 1 <= len(tag) <= 50), max_size=3, unique=True),
            "pinned": st.booleans(),
            "archived": st.booleans(),
        }
    ),
    max_size=6,
)


async def library(person) -> dict[str, dict]:
    """All notes outside the trash, with the exported fields."""
    return {
        id_: note.model_dump(include=FIELDS) for id_, note in (await person.everything()).items() if not note.deleted_at
    }


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drafts=NOTES)
async def test_out_wiped_and_in_again_are_the_same_notes(somebody, drafts):
    person = somebody()
    for draft in drafts:
        note = await person.create(draft["title"], body=draft["body"], tags=draft["tags"])
        await person.update(note, pinned=draft["pinned"], archived=draft["archived"])
    before = await library(person)
    content = await exported(person)
    assert counts(await imported(person, {"notes.zip": content})) == (0, 0, len(drafts), 0)
    for note_id in before:
        await person.request(notes.PURGE, id=note_id)
    assert counts(await imported(person, {"notes.zip": content})) == (len(drafts), 0, 0, 0)
    assert await library(person) == before
    assert counts(await imported(person, {"notes.zip": content})) == (0, 0, len(drafts), 0)


async def test_more_than_a_page_and_not_the_trash(ada, bob):
    made = await asyncio.gather(*(ada.create(f"{n}", body="é" * 6000) for n in range(250)))
    for note in made[:10]:
        await ada.request(notes.DELETE, id=note.id)
    await bob.create("His")
    archive = ZipFile(io.BytesIO(await exported(ada)))
    assert archive.testzip() is None
    assert sorted(archive.namelist()) == sorted(f"{n}.md" for n in range(10, 250))


async def test_no_notes_are_an_empty_zip(ada):
    assert ZipFile(io.BytesIO(await exported(ada))).namelist() == []


async def test_the_largest_notes_go_out_too(ada):
    for _ in range(6):
        await ada.create("Large", body="\x01" * 262_144)
    archive = ZipFile(io.BytesIO(await exported(ada)))
    assert [len(archive.read(name)) > 262_144 for name in archive.namelist()] == [True] * 6


async def test_who_knows_no_export_reads_nothing(ada):
    with pytest.raises(ServiceUnavailable):
        await anext(rpc.read_chunks(ada.nc, subjects.note_export(new_id())))


async def test_so_many_exports_at_a_time(ada, somebody):
    await ada.create("Note")
    others = [somebody() for _ in range((MAX_EXPORTS - 1) // MAX_OF_USER + 1)]
    opened = [await other.request(note_transfer.EXPORT) for other in others for _ in range(MAX_OF_USER)]
    with pytest.raises(RateLimited, match="exports"):
        await others[0].request(note_transfer.EXPORT)
    with pytest.raises(ServiceUnavailable, match="exports"):
        await ada.request(note_transfer.EXPORT)
    for export in opened:
        reader = rpc.read_chunks(ada.nc, subjects.note_export(export.export_id))
        await anext(reader)
        await reader.aclose()

    async def look() -> bool:
        with suppress(ServiceUnavailable):  # the readers' last messages are still in flight
            return bool(await exported(ada))
        return False

    await until("room for another export", look, 10)


@pytest.fixture
async def unbounded_moments(db):
    """The database takes any moment, as it did before migration 0007."""
    await db.execute("ALTER TABLE notes DROP CONSTRAINT created_at_is_storable")
    yield
    await db.execute("DELETE FROM notes WHERE created_at > '9999-01-01'")
    await db.execute(
        "ALTER TABLE notes ADD CONSTRAINT created_at_is_storable "
        "CHECK (created_at >= '1000-01-01 00:00:00+00' AND created_at < '9999-01-01 00:00:00+00')"
    )


@pytest.mark.parametrize("at", [0, 60, 119])
async def test_a_note_that_cannot_be_read_is_named_and_the_others_are_exported(ada, db, unbounded_moments, at):
    made = [await ada.create(f"{number}", body="text") for number in range(120)]
    await db.execute("UPDATE notes SET created_at = '20000-01-01' WHERE id = $1", made[at].id)
    archive = ZipFile(io.BytesIO(await exported(ada)))
    assert set(archive.namelist()) == {f"{n}.md" for n in range(120) if n != at} | {MISSING_NAME}
    assert f"{made[at].id}  {at}\n" in archive.read(MISSING_NAME).decode()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    moments=st.lists(
        st.datetimes(EARLIEST.replace(tzinfo=None), LATEST.replace(tzinfo=None) - timedelta(microseconds=1)),
        min_size=2,
        max_size=5,
    )
)
@example([EARLIEST.replace(tzinfo=None), LATEST.replace(tzinfo=None) - timedelta(microseconds=1)])
async def test_every_moment_that_is_stored_is_sent_and_exported(somebody, db, moments):
    person = somebody()
    for moment in moments:
        note = await person.create()
        await db.execute(
            "UPDATE notes SET created_at = $2, updated_at = $2 WHERE id = $1", note.id, moment.replace(tzinfo=UTC)
        )
    for sort in ("created", "updated"):
        found, cursor = [], None
        while True:
            page = await person.request(notes.LIST, sort=sort, limit=1, cursor=cursor)
            found += [note.created_at.replace(tzinfo=None) for note in page.notes]
            assert all(note.model_dump(mode="json")["created_at"].endswith("Z") for note in page.notes)
            if (cursor := page.next_cursor) is None:
                break
        assert found == sorted(moments, reverse=True)
    assert len(ZipFile(io.BytesIO(await exported(person))).namelist()) == len(moments)
