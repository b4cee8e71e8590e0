"""What is stored of one run: its events in the stream, and what the agent service has of it. Every method raises
`ServiceUnavailable` while the broker or the agent service does not answer."""

from contracts import chat
from contracts.actor import Actor
from contracts.operation import Operation, ResponseT
from gateway.live.event import LiveEvent
from gateway.live.sources import Sources
from gateway.live.stream_history import Page, Stored
from servicekit.rpc import call


class RunLog:
    def __init__(self, sources: Sources, user_id: str, run_id: str) -> None:
        self._nc = sources.nc
        self._history = sources.history
        self._user_id = user_id
        self._actor = Actor(kind="user", user_id=user_id)
        self._run_id = run_id

    async def newest(self) -> Stored | None:
        """The last stored event, None where the stream has none (any more)."""
        return await self._history.newest(self._user_id, self._run_id)

    async def position_before(self, after: int, newest: Stored) -> int:
        """A position at or some way before the event `after` + 1."""
        return await self._history.position_before(self._user_id, self._run_id, after, newest)

    async def page(self, position: int) -> Page:
        return await self._history.page(self._user_id, self._run_id, position)

    async def run(self) -> chat.Run:
        """Raises `NotFound` where the user has no such run."""
        return await self._call(chat.RUN_GET)

    async def rebuilt(self, after: int) -> list[LiveEvent]:
        """The events of a run that is over, rebuilt from the database and numbered `after` + 1, …"""
        rebuilt = await self._call(chat.RUN_REPLAY)
        return [LiveEvent.rebuilt(seq, event) for seq, event in enumerate(rebuilt.events, after + 1)]

    async def retained(self, after: int) -> list[LiveEvent]:
        """The first of the events after number `after` that the database retains while the run waits for a person: that
        may take longer than the stream has them."""
        request = chat.ReadRetainedEvents(actor=self._actor, run_id=self._run_id, after=after)
        retained = await call(self._nc, chat.RUN_RETAINED_EVENTS, request)
        return [LiveEvent(event.id, event.attempt, event.event, event.data.encode()) for event in retained.events]

    async def _call(self, operation: Operation[chat.RunRef, ResponseT]) -> ResponseT:
        return await call(self._nc, operation, chat.RunRef(actor=self._actor, run_id=self._run_id))
