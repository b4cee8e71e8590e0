"""What is left of files: objects are deleted once nothing refers to them, whoever dies in between, and no others."""

import asyncio
import io
import os
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from contracts import files
from contracts.errors import NotFound, ServiceUnavailable, UploadConflict
from contracts.files import object_key
from contracts.ids import new_id
from notes_service.files import picture_process
from notes_service.files.collection import BATCH, Collector
from notes_service.files.pictures import PictureReader
from notes_service.files.service import FileService
from notes_service.main import SCHEMA
from notes_service.repository.files import FileQuota, FileRepository
from servicekit import database
from servicekit.object_store import ObjectStore

from .conftest import Person

ANY_AGE = timedelta(days=-1)


@pytest.fixture
async def pool(postgres, service: None) -> AsyncGenerator[Any]:
    async with database.pool(postgres.dsn("notes"), SCHEMA, size=8) as opened:
        yield opened


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return ObjectStore(f"file://{tmp_path}/files")


@pytest.fixture
def repository(pool) -> FileRepository:
    return FileRepository(pool, FileQuota(1000, 1024**3))


@pytest.fixture
def replica(repository: FileRepository, store: ObjectStore) -> FileService:
    return FileService(repository, store, 1024**2)


@pytest.fixture
def collector(repository: FileRepository, store: ObjectStore) -> Collector:
    return Collector(repository, store)


async def add(replica: FileService, ada: Person, data: bytes, upload: files.Upload) -> str:
    """A part as the gateway stores it; returns its object's id."""
    object_id = new_id()
    await replica.store.put(object_key(ada.actor.user_id, object_id), data)
    await replica.add_part(
        files.AddPart(actor=ada.actor, id=upload.id, offset=upload.offset, object_id=object_id, bytes=len(data))
    )
    return object_id


async def begun(replica: FileService, ada: Person, length: int) -> files.Upload:
    return await replica.begin(files.BeginUpload(actor=ada.actor, name="a.bin", length=length))


async def finish(replica: FileService, ada: Person, upload: files.Upload) -> files.File:
    return await replica.finish(files.FinishUpload(actor=ada.actor, id=upload.id))


async def uploaded(replica: FileService, ada: Person, *parts: bytes) -> files.File:
    upload = await begun(replica, ada, sum(map(len, parts)))
    for part in parts:
        await add(replica, ada, part, upload)
        upload = await replica.upload(files.UploadRef(actor=ada.actor, id=upload.id))
    return await finish(replica, ada, upload)


def objects(store: ObjectStore, person: Person) -> set[str]:
    folder = (store.folder or Path()) / person.actor.user_id
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


async def collect(collector: Collector) -> None:
    while await collector.delete_unused() == BATCH:
        pass


async def test_a_file_of_several_parts_is_one_object(replica, store, collector, ada) -> None:
    first, second = os.urandom(1000), os.urandom(500)
    file = await uploaded(replica, ada, first, second)
    stored = await replica.get(files.FileRef(actor=ada.actor, id=file.id))
    assert await store.read(object_key(ada.actor.user_id, stored.object_id), 0, 1500) == first + second
    await collect(collector)
    assert objects(store, ada) == {stored.object_id}


async def test_the_same_content_again_leaves_nothing_behind(replica, store, collector, ada) -> None:
    one, two = await uploaded(replica, ada, b"the same"), await uploaded(replica, ada, b"the ", b"same")
    assert one == two
    await collect(collector)
    assert len(objects(store, ada)) == 1


async def test_finishing_twice_at_the_same_time_makes_one_file(replica, store, collector, ada) -> None:
    for parts in ([b"one part"], [b"several ", b"parts"]):
        upload = await begun(replica, ada, sum(map(len, parts)))
        for part in parts:
            await add(replica, ada, part, upload)
            upload = await replica.upload(files.UploadRef(actor=ada.actor, id=upload.id))
        same = await asyncio.gather(*(finish(replica, ada, upload) for _ in range(4)))
        assert len({file.id for file in same}) == 1
    await collect(collector)
    stored = [await replica.get(files.FileRef(actor=ada.actor, id=same[0].id))]
    assert len(objects(store, ada)) == 2
    assert stored[0].object_id in objects(store, ada)
    assert (await replica.usage(files.FileRequest(actor=ada.actor))).files == 2


async def test_a_part_sent_again_is_the_same_part_and_another_one_is_refused(replica, ada) -> None:
    upload = await begun(replica, ada, 20)
    part = files.AddPart(actor=ada.actor, id=upload.id, offset=0, object_id=new_id(), bytes=10)
    assert (await replica.add_part(part)).offset == 10
    assert (await replica.add_part(part)).offset == 10
    with pytest.raises(UploadConflict):
        await replica.add_part(part.model_copy(update={"object_id": new_id()}))


async def test_a_deleted_file_is_deleted_once_over_replicas(replica, repository, store, ada) -> None:
    ids = [(await uploaded(replica, ada, os.urandom(10))).id for _ in range(120)]
    for file_id in ids:
        await replica.delete(files.FileRef(actor=ada.actor, id=file_id))
    assert len(objects(store, ada)) == 120
    deleted: list[str] = []

    class Counting(ObjectStore):
        async def delete(self, key: str) -> None:
            if key.startswith(ada.actor.user_id):
                deleted.append(key)
            await store.delete(key)

    await asyncio.gather(*(collect(Collector(repository, Counting(None))) for _ in range(3)))
    assert objects(store, ada) == set()
    assert len(deleted) == len(set(deleted)) == 120
    assert (await replica.usage(files.FileRequest(actor=ada.actor))).file_bytes == 0


async def test_a_collector_that_dies_leaves_the_objects_to_the_next(replica, repository, store, collector, ada) -> None:
    file = await uploaded(replica, ada, b"x")
    await replica.delete(files.FileRef(actor=ada.actor, id=file.id))

    class Failing(ObjectStore):
        async def delete(self, key: str) -> None:
            raise ServiceUnavailable

    with pytest.raises(ServiceUnavailable):
        await Collector(repository, Failing(None)).delete_unused()
    assert len(objects(store, ada)) == 1
    await collect(collector)
    assert objects(store, ada) == set()


async def test_what_a_crash_left_is_found_and_nothing_else(replica, store, collector, ada, bob) -> None:
    """An object whose row was never written; a file, an unfinished upload and what is no object of ours stay."""
    file = await uploaded(replica, ada, b"a file")
    upload = await begun(replica, ada, 10)
    part = await add(replica, ada, b"part", upload)
    stored = await replica.get(files.FileRef(actor=ada.actor, id=file.id))
    left = new_id()
    await store.put(object_key(ada.actor.user_id, left), b"left")
    await store.put("somebody/else", b"not ours")
    await collector.delete_left()  # nothing is old enough
    assert left in objects(store, ada)
    await collector.delete_left(ANY_AGE)
    assert objects(store, ada) == {stored.object_id, part}
    assert await store.read("somebody/else", 0, 8) == b"not ours"


async def test_an_upload_that_expires_gives_its_room_back(replica, store, collector, db, ada) -> None:
    upload = await begun(replica, ada, 1000)
    await add(replica, ada, b"begun", upload)
    assert (await replica.usage(files.FileRequest(actor=ada.actor))).file_bytes == 1000
    await db.execute("UPDATE uploads SET expires_at = now() WHERE id = $1", upload.id)
    with pytest.raises(NotFound):
        await replica.upload(files.UploadRef(actor=ada.actor, id=upload.id))
    assert (await replica.usage(files.FileRequest(actor=ada.actor))).file_bytes == 0
    await collector.collect()
    assert objects(store, ada) == set()


@pytest.mark.parametrize("bounds", ["MEMORY_BYTES = 128 * 1024**2", "CPU_SECONDS = 1; process.read = spin"])
async def test_a_picture_that_takes_too_much_is_refused(monkeypatch, tmp_path: Path, bounds: str) -> None:
    """The system ends a process that takes too much memory or time; the next picture is read as always."""
    script = tmp_path / "bounded.py"
    script.write_text(
        "import importlib.util\n"
        f"spec = importlib.util.spec_from_file_location('process', {picture_process.__file__!r})\n"
        "process = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(process)\n"
        "def spin(data, limit):\n    while True: pass\n"
        f"process.{bounds}\n"
        "process.main()\n"
    )
    written = io.BytesIO()
    Image.new("RGB", (7000, 7000)).save(written, "PNG")
    reader, user_id = PictureReader(), new_id()
    monkeypatch.setattr(picture_process, "__file__", str(script))
    assert await reader.read(user_id, written.getvalue(), 256) is None
    monkeypatch.undo()
    picture = await reader.read(user_id, written.getvalue(), 256)
    assert picture is not None
    assert (picture.width, picture.height) == (7000, 7000)
