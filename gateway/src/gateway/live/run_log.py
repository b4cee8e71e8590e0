"""What one run has published and become: read forward from the stream, and from the agent service where the stream has
deleted it. Everything here raises `ServiceUnavailable` when nobody answers."""

from contracts import chat
from contracts.actor import Actor
from contracts.operation import Operation, ResponseT
from gateway.live.event import LiveEvent
from gateway.live.sources import Sources
from gateway.live.stream_history import Page, Stored
from servicekit.rpc import call


class RunLog:
    def __init__(self, sources: Sources, user_id: str, run_id: str) -> None:
        self._sources = sources
        self._user_id = user_id
        self._actor = Actor(kind="user", user_id=user_id)
        self._run_id = run_id
        self._position = 1  # where in the stream the next page begins
        self._anchor = 1  # up to where everything in it has been given out

    async def newest(self) -> Stored | None:
        return await self._sources.history.newest(self._user_id, self._run_id)

    async def begin_before(self, after: int, newest: Stored) -> None:
        """Goes some way before the run's event `after` + 1."""
        self._position = await self._sources.history.place_of(self._user_id, self._run_id, after, newest)

    async def page(self) -> Page:
        page = await self._sources.history.page(self._user_id, self._run_id, self._position)
        self._position = page.position
        return page

    def given_out(self) -> None:
        """Everything read so far."""
        self._anchor = self._position

    def back(self) -> None:
        """To where something read has not been given out."""
        self._position = self._anchor

    def to_start(self) -> None:
        """What is missing may lie before where the reading began."""
        self._position = self._anchor = 1

    async def run(self) -> chat.Run:
        """Raises `NotFound` where the user has no such run."""
        return await self._ask(chat.RUN_GET)

    async def rebuilt(self, after: int) -> list[LiveEvent]:
        """What the database keeps of a run that is over, numbered to follow on `after`."""
        stored = await self._ask(chat.RUN_REPLAY)
        return [LiveEvent.rebuilt(seq, event) for seq, event in enumerate(stored.events, after + 1)]

    async def kept(self, after: int) -> list[LiveEvent]:
        """Some of what follows on `after` of what a run had said when it began to wait for a person."""
        request = chat.ReadRetainedEvents(actor=self._actor, run_id=self._run_id, after=after)
        kept = await call(self._sources.nc, chat.RUN_RETAINED_EVENTS, request)
        return [LiveEvent(event.id, event.attempt, event.event, event.data.encode()) for event in kept.events]

    async def _ask(self, operation: Operation[chat.RunRef, ResponseT]) -> ResponseT:
        return await call(self._sources.nc, operation, chat.RunRef(actor=self._actor, run_id=self._run_id))
