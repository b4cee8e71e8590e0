"""Liveness, readiness and metrics of this process."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

import structlog
from fastapi import APIRouter, Depends, Response
from nats.micro.service import ServiceVerb, control_subject
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from starlette.requests import HTTPConnection

from contracts import chat, notes
from contracts.errors import ServiceUnavailable
from gateway.container import Container
from servicekit.error_logging import describe

log = structlog.stdlib.get_logger()

router = APIRouter(tags=["health"])

CHECK_SECONDS = 2.0


class Alive(BaseModel):
    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """`checks`: for each dependency, and for the background loops of this process, whether it works."""

    status: Literal["ok", "unavailable"]
    checks: dict[str, Literal["ok", "unavailable"]]


class MetricsResponse(Response):
    media_type = "text/plain"


async def _container(connection: HTTPConnection) -> Container:
    return connection.state.container


WholeContainer = Annotated[Container, Depends(_container)]


@router.get("/healthz")
async def healthz() -> Alive:
    """Whether this process answers, whatever it depends on."""
    return Alive()


@router.get("/readyz", responses={503: {"model": Readiness}})
async def readyz(container: WholeContainer, response: Response) -> Readiness:
    """Whether this process and every dependency work."""
    probes = {
        "background": _background,
        "nats": _nats,
        "postgres": _postgres,
        "notes-service": _notes,
        "agent-service": _agent,
    }
    results = await asyncio.gather(*(_check(name, probe, container) for name, probe in probes.items()))
    checks = dict(zip(probes, results, strict=True))
    if all(results):
        return Readiness(status="ok", checks=dict.fromkeys(checks, "ok"))
    response.status_code = ServiceUnavailable.status
    return Readiness(status="unavailable", checks={name: "ok" if up else "unavailable" for name, up in checks.items()})


@router.get("/metrics", response_class=MetricsResponse)
async def metrics(container: WholeContainer) -> Response:
    """In the text format of Prometheus."""
    return Response(generate_latest(container.metrics.registry), media_type=CONTENT_TYPE_LATEST)


async def probe(container: Container) -> None:
    """Raises while this process cannot do its own part. The other services' health is not part of its own."""
    await _nats(container)
    await _postgres(container)


async def _check(name: str, probe: Callable[[Container], Awaitable[None]], container: Container) -> bool:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await probe(container)
    except Exception as error:  # whatever it is, the dependency does not answer
        log.info("dependency unavailable", dependency=name, error=describe(error))
        return False
    return True


async def _background(container: Container) -> None:
    container.loops.check()


async def _nats(container: Container) -> None:
    if not container.nc.is_connected:
        raise ServiceUnavailable
    await container.nc.flush(2)


async def _postgres(container: Container) -> None:
    await container.database.row("SELECT 1")


async def _notes(container: Container) -> None:
    await _ping(container, notes.QUEUE_GROUP)


async def _agent(container: Container) -> None:
    await _ping(container, chat.QUEUE_GROUP)


async def _ping(container: Container, service: str) -> None:
    """The micro protocol's PING; any replica may answer."""
    await container.nc.request(control_subject(ServiceVerb.PING, service, None), timeout=CHECK_SECONDS)
