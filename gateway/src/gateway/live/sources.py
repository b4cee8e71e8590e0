"""What every reader of a run shares."""

from dataclasses import dataclass

from nats.aio.client import Client

from gateway.live.hub import Hub
from gateway.live.reader_state_machine import ReaderTimeouts
from gateway.live.stream_history import StreamHistory
from servicekit.background import LoopHealth


@dataclass(frozen=True)
class Sources:
    nc: Client
    hub: Hub
    history: StreamHistory
    timeouts: ReaderTimeouts
    loops: LoopHealth

    def reconnected(self) -> None:
        """The connection to NATS was lost and is back."""
        self.history.reconnected()
        self.hub.reconnected()
