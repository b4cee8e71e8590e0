"""The import of Markdown files: each becomes a note exactly once, also with failures in between."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from copy import copy
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from prometheus_client import CollectorRegistry

from contracts import note_transfer, notes, subjects
from contracts.errors import NotFound, RateLimited
from contracts.ids import new_id
from notes_service import import_worker
from notes_service.quota import Quota
from notes_service.repository import imports
from notes_service.transfer import archive_reader
from servicekit import database
from servicekit.background import LoopHealth
from standalone.testing import SLOW_SECONDS

from .conftest import unit_of_work
from .uploads import counts, finished, imported, upload, zip_of


def front(body: str = "", **fields: str) -> bytes:
    return ("---\n" + "".join(f"{key}: {value}\n" for key, value in fields.items()) + f"---\n{body}").encode()


async def test_files_and_archives_become_notes(ada):
    archive = zip_of({"a.md": "# Alpha\ntext", "folder/b.md": front("beta", title="Beta", tags="[x, y]"), "c.png": b""})
    status = await imported(ada, {"one.md": b"just one", "many.zip": archive, "photo.jpg": b"\xff"})
    assert counts(status) == (3, 0, 0, 2)
    assert [problem.name for problem in status.errors] == ["c.png", "photo.jpg"]
    assert all(problem.reason.endswith(".") for problem in status.errors)
    by_title = {note.title: note for note in (await ada.everything()).values()}
    bodies = {title: note.body for title, note in by_title.items()}
    assert bodies == {"one": "just one", "Alpha": "# Alpha\ntext", "Beta": "beta"}
    assert by_title["Beta"].tags == ["x", "y"]
    assert await ada.found("beta") == ["Beta"]
    assert [revision.op for revision in await ada.history(by_title["Beta"].id)] == ["create"]


async def test_the_same_again_changes_nothing(ada):
    files = {"a.md": b"alpha", "z.zip": zip_of({"README.md": "one", "x/README.md": "two", "same.md": "one"})}
    assert counts(await imported(ada, files)) == (4, 0, 0, 0)
    cursor = (await ada.request(notes.CHANGES)).cursor
    assert counts(await imported(ada, files)) == (0, 0, 4, 0)
    assert (await ada.request(notes.CHANGES)).cursor == cursor == 4


async def test_a_file_with_an_id_says_what_the_note_is_to_be(ada):
    note = await ada.create("Before", body="before", tags=["a"])
    file = front("after", id=note.id, title="After", pinned="true")
    assert counts(await imported(ada, {"f.md": file})) == (0, 1, 0, 0)
    after = await ada.get(note.id)
    assert (after.title, after.body, after.tags, after.pinned, after.version) == ("After", "after", [], True, 2)
    assert after.created_at == note.created_at
    assert counts(await imported(ada, {"f.md": file})) == (0, 0, 1, 0)
    await ada.request(notes.DELETE, id=note.id)
    assert counts(await imported(ada, {"f.md": file})) == (0, 1, 0, 0)
    assert await ada.titles() == ["After"]


async def test_a_file_without_an_id_never_overwrites_an_edit(ada):
    assert counts(await imported(ada, {"f.md": b"imported"})) == (1, 0, 0, 0)
    (note,) = (await ada.everything()).values()
    await ada.update(note, body="edited here")
    assert counts(await imported(ada, {"f.md": b"imported"})) == (0, 0, 1, 0)
    assert (await ada.get(note.id)).body == "edited here"
    await ada.request(notes.DELETE, id=note.id)
    assert counts(await imported(ada, {"f.md": b"imported"})) == (0, 1, 0, 0)
    assert (await ada.get(note.id)).body == "edited here"


async def test_one_id_in_two_files_of_an_import_is_one_note(ada):
    """Otherwise each import would overwrite one with the other."""
    note_id = new_id()
    one, two, three = (front(body, id=note_id, title="A") for body in ("one", "two", "three"))
    files = {"a.md": one, "b.md": two, "z.zip": zip_of({"a.md": three})}
    for expected in ((1, 0, 0, 2), (0, 0, 1, 2)):
        status = await imported(ada, files)
        assert counts(status) == expected
        assert all("the same id as a.md" in problem.reason for problem in status.errors)
    assert [note.body for note in (await ada.everything()).values()] == ["one"]


async def test_another_users_id_is_ones_own_note(ada, bob):
    hers = await ada.create("Hers", body="hers")
    assert counts(await imported(bob, {"f.md": front("his", id=hers.id, title="His")})) == (1, 0, 0, 0)
    assert await ada.get(hers.id) == hers
    assert (await bob.get(hers.id)).title == "His"


async def test_dates_are_kept_and_the_future_is_now(ada, db):
    file = front(title="Old", created="2001-02-03T04:05:06Z", updated="2010-01-01T00:00:00Z")
    await imported(ada, {"old.md": file, "new.md": front(title="New", updated="2999-01-01")})
    by_title = {note.title: note for note in (await ada.everything()).values()}
    assert by_title["Old"].created_at == datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert by_title["Old"].updated_at == datetime(2010, 1, 1, tzinfo=UTC)
    assert by_title["New"].updated_at < datetime.now(UTC) + timedelta(minutes=1)
    (revision,) = await ada.history(by_title["Old"].id)
    assert revision.created_at > datetime(2026, 1, 1, tzinfo=UTC)
    oldest = "SELECT min(created_at) FROM changes WHERE user_id = $1"
    assert await db.fetchval(oldest, ada.actor.user_id) > datetime(2026, 1, 1, tzinfo=UTC)


async def test_progress_is_signalled(ada):
    subscription = await ada.nc.subscribe(subjects.user_signal(ada.actor.user_id))
    await ada.nc.flush()
    import_id = await upload(ada, {"z.zip": zip_of({f"{n}.md": f"{n}" for n in range(50)})})
    assert (await ada.request(note_transfer.IMPORT_GET, import_id=import_id)).status == "uploading"
    await ada.request(note_transfer.IMPORT_START, import_id=import_id)
    while (signal := orjson.loads((await subscription.next_msg(10)).data))["processed"] < 50:
        assert signal["total"] in (1, 50)
    assert signal == {"type": "import_progress", "import_id": import_id, "processed": 50, "total": 50}
    await subscription.unsubscribe()


async def test_hostile_files_are_told_by_name(ada):
    entries = {
        "../evil.md": "x",
        "bad.md": b"\xff\xfe\xfa",
        "yaml.md": "---\n{\n---\n",
        "nul.md": "a\0b",
        "ok.md": "fine",
    }
    status = await imported(ada, {"z.zip": zip_of(entries), "broken.zip": b"PK\x03\x04 and nothing", "empty.zip": b""})
    assert counts(status) == (2, 0, 0, 5)


async def test_a_refused_note_comes_before_any_number_of_pictures(ada):
    pictures = {f"assets/{number:04}.png": b"x" for number in range(note_transfer.ERRORS_MAX + 50)}
    status = await imported(ada, {"v.zip": zip_of(pictures | {"Zz refused.md": b"a\0b"})})
    assert status.processed == len(pictures) + 1
    assert (status.errors[0].name, len(status.errors)) == ("Zz refused.md", note_transfer.ERRORS_MAX)


async def test_one_bad_field_never_refuses_a_note(ada):
    files = {"a.md": front("text", created="soon", tags="[a, a, A]", author="B"), "b.md": front("fine", title="Fine")}
    status = await imported(ada, {"v.zip": zip_of(files)})
    assert counts(status) == (2, 0, 0, 0)
    assert [(warning.name, warning.reason) for warning in status.warnings] == [
        ("a.md", '"created" is kept as a property: "soon" is not a date.')
    ]
    assert {note.title: (note.body, note.tags) for note in (await ada.everything()).values()} == {
        **{"a": ("text", ["a"]), "Fine": ("fine", [])},
    }


async def test_so_many_imports_at_a_time_but_for_those_given_up(ada, db):
    for _ in range(imports.UNFINISHED_PER_USER):
        abandoned = await upload(ada, {"a.md": b"x"})
    with pytest.raises(RateLimited):
        await upload(ada, {"a.md": b"x"})
    await db.execute("UPDATE imports SET created_at = created_at - interval '6 minutes' WHERE id = $1", abandoned)
    assert counts(await imported(ada, {"a.md": b"x"})) == (1, 0, 0, 0)


async def test_an_import_is_its_users(ada, bob):
    import_id = await upload(ada, {"a.md": b"hers"})
    with pytest.raises(NotFound):
        await bob.request(note_transfer.IMPORT_GET, import_id=import_id)
    await bob.request(note_transfer.IMPORT_CHUNK, import_id=import_id, file=0, number=1, data=b" and his")
    await bob.request(note_transfer.IMPORT_START, import_id=import_id)
    assert (await ada.request(note_transfer.IMPORT_GET, import_id=import_id)).status == "uploading"
    await ada.request(note_transfer.IMPORT_START, import_id=import_id)
    await finished(ada, import_id)
    assert [note.body for note in (await ada.everything()).values()] == ["hers"]


async def test_a_chunk_after_the_beginning_of_the_work_changes_nothing(ada):
    import_id = await upload(ada, {"a.md": b"whole"})
    await ada.request(note_transfer.IMPORT_START, import_id=import_id)
    await ada.request(note_transfer.IMPORT_CHUNK, import_id=import_id, file=0, number=1, data=b" more")
    await ada.request(note_transfer.IMPORT_START, import_id=import_id)
    await finished(ada, import_id)
    assert [note.body for note in (await ada.everything()).values()] == ["whole"]


@pytest.fixture
async def worker(settings, ada) -> AsyncGenerator[import_worker.ImportWorker]:
    """A worker that the test controls; the service's relay publishes its changes."""
    async with database.pool(settings.database_url, "notes") as pool:
        yield import_worker.ImportWorker(
            ada.nc,
            imports.ImportRepository(pool),
            unit_of_work(pool, Quota(1000, 10**6)),
            LoopHealth(CollectorRegistry()),
        )


async def owned(db, person, import_id: str, attempt: int) -> imports.ClaimedImport:
    """The import as claimed by the worker of this attempt; no other worker will claim it."""
    row = await db.fetchrow(
        "UPDATE imports SET status = 'running', attempt = $2, lease_until = now() + interval '1 hour' "
        "WHERE id = $1 RETURNING files, processed",
        *(import_id, attempt),
    )
    return imports.ClaimedImport(person.actor, import_id, row["files"], attempt, row["processed"])


async def test_what_a_dead_worker_left_is_carried_on_and_counted_once(ada, db, worker, monkeypatch):
    """The worker dies in the middle of a note, twice."""
    real, taken = import_worker.import_note, []

    class Killed(BaseException):
        pass

    async def dies(write, found):
        taken.append(found.name)
        done = await real(write, found)
        if len(taken) in (4, 9):
            raise Killed
        return done

    monkeypatch.setattr(import_worker, "import_note", dies)
    monkeypatch.setattr(import_worker, "BATCH_FILES", 3)
    import_id = await upload(
        ada, {"z.zip": zip_of({"0.png": b""} | {f"{n}.md": f"{n}" for n in range(12)}), "b.md": b"b"}
    )
    for attempt in (1, 2):
        with pytest.raises(Killed):
            await import_worker.ImportExecution(worker, await owned(db, ada, import_id, attempt)).run()
    await import_worker.ImportExecution(worker, await owned(db, ada, import_id, 3)).run()
    status = await finished(ada, import_id)
    assert counts(status) == (13, 0, 0, 1)
    assert len(taken) == 16  # the files of the same transaction are repeated
    assert len(await ada.titles()) == 13
    assert (await ada.request(notes.CHANGES)).cursor == 13


async def test_who_goes_on_with_an_import_says_so_before_there_is_anything_new(ada, db, worker, monkeypatch):
    """Otherwise its lease would end while it only skips files that are done."""
    monkeypatch.setattr(import_worker, "RENEW_SECONDS", 0)
    held = []
    real = imports.ImportRepository.set_total

    async def holds(self, job, total):
        held.append(total)
        await real(self, job, total)

    monkeypatch.setattr(imports.ImportRepository, "set_total", holds)
    files = 4 * import_worker.BATCH_FILES
    import_id = await upload(ada, {"z.zip": zip_of({f"{n}.md": f"{n}" for n in range(files)})})
    await db.execute("UPDATE imports SET processed = $2 WHERE id = $1", import_id, files)
    await import_worker.ImportExecution(worker, await owned(db, ada, import_id, 2)).run()
    assert held == [files] * 5
    assert await ada.titles() == []


async def test_what_does_not_fit_any_more_is_told_by_file(ada, db, worker):
    worker.unit_of_work.quota = Quota(2, 10**6)
    import_id = await upload(ada, {f"{n}.md": b"x" for n in range(4)})
    await import_worker.ImportExecution(worker, await owned(db, ada, import_id, 1)).run()
    status = await finished(ada, import_id)
    assert counts(status) == (2, 0, 0, 2)
    assert [problem.name for problem in status.errors] == ["2.md", "3.md"]
    assert "full" in status.errors[0].reason


@pytest.mark.parametrize("fault", ["in the transaction", "in the database", "when it is read"])
async def test_a_file_that_fails_is_named_and_the_others_are_taken(ada, monkeypatch, fault):
    real_note, real_parse = import_worker.import_note, archive_reader.parse

    async def fails(tx, file):
        if file.name == "2.md" and fault == "in the database":
            await tx.db.execute("SELECT repeat('x', 1 << 30)::tsvector")
        if file.name == "2.md" and fault == "in the transaction":
            await real_note(tx, file)
            raise KeyError("a bug")
        return await real_note(tx, file)

    def cannot_parse(text, *, file_name, modified):
        if file_name == "2.md" and fault == "when it is read":
            raise KeyError("a bug")
        return real_parse(text, file_name=file_name, modified=modified)

    monkeypatch.setattr(import_worker, "import_note", fails)
    monkeypatch.setattr(archive_reader, "parse", cannot_parse)
    status = await imported(ada, {"z.zip": zip_of({f"{n}.md": f"{n}" for n in range(5)}), "b.md": b"b"})
    assert counts(status) == (5, 0, 0, 1)
    (problem,) = status.errors
    assert problem.name == "2.md"
    assert "error in the server" in problem.reason
    assert sorted(await ada.titles()) == ["0", "1", "3", "4", "b"]
    assert (await ada.request(notes.CHANGES)).cursor == 5


async def test_thousands_of_files_that_are_skipped_are_a_few_writes(ada, db, monkeypatch):
    written = 0
    real = imports.ClaimedImport.record

    async def counted(self, db, outcomes):
        nonlocal written
        written += 1
        return await real(self, db, outcomes)

    monkeypatch.setattr(imports.ClaimedImport, "record", counted)
    status = await imported(ada, {"z.zip": zip_of({f"{n}.png": b"" for n in range(5000)} | {"a.md": "a"})})
    assert status.processed == status.total == 5001
    assert (status.created, len(status.errors)) == (1, note_transfer.ERRORS_MAX)
    assert [status.errors[0].name, status.errors[-1].name] == ["0.png", "999.png"]
    assert written <= 7


async def test_another_users_import_starts_while_ones_own_are_under_way(ada, bob, monkeypatch):
    """However many one user has, they are done one after the other."""
    real, hold, under_way, most = import_worker.import_note, asyncio.Event(), set(), 0

    async def held(tx, file):
        nonlocal most
        if tx.actor.user_id == ada.actor.user_id:
            under_way.add(file.name)
            most = max(most, len(under_way))
            await hold.wait()
            under_way.remove(file.name)
        return await real(tx, file)

    monkeypatch.setattr(import_worker, "import_note", held)
    hers = [await upload(ada, {f"{n}.md": b"x"}) for n in range(imports.UNFINISHED_PER_USER)]
    for import_id in hers:
        await ada.request(note_transfer.IMPORT_START, import_id=import_id)
    assert counts(await imported(bob, {"his.md": b"y"})) == (1, 0, 0, 0)
    hold.set()
    assert [counts(await finished(ada, import_id)) for import_id in hers] == [(1, 0, 0, 0)] * len(hers)
    assert most == 1


async def test_replicas_that_claim_at_once_take_one_import_of_each_user(ada, bob, db, settings, monkeypatch):
    """Each claim is committed some time after it was made, so that they overlap."""
    slow = copy(imports.CLAIM)
    slow.sql += ", pg_sleep(0.02)"
    monkeypatch.setattr(imports, "CLAIM", slow)
    for person in (ada, bob):
        for n in range(imports.UNFINISHED_PER_USER):
            await upload(person, {f"{n}.md": b"x"})
    users = [ada.actor.user_id, bob.actor.user_id]
    async with AsyncExitStack() as stack:
        pools = [await stack.enter_async_context(database.pool(settings.database_url, "notes")) for _ in range(3)]
        await db.execute("UPDATE imports SET status = 'queued' WHERE user_id = ANY($1::uuid[])", users)
        claimed = await asyncio.gather(*(imports.ImportRepository(pool).claim() for pool in pools * 4))
    for user_id in users:
        assert sum(one.actor.user_id == user_id for one in claimed if one is not None) <= 1


async def test_a_worker_that_was_taken_for_dead_can_do_nothing_more(ada, db, worker):
    import_id = await upload(ada, {"a.md": b"x"})
    late = await owned(db, ada, import_id, 1)
    newer = await owned(db, ada, import_id, 2)
    with pytest.raises(imports.LeaseLost):
        await import_worker.ImportExecution(worker, late).run()
    assert await ada.titles() == []
    await import_worker.ImportExecution(worker, newer).run()
    for job in (late, newer):
        with pytest.raises(imports.LeaseLost):
            await worker.imports.complete(job)
    assert counts(await finished(ada, import_id)) == (1, 0, 0, 0)


async def test_a_worker_that_is_stopped_gives_its_import_back(ada, db, worker, monkeypatch):
    begun = asyncio.Event()

    async def slow(write, found):
        begun.set()
        await asyncio.Event().wait()

    import_id = await upload(ada, {"a.md": b"x"})
    job = await owned(db, ada, import_id, 1)
    with monkeypatch.context() as patch:
        patch.setattr(import_worker, "import_note", slow)
        working = asyncio.create_task(worker.carry_out(job))
        async with asyncio.timeout(SLOW_SECONDS):
            await begun.wait()
    working.cancel()
    status = await finished(ada, import_id)
    assert counts(status) == (1, 0, 0, 0)


async def test_an_import_that_ends_every_worker_is_given_up(ada, db):
    import_id = await upload(ada, {"a.md": b"x"})
    await db.execute("UPDATE imports SET attempt = $2 WHERE id = $1", import_id, imports.MAX_ATTEMPTS)
    await ada.request(note_transfer.IMPORT_START, import_id=import_id)
    status = await finished(ada, import_id)
    assert (status.status, status.errors[0].name) == ("failed", "a.md")
    assert await db.fetchval("SELECT count(*) FROM import_chunks WHERE import_id = $1", import_id) == 0
