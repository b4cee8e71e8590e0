"""The open event streams of this process: counted, and ended when it stops."""

from typing import Protocol

from gateway.live.shared_timer import SharedTimer
from gateway.metrics import Metrics

TICK_SECONDS = 0.5


class Stream(Protocol):
    def end(self) -> None: ...

    def check_silence(self, now: float) -> None:
        """Called every `TICK_SECONDS`."""
        ...


class OpenStreams:
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._open: set[Stream] = set()
        self._timer = SharedTimer(TICK_SECONDS)
        self._events = 0

    def add(self, stream: Stream) -> None:
        self._open.add(stream)
        self._timer.add(stream.check_silence)
        self._timer.add(self._add_events)
        self._metrics.open_streams.inc()

    def remove(self, stream: Stream) -> None:
        self._open.discard(stream)
        self._timer.discard(stream.check_silence)
        self._add_events()
        if not self._open:
            self._timer.discard(self._add_events)
        self._metrics.open_streams.dec()

    def count_event(self, events: int = 1) -> None:
        """`events` were written to a client. They are added to the metric with the next tick: it would cost more than
        the write."""
        self._events += events

    def _add_events(self, _now: float = 0) -> None:
        self._metrics.events.inc(self._events)
        self._events = 0

    def end_all(self) -> None:
        """They end without `done`: their clients reconnect, to another gateway or to this one's successor."""
        for stream in list(self._open):
            stream.end()
