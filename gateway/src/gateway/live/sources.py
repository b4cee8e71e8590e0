"""What a reader of a run stands between: where events come from, where they go, and how long it waits for them."""

from dataclasses import dataclass
from typing import Protocol

from nats.aio.client import Client

from gateway.live.event import LiveEvent
from gateway.live.hub import Hub
from gateway.live.stream_history import StreamHistory


class Sink(Protocol):
    """Where events go."""

    def put(self, event: LiveEvent) -> None: ...

    def end(self) -> None:
        """`done` was the last event."""
        ...

    async def room(self) -> None:
        """Returns when the client has taken most of what it was given."""
        ...


@dataclass(frozen=True)
class ReaderTimeouts:
    """Seconds without a new event. After `look` the history is read again, after `ask` the agent service is asked,
    after `limit` the stream ends with a time-out, unless the run waits for a person."""

    look: float = 10.0
    ask: float = 30.0
    limit: float = 90.0


@dataclass(frozen=True)
class Sources:
    nc: Client
    hub: Hub
    history: StreamHistory
    timeouts: ReaderTimeouts

    def reconnected(self) -> None:
        """The connection to NATS was lost and is back."""
        self.history.reconnected()
        self.hub.reconnected()
