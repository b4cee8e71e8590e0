"""The open event streams of this process: counted, and ended when it stops."""

from typing import Protocol

from gateway.metrics import Metrics


class Stream(Protocol):
    def end(self) -> None: ...


class OpenStreams:
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._open: set[Stream] = set()

    def add(self, stream: Stream) -> None:
        self._open.add(stream)
        self._metrics.open_streams.inc()

    def remove(self, stream: Stream) -> None:
        self._open.discard(stream)
        self._metrics.open_streams.dec()

    def count_events(self, events: int) -> None:
        """`events` were written to a client."""
        self._metrics.events.inc(events)

    def end_all(self) -> None:
        """They end without `done`: their clients reconnect, to another gateway or to this one's successor."""
        for stream in list(self._open):
            stream.end()
