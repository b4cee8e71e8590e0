"""A user's note changes for one WebSocket: in the order of their cursors, each once, none left out.

Invariant: the change sent next has the cursor `_cursor + 1`. One that arrives with a greater cursor is not sent but
makes the feed fetch the changes after `_cursor` from the notes service, which has them all; one with a lower cursor is
a repeat and dropped. While changes are fetched, live ones only raise `_newest`, and fetching goes on up to there.
"""

import asyncio
from collections.abc import Callable

from nats.aio.client import Client

from contracts import notes
from contracts.actor import Actor
from contracts.errors import DomainError, ServiceUnavailable
from contracts.user_events import NoteChanged
from gateway.live.user_message import UserMessage, text_frame
from servicekit.background import LoopHealth, attempt
from servicekit.rpc import call

MAX_REPLAY = 1000
"""A client that has missed more changes than this fetches everything afresh."""
RETRY_SECONDS = 1.0


class NoteFeed:
    """`send` gets each change as a WebSocket frame; `resync` is called where changes are skipped."""

    __slots__ = ("_actor", "_catching_up", "_cursor", "_loops", "_nc", "_newest", "_resync", "_send", "_started")

    def __init__(
        self, nc: Client, loops: LoopHealth, actor: Actor, send: Callable[[bytes], None], resync: Callable[[], None]
    ) -> None:
        self._nc = nc
        self._loops = loops
        self._actor = actor
        self._send = send
        self._resync = resync
        self._cursor = 0
        self._newest = 0  # the greatest cursor received
        self._started = False
        self._catching_up: asyncio.Task[None] | None = None

    async def newest(self) -> int:
        """The cursor of the user's newest change. Raises `ServiceUnavailable`."""
        return (await self._changes(None)).cursor

    def prepare(self, since: int | None, newest: int) -> tuple[int, bool]:
        """The cursor after which `start` will send changes, and whether `since` is too far away to begin there.
        `newest`: a cursor of the user that was read after subscribing, or received.
        """
        lost = since is not None and not newest - MAX_REPLAY <= since <= newest
        self._cursor = newest if since is None or lost else since
        self._newest = max(self._newest, newest)
        return self._cursor, lost

    def start(self) -> None:
        self._started = True
        if self._newest > self._cursor:
            self.catch_up()

    def on_change(self, message: UserMessage) -> None:
        """A change as the notes service published it."""
        assert message.cursor is not None
        cursor = message.cursor
        self._newest = max(self._newest, cursor)
        if not self._started or self._catching_up or cursor <= self._cursor:
            return
        if cursor == self._cursor + 1:
            self._cursor = cursor
            self._send(message.frame)
        else:
            self.catch_up()

    def catch_up(self) -> None:
        """Fetches what may have been missed."""
        if self._started and self._catching_up is None:
            self._catching_up = asyncio.ensure_future(self._catch_up())

    def close(self) -> None:
        if self._catching_up:
            self._catching_up.cancel()

    async def _catch_up(self) -> None:
        while True:
            if await attempt("note feed", self._fetch, self._loops):
                break
            await asyncio.sleep(RETRY_SECONDS)
        self._catching_up = None

    async def _fetch(self) -> None:
        """Sends the changes after `_cursor`. Raises `ServiceUnavailable` where the notes service answers an error."""
        while True:
            try:
                feed = await self._changes(self._cursor)
            except DomainError as error:
                raise ServiceUnavailable(f"The notes service answers {error.code}.") from error
            if feed.expired:
                self._resync()
            for change in feed.changes:
                event = NoteChanged.model_validate(change.model_dump(exclude={"note"}))
                self._send(text_frame(event.model_dump_json(exclude_none=True).encode()))
            self._cursor = max(self._cursor, feed.cursor)
            if not feed.changes or self._cursor >= self._newest:
                return

    async def _changes(self, since: int | None) -> notes.ChangeFeed:
        return await call(self._nc, notes.CHANGES, notes.ListChanges(actor=self._actor, since=since))
