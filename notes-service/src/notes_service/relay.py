"""Publishes the outbox: note changes, for each user in the order of their cursors, whichever replica made them.

**Invariant: a user's change is published only after all earlier ones of that user were acknowledged.** It holds because

- a change that can be read has all earlier ones before it: cursors are given under the lock on the user's feed, which
  is held until the commit (see `repository.note_transaction`);
- one relay at a time publishes for a user: it holds an advisory lock, and reads what is unpublished after it has the
  lock and so after the last holder's marks are committed;
- it publishes a user's changes one after another, each when the one before is acknowledged, and stops at the first that
  is not.

If a mark or an acknowledgement is lost, a change is published twice, but never out of order: readers drop duplicates by
their cursors, the stream by their message ids.

A write wakes the relay of its own replica, which publishes within milliseconds. Changes that are unpublished because of
a crash or an outage of the broker are found by any relay's polling.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress

from nats.aio.client import Client
from nats.js import JetStreamContext

from contracts import subjects
from contracts.errors import ServiceUnavailable
from contracts.user_events import NoteChanged
from notes_service.repository.changes import BATCH_PER_USER, ChangeRepository, UnpublishedBatch
from servicekit.background import LoopHealth, attempt, is_outage

POLL_SECONDS = 1.0
"""How often an idle relay polls for unpublished changes of other replicas, and how long it pauses after a failure."""
CLAIMED_RETRY_SECONDS = 0.005
"""The pause before it continues with a user whom another replica has claimed, or who has more than one batch."""
ACK_SECONDS = 2.0
DRAIN_SECONDS = 3.0


class Relay:
    def __init__(self, nc: Client, changes: ChangeRepository, health: LoopHealth) -> None:
        self.nc = nc
        self.js: JetStreamContext = nc.jetstream()
        self.changes = changes
        self.health = health
        self.users: set[str] = set()
        """The users that have unpublished changes, as far as this relay knows."""
        self.woken = asyncio.Event()
        self.is_stopping = False

    def wake(self, user_id: str) -> None:
        """Wakes the relay, because this user has unpublished changes."""
        self.users.add(user_id)
        self.woken.set()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Publishes until the block ends, then drains pending changes for at most `DRAIN_SECONDS`."""
        task = asyncio.create_task(self._loop())
        try:
            yield
        finally:
            self.is_stopping = True
            self.woken.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(DRAIN_SECONDS):
                    await task

    async def _loop(self) -> None:
        succeeded = True
        while not self.is_stopping or (self.users and succeeded):
            succeeded = await attempt("relay", self._turn, self.health)
            if self.users:
                await asyncio.sleep(CLAIMED_RETRY_SECONDS if succeeded else POLL_SECONDS)

    async def _turn(self) -> None:
        """Publishes for the users with unpublished changes. Unfinished ones stay in `users`, also if it raises."""
        if not self.users:
            await self._wait()
        self.woken.clear()
        if not self.users:
            return
        if not self.nc.is_connected:
            raise ServiceUnavailable("NATS is unreachable: changes stay in the outbox.")
        users, self.users = self.users, set[str]()
        try:
            async with self.changes.claim_unpublished(sorted(users)) as batch:
                errors = await self._publish(batch)
        except BaseException:
            self.users |= users
            raise
        has_more = {user for user, changes in batch.by_user.items() if len(changes) == BATCH_PER_USER}
        self.users |= (users - batch.by_user.keys()) | has_more | errors.keys()
        if errors:
            raise min(errors.values(), key=is_outage)  # prefers a bug to an outage

    async def _wait(self) -> None:
        """Waits until there are `users`, or it is time to poll the outbox."""
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self.woken.wait()
        except TimeoutError:
            self.users.update(await self.changes.users_with_unpublished())

    async def _publish(self, batch: UnpublishedBatch) -> dict[str, Exception]:
        """Publishes for all users of the batch concurrently, so that one whose changes fail does not delay the others,
        and marks what was published. Returns the errors by user."""
        results = await asyncio.gather(*(self._publish_for(user, changes) for user, changes in batch.by_user.items()))
        published: dict[str, int] = {}
        errors: dict[str, Exception] = {}
        for user, (cursor, error) in zip(batch.by_user, results, strict=True):
            if cursor:
                published[user] = cursor
            if error is not None:
                errors[user] = error
        if published:
            await batch.mark_published(published)
        return errors

    async def _publish_for(self, user_id: str, changes: Sequence[NoteChanged]) -> tuple[int, Exception | None]:
        """Returns the cursor up to which the changes are published (0 for none), and the error that stopped it."""
        cursor = 0
        try:
            for change in changes:
                await self.js.publish(
                    subjects.user_notes(user_id),
                    change.model_dump_json(exclude_none=True).encode(),
                    timeout=ACK_SECONDS,
                    headers={"Nats-Msg-Id": f"{user_id}.{change.cursor}"},
                )
                cursor = change.cursor
        except Exception as error:  # raised by `_turn`, after the marks
            return cursor, error
        return cursor, None
