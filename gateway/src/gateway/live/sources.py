"""What every reader of a run shares."""

from dataclasses import dataclass
from functools import cached_property

from nats.aio.client import Client

from gateway.live.hub import Hub
from gateway.live.reader_state_machine import ReaderTimeouts
from gateway.live.shared_timer import SharedTimer
from gateway.live.stream_history import StreamHistory
from servicekit.background import LoopHealth


@dataclass(frozen=True)
class Sources:
    nc: Client
    hub: Hub
    history: StreamHistory
    timeouts: ReaderTimeouts
    loops: LoopHealth

    @cached_property
    def looks(self) -> SharedTimer:
        """For readers whose run is silent. Those of one run look at the same time, so that they read the log once."""
        return SharedTimer(self.timeouts.look / 4)

    def reconnected(self) -> None:
        """The connection to NATS was lost and is back."""
        self.history.reconnected()
        self.hub.reconnected()
