"""How many connections and requests this process takes: for each address, and within its descriptors."""

import resource
import time
from collections import Counter

import structlog

from gateway.addresses import TrustedProxies, source
from gateway.metrics import Metrics
from gateway.settings import Settings
from servicekit.memory import give_back

log = structlog.stdlib.get_logger()

RESERVED_DESCRIPTORS = 128
"""Kept for PostgreSQL, NATS, uploads and files."""
PER_ADDRESS, SHARE = 1_000, 4
"""Where nothing is set, one address has so many connections, but not more than one in `SHARE` of those for which there
are descriptors. A whole office may have one address."""
LOG_SECONDS = 10.0
CROWD = 500
"""So many connections have some megabytes."""


class AddressLimit:
    """Counts what is open by the address that it comes from, at most `most` each."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: Counter[str] = Counter()

    def enter(self, address: str) -> bool:
        """Counts one more; False where the bound is reached. Call `leave` once for each True."""
        key = source(address)
        if self._open[key] >= self._most:
            return False
        self._open[key] += 1
        return True

    def leave(self, address: str) -> None:
        key = source(address)
        self._open[key] -= 1
        if not self._open[key]:
            del self._open[key]


class Connections:
    """`requests` counts the requests and WebSockets in progress by the client's address: behind a proxy it is what
    bounds a client, because the connections are the proxy's."""

    def __init__(self, metrics: Metrics, settings: Settings) -> None:
        self._metrics = metrics
        self._proxies = TrustedProxies(settings.trusted_proxies)
        room = descriptor_limit() - RESERVED_DESCRIPTORS
        per_address = settings.connections_per_address or max(1, min(PER_ADDRESS, room // SHARE))
        self._addresses = AddressLimit(per_address)
        self.requests = AddressLimit(per_address)
        self.request_timeout_s = settings.request_timeout_s
        self._open = 0
        self._most_open = 0
        self._refused: Counter[str] = Counter()
        self._logged_at = -LOG_SECONDS

    def admit(self, peer: str, descriptor: int) -> bool:
        """Whether to serve a new connection. `descriptor` is its socket's: the kernel gives the lowest free one, so
        that at least as many are open. Call `release` once for each True."""
        if descriptor >= descriptor_limit() - RESERVED_DESCRIPTORS:
            return self._refuse("descriptors", peer)
        if peer not in self._proxies and not self._addresses.enter(peer):
            return self._refuse("address", peer)
        self._metrics.open_connections.inc()
        self._open += 1
        self._most_open = max(self._most_open, self._open)
        return True

    def release(self, peer: str) -> None:
        self._metrics.open_connections.dec()
        self._open -= 1
        if peer not in self._proxies:
            self._addresses.leave(peer)

    def give_back_memory(self) -> None:
        """Call it every second or so: once a crowd has left, its memory goes back to the system."""
        if self._most_open - self._open >= CROWD and self._open <= self._most_open // 2:
            self._most_open = self._open
            give_back()

    def _refuse(self, reason: str, peer: str) -> bool:
        """One line of log in `LOG_SECONDS`, not one for each."""
        self._metrics.refused_connections.labels(reason).inc()
        self._refused[reason] += 1
        now = time.monotonic()
        if now - self._logged_at >= LOG_SECONDS:
            log.warning("connections refused", address=peer, refused=dict(self._refused))
            self._logged_at = now
            self._refused.clear()
        return False


def descriptor_limit() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
