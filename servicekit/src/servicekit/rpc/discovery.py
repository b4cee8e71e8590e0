"""The NATS micro protocol's PING, INFO and STATS, so that `nats micro ls` finds the services (ADR-32)."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.micro.service import (
    EndpointInfo,
    EndpointStats,
    ServiceInfo,
    ServicePing,
    ServiceStats,
    ServiceVerb,
    control_subject,
)

from contracts.ids import new_id


class _Described(Protocol):
    def to_dict(self) -> dict[str, object]: ...


class Discovery:
    def __init__(self, nc: Client, name: str, version: str, endpoints: Sequence[EndpointStats]) -> None:
        self.nc = nc
        self.name = name
        self.version = version
        self.endpoints = list(endpoints)
        self.id = new_id()
        self.started = datetime.now(UTC)

    async def start(self) -> list[Subscription]:
        """Subscribes to the verb for all services, for this kind and for this replica."""
        answers = {ServiceVerb.PING: self._ping, ServiceVerb.INFO: self._info, ServiceVerb.STATS: self._stats}
        return [
            await self.nc.subscribe(control_subject(verb, name, id_), cb=self._responder(answer))
            for verb, answer in answers.items()
            for name, id_ in ((None, None), (self.name, None), (self.name, self.id))
        ]

    def _responder(self, answer: Callable[[], _Described]) -> Callable[[Msg], Awaitable[None]]:
        async def respond(msg: Msg) -> None:
            await msg.respond(orjson.dumps(answer().to_dict()))

        return respond

    def _ping(self) -> _Described:
        return ServicePing(id=self.id, name=self.name, version=self.version, metadata={})

    def _info(self) -> _Described:
        endpoints = [EndpointInfo(name=e.name, subject=e.subject, queue_group=e.queue_group) for e in self.endpoints]
        return ServiceInfo(id=self.id, name=self.name, version=self.version, endpoints=endpoints, metadata={})

    def _stats(self) -> _Described:
        return ServiceStats(
            id=self.id,
            name=self.name,
            version=self.version,
            started=self.started,
            endpoints=self.endpoints,
            metadata={},
        )
