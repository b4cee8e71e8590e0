"""What streams and WebSockets share in one process."""

from dataclasses import dataclass

from gateway.live.sessions import OpenSessions
from gateway.live.sockets import OpenSockets
from gateway.live.sources import Sources
from gateway.live.streams import OpenStreams


@dataclass(frozen=True)
class LiveServices:
    sources: Sources
    sessions: OpenSessions
    streams: OpenStreams
    sockets: OpenSockets
