"""What is stored of one run: its events in the log, and what the agent service has of it. Every method raises
`ServiceUnavailable` while the broker or the agent service does not answer."""

from nats.errors import Error as NatsError

from contracts import chat, subjects
from contracts.actor import Actor
from contracts.errors import ServiceUnavailable
from contracts.operation import Operation, ResponseT
from contracts.run_events import EventId, Restarted
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

    async def request_flush(self) -> None:
        """The run's worker, if there is one, writes its events to the log, and publishes the newest again."""
        try:
            await self._nc.publish(subjects.run_control(self._run_id), subjects.FLUSH)
        except NatsError as error:
            raise ServiceUnavailable from error

    async def newest(self) -> Stored | None:
        """The last segment, None where the stream has none (any more)."""
        return await self._history.newest(self._user_id, self._run_id)

    async def position_after(self, last: EventId, newest: Stored) -> int:
        """A position at or some way before the first event after `last`."""
        return await self._history.position_after(self._user_id, self._run_id, last, newest)

    async def page(self, position: int) -> Page:
        return await self._history.page(self._user_id, self._run_id, position)

    async def run(self) -> chat.Run:
        """Raises `NotFound` where the user has no such run."""
        return await self._call(chat.RUN_GET)

    async def rebuilt(self, attempt: int, after: EventId) -> list[LiveEvent]:
        """The events of a run that is over, rebuilt from the database. Their attempt is the one after the last, which
        was `attempt`, so that their ids are no others'. A client that has events of the run gets a `restart` before."""
        rebuilt = await self._call(chat.RUN_REPLAY)
        events = [LiveEvent.rebuilt(attempt + 1, event) for event in rebuilt.events]
        if after.number and after.attempt <= attempt:
            restart = Restarted(attempt=attempt + 1).model_dump_json().encode()
            events.insert(0, LiveEvent(0, attempt + 1, Restarted.event, restart))
        return events

    async def retained(self, after: EventId) -> list[LiveEvent]:
        """The first of the events after `after` that the database retains while the run waits for a person: that may
        take longer than the stream has them. A client that has void events gets those of a later attempt in their
        place."""
        request = chat.ReadRetainedEvents(
            actor=self._actor, run_id=self._run_id, after=after.number, after_attempt=after.attempt
        )
        retained = await call(self._nc, chat.RUN_RETAINED_EVENTS, request)
        return [LiveEvent.retained(event) for event in retained.events]

    async def _call(self, operation: Operation[chat.RunRef, ResponseT]) -> ResponseT:
        return await call(self._nc, operation, chat.RunRef(actor=self._actor, run_id=self._run_id))
