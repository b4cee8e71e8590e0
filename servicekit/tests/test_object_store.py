"""The same for a folder and for S3."""

import os
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest

from contracts.errors import NotFound, ServiceUnavailable
from contracts.ids import new_id
from servicekit.object_store import CHUNK_BYTES, ObjectStore

LARGE = os.urandom(6 * 1024**2)
"""More than one part of S3."""


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "s3":
        return ObjectStore(f"{request.getfixturevalue('s3')}/{new_id()}")
    return ObjectStore(f"file://{tmp_path}/a%20folder")


async def whole(store: ObjectStore, key: str, size: int) -> bytes:
    return b"".join([chunk async for chunk in store.stream(key, 0, size)])


async def listed(store: ObjectStore, older_than: timedelta) -> list[str]:
    return sorted([key async for batch in store.keys(older_than=older_than) for key in batch])


async def test_what_is_written_is_read_whole_and_in_ranges(store: ObjectStore) -> None:
    await store.put("user/one", b"0123456789")
    assert await store.read("user/one", 2, 5) == b"234"
    assert await whole(store, "user/one", 10) == b"0123456789"

    async def chunks() -> AsyncGenerator[bytes]:
        for start in range(0, len(LARGE), CHUNK_BYTES):
            yield LARGE[start : start + CHUNK_BYTES]

    await store.put_stream("user/two", chunks())
    assert await whole(store, "user/two", len(LARGE)) == LARGE


async def test_what_is_deleted_is_missing(store: ObjectStore) -> None:
    await store.put("user/one", b"1")
    await store.delete("user/one")
    await store.delete("user/one")
    with pytest.raises(NotFound):
        await store.read("user/one", 0, 1)


async def test_of_a_stream_that_fails_nothing_is_there(store: ObjectStore) -> None:
    async def failing() -> AsyncGenerator[bytes]:
        yield LARGE
        raise ServiceUnavailable

    with pytest.raises(ServiceUnavailable):
        await store.put_stream("user/one", failing())
    with pytest.raises(NotFound):
        await store.read("user/one", 0, 1)
    assert await listed(store, timedelta(days=-1)) == []


async def test_old_objects_are_listed(store: ObjectStore) -> None:
    for number in range(3):
        await store.put(f"user/{number}", b"1")
    assert await listed(store, timedelta(days=1)) == []
    assert await listed(store, timedelta(days=-1)) == ["user/0", "user/1", "user/2"]


async def test_a_half_written_file_is_deleted_when_it_is_old(tmp_path: Path) -> None:
    store = ObjectStore(f"file://{tmp_path}")
    await store.put("user/one", b"1")
    left = tmp_path / "user" / "two#1"
    left.write_bytes(b"half")
    store.delete_partial(older_than=timedelta(days=1))
    assert left.exists()
    store.delete_partial(older_than=timedelta(days=-1))
    assert not left.exists()
    assert await store.read("user/one", 0, 1) == b"1"


async def test_without_a_store_the_error_says_what_to_do() -> None:
    with pytest.raises(ServiceUnavailable, match="INKSTREAM_FILES_URL"):
        await ObjectStore(None).put("user/one", b"1")


async def test_a_store_that_is_away_is_an_outage(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file where the folder should be")
    with pytest.raises(ServiceUnavailable):
        await ObjectStore(f"file://{tmp_path}/store").put("user/one", b"1")
