"""Publishes note changes, per user in the order of their cursors, whichever replica made them.

A write wakes the relay of its own replica, which publishes within milliseconds. What a crash or an absent broker left
unpublished, any replica finds by looking every second. While one publishes for a user the others keep off that user
(an advisory lock), so the order holds; a change may be published twice, and readers know it by its cursor.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress

import structlog
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext

from contracts import subjects
from contracts.user_events import NoteChanged
from notes_service.repository.changes import PUBLISH_AT_ONCE, Batch, Changes

log = structlog.stdlib.get_logger()

LOOK_SECONDS = 1.0
"""How often a relay that nobody wakes looks for what others left."""
AGAIN_SECONDS = 0.005
"""How soon it looks again at a user for whom another replica was publishing."""
ACK_SECONDS = 2.0
FINISH_SECONDS = 3.0


class Relay:
    def __init__(self, nc: Client, changes: Changes) -> None:
        self.nc = nc
        self.js: JetStreamContext = nc.jetstream()
        self.changes = changes
        self.users: set[str] = set()
        self.woken = asyncio.Event()
        self.stopping = False

    def wake(self, user_id: str) -> None:
        """This user has something to publish."""
        self.users.add(user_id)
        self.woken.set()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Publishes until the block ends, and then what is still waiting, for a few seconds at most."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            self.stopping = True
            self.woken.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(FINISH_SECONDS):
                    await task

    async def _run(self) -> None:
        works = True
        while not self.stopping or (self.users and works):
            if not self.users:
                await self._wait()
            works = await self._turn()
            if self.users:
                await asyncio.sleep(AGAIN_SECONDS if works else LOOK_SECONDS)

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self.woken.wait()
        except TimeoutError:
            await self._look()

    async def _look(self) -> None:
        try:
            self.users.update(await self.changes.waiting())
        except Exception as error:  # the database is away: the service's health says so, the next look tries again
            log.warning("cannot look for unpublished changes", error=repr(error))

    async def _turn(self) -> bool:
        """Publishes for the users who are waiting; those who are not done stay. False when it has to pause."""
        users, self.users = self.users, set[str]()
        self.woken.clear()
        if not users:
            return True
        if not self.nc.is_connected:
            self.users |= users
            return False
        try:
            async with self.changes.to_publish(sorted(users)) as batch:
                last = await self._publish(batch)
        except Exception as error:  # whatever it is, the changes are safe in the database: try again
            log.warning("cannot publish changes", users=len(users), error=repr(error))
            self.users |= users
            return False
        full = {user for user, changes in batch.by_user.items() if len(changes) == PUBLISH_AT_ONCE}
        stuck = {user for user, changes in batch.by_user.items() if changes and last[user] != changes[-1].cursor}
        self.users |= (users - batch.by_user.keys()) | full | stuck
        return not stuck

    async def _publish(self, batch: Batch) -> dict[str, int]:
        """All users at once. The cursor up to which each one's changes are published; 0 for none."""
        users = batch.by_user
        cursors = await asyncio.gather(*(self._publish_for(user, changes) for user, changes in users.items()))
        last = dict(zip(users, cursors, strict=True))
        for user, cursor in last.items():
            if cursor:
                await batch.mark(user, cursor)
        return last

    async def _publish_for(self, user_id: str, changes: Sequence[NoteChanged]) -> int:
        """One after another, each acknowledged before the next."""
        last = 0
        for change in changes:
            try:
                await self.js.publish(
                    subjects.user_notes(user_id),
                    change.model_dump_json(exclude_none=True).encode(),
                    timeout=ACK_SECONDS,
                    headers={"Nats-Msg-Id": f"{user_id}.{change.cursor}"},
                )
            except NatsError as error:
                log.warning("a change was not acknowledged", error=repr(error))
                break
            last = change.cursor
        return last
