"""Objects: the bytes of files, in a folder or in an S3-compatible store.

An object has a name that is used once, and is written whole or not at all; it never changes. So whoever knows that it
is there may read it in ranges and at any time, and to write it again after an unknown outcome is safe.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, AsyncIterable, Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import structlog

from contracts.errors import NotFound, ServiceUnavailable
from servicekit.error_logging import describe

if TYPE_CHECKING:
    from obstore.store import ObjectStore as Store

log = structlog.stdlib.get_logger()

CHUNK_BYTES = 512 * 1024
"""Of a stream: what its reader holds at a time."""
UPLOAD_CHUNK_BYTES = 5 * 1024 * 1024
"""The least that S3 takes as a part."""
ATTEMPTS, ATTEMPTS_SECONDS = 3, 20
NOT_SET_UP = "This server stores no files: its administrator has to set INKSTREAM_FILES_URL."


class ObjectMissing(NotFound):
    """The content of this file is missing on the server. Its administrator may have a backup."""


class ObjectStore:
    """The store at a URL: `file:///folder` or `s3://bucket/prefix`. For S3, the variables `AWS_ACCESS_KEY_ID`,
    `AWS_SECRET_ACCESS_KEY`, `AWS_REGION` and `AWS_ENDPOINT_URL` say the rest.

    Every method raises `ServiceUnavailable` while the store does not answer, and without a URL.
    """

    def __init__(self, url: str | None) -> None:
        self._url = url

    @cached_property
    def folder(self) -> Path | None:
        """Where the objects are, if they are in a folder."""
        parts = urlsplit(self._url or "")
        return Path(unquote(parts.path)) if parts.scheme == "file" else None

    def check(self) -> None:
        """Raises `ServiceUnavailable` without a URL."""
        if self._url is None:
            raise ServiceUnavailable(NOT_SET_UP)

    async def put(self, key: str, data: bytes) -> None:
        from obstore import put_async  # noqa: PLC0415

        with _translated():
            await put_async(self._store, key, data, use_multipart=False)
        await self._sync(key)

    async def put_stream(self, key: str, chunks: AsyncIterable[bytes]) -> None:
        """Nothing is there if `chunks` raises."""
        from obstore import put_async  # noqa: PLC0415

        with _translated():
            await put_async(self._store, key, chunks, chunk_size=UPLOAD_CHUNK_BYTES, max_concurrency=2)
        await self._sync(key)

    async def read(self, key: str, start: int, stop: int) -> bytes:
        """The bytes from `start` to before `stop`. Raises `ObjectMissing`."""
        from obstore import get_range_async  # noqa: PLC0415

        with _translated():
            return bytes(await get_range_async(self._store, key, start=start, end=stop))

    async def stream(self, key: str, start: int, stop: int) -> AsyncGenerator[bytes]:
        """The same in chunks. Each is a request of its own, so that a slow reader keeps no connection open. Raises
        `ObjectMissing`, also between two chunks: the object may be deleted meanwhile."""
        for at in range(start, stop, CHUNK_BYTES):
            yield await self.read(key, at, min(at + CHUNK_BYTES, stop))

    async def delete(self, key: str) -> None:
        """A repeat does nothing."""
        from obstore import delete_async  # noqa: PLC0415

        try:
            with _translated():
                await delete_async(self._store, key)
        except ObjectMissing:
            pass

    async def keys(self, *, older_than: timedelta) -> AsyncGenerator[list[str]]:
        """The keys of all objects that were written before, in batches."""
        import obstore  # noqa: PLC0415

        with _translated():
            listed = obstore.list(self._store, chunk_size=1000)
        while True:
            with _translated():
                batch = await anext(aiter(listed), None)
            if batch is None:
                return
            yield [one["path"] for one in batch if _age(one["last_modified"]) > older_than]

    def delete_partial(self, *, older_than: timedelta) -> None:
        """Deletes files that a crash left half written in the folder. S3 keeps none, or its lifecycle rules say so."""
        if self.folder is None:
            return
        for path in self.folder.glob("*/*#*"):  # the library's name for a file until it is complete
            if time.time() - path.stat().st_mtime > older_than.total_seconds():
                path.unlink(missing_ok=True)

    @cached_property
    def _store(self) -> Store:
        """Made when it is first needed: the library takes memory, and a service may never need it."""
        from obstore.store import LocalStore, from_url  # noqa: PLC0415

        self.check()
        assert self._url is not None
        if self.folder is not None:
            return LocalStore(self.folder, mkdir=True)
        return from_url(
            self._url,
            client_options={"allow_http": True, "timeout": "60s"},  # a server of the operator's own may have no TLS
            retry_config={"max_retries": ATTEMPTS, "retry_timeout": timedelta(seconds=ATTEMPTS_SECONDS)},
        )

    async def _sync(self, key: str) -> None:
        """The library leaves it to the operating system when a file reaches the disk; what was confirmed must survive a
        power failure."""
        if self.folder is not None:
            await asyncio.to_thread(_sync_file, self.folder / key)


def _sync_file(path: Path) -> None:
    for one in (path, path.parent, path.parent.parent):
        descriptor = os.open(one, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _age(moment: datetime) -> timedelta:
    return datetime.now(moment.tzinfo) - moment


@contextmanager
def _translated() -> Generator[None]:
    from obstore.exceptions import BaseError  # noqa: PLC0415

    try:
        yield
    except FileNotFoundError as error:
        raise ObjectMissing from error
    except (BaseError, OSError) as error:
        log.warning("the object store does not answer", error=describe(error))
        raise ServiceUnavailable from error
