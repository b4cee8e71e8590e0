"""A user's note changes for one socket: in cursor order, each once, none left out, whatever the broker missed."""

import asyncio
from collections.abc import Callable

import orjson
import structlog
from nats.aio.client import Client

from contracts import notes
from contracts.actor import Actor
from contracts.errors import DomainError
from contracts.user_events import NoteChanged
from servicekit.rpc import call

log = structlog.stdlib.get_logger()

MAX_REPLAY = 1000
"""Who has missed more changes than this fetches everything afresh."""
RETRY_SECONDS = 1.0


class NoteFeed:
    """`send` gets the JSON of each change; `resync` is called where changes are skipped."""

    def __init__(self, nc: Client, actor: Actor, send: Callable[[bytes], None], resync: Callable[[], None]) -> None:
        self._nc = nc
        self._actor = actor
        self._send = send
        self._resync = resync
        self._cursor = 0
        self._newest = 0  # the greatest cursor heard of
        self._started = False
        self._task: asyncio.Task[None] | None = None

    async def start(self, since: int | None) -> tuple[int, bool]:
        """Where the changes begin that `go` will send, and whether `since` is too far away to begin there.

        Listen to the user's subject before. Raises `ServiceUnavailable` where the notes service does not answer.
        """
        newest = (await self._changes(None)).cursor
        lost = since is not None and not newest - MAX_REPLAY <= since <= newest
        self._cursor = newest if since is None or lost else since
        self._newest = max(self._newest, newest)
        return self._cursor, lost

    def go(self) -> None:
        self._started = True
        if self._newest > self._cursor:
            self.catch_up()

    def hear(self, data: bytes) -> None:
        """A change as the notes service published it."""
        cursor: int = orjson.loads(data)["cursor"]
        self._newest = max(self._newest, cursor)
        if not self._started or self._task or cursor <= self._cursor:
            return
        if cursor == self._cursor + 1:
            self._cursor = cursor
            self._send(data)
        else:
            self.catch_up()

    def catch_up(self) -> None:
        if self._started and self._task is None:
            self._task = asyncio.ensure_future(self._read())

    def close(self) -> None:
        if self._task:
            self._task.cancel()

    async def _read(self) -> None:
        while True:
            try:
                feed = await self._changes(self._cursor)
            except DomainError as error:
                log.warning("note changes unavailable", error=error.code)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if feed.expired:
                self._resync()
            for change in feed.changes:
                told = NoteChanged.model_validate(change.model_dump(exclude={"note"}))
                self._send(told.model_dump_json(exclude_none=True).encode())
            self._cursor = max(self._cursor, feed.cursor)
            if not feed.changes or self._cursor >= self._newest:
                break
        self._task = None

    async def _changes(self, since: int | None) -> notes.ChangeFeed:
        return await call(self._nc, notes.CHANGES, notes.ListChanges(actor=self._actor, since=since))
