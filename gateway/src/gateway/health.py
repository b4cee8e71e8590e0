"""Whether this process lives, whether what it depends on answers, and its figures."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal

import structlog
from fastapi import APIRouter, Response
from nats.micro.service import ServiceVerb, control_subject
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from contracts import chat, notes
from contracts.errors import ServiceUnavailable
from gateway.container import Container
from gateway.dependencies import Services

log = structlog.stdlib.get_logger()

router = APIRouter(tags=["health"])

CHECK_SECONDS = 2.0


class Alive(BaseModel):
    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """`checks`: for each dependency `ok`, or that it is not."""

    status: Literal["ok", "unavailable"]
    checks: dict[str, Literal["ok", "unavailable"]]


class MetricsResponse(Response):
    media_type = "text/plain"


@router.get("/healthz")
async def healthz() -> Alive:
    """This process answers. Says nothing of what it depends on."""
    return Alive()


@router.get("/readyz", responses={503: {"model": Readiness}})
async def readyz(to: Services, response: Response) -> Readiness:
    """Whether every dependency answers."""
    probes = {
        "background": _background,
        "nats": _nats,
        "postgres": _postgres,
        "notes-service": _notes,
        "agent-service": _agent,
    }
    answers = await asyncio.gather(*(_check(name, probe, to) for name, probe in probes.items()))
    checks = dict(zip(probes, answers, strict=True))
    if all(answers):
        return Readiness(status="ok", checks=dict.fromkeys(checks, "ok"))
    response.status_code = ServiceUnavailable.status
    return Readiness(status="unavailable", checks={name: "ok" if up else "unavailable" for name, up in checks.items()})


@router.get("/metrics", response_class=MetricsResponse)
async def metrics(to: Services) -> Response:
    """In the text format of Prometheus."""
    return Response(generate_latest(to.metrics.registry), media_type=CONTENT_TYPE_LATEST)


async def probe(gateway: Container) -> None:
    """Raises while this process cannot do its own part; the other services' health is not its own."""
    await _nats(gateway)
    await _postgres(gateway)


async def _check(name: str, probe: Callable[[Container], Awaitable[None]], gateway: Container) -> bool:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await probe(gateway)
    except Exception as error:  # whatever it is, the dependency does not answer
        log.info("dependency unavailable", dependency=name, error=repr(error))
        return False
    return True


async def _background(gateway: Container) -> None:
    gateway.loops.check()


async def _nats(gateway: Container) -> None:
    if not gateway.nc.is_connected:
        raise ServiceUnavailable
    await gateway.nc.flush(2)


async def _postgres(gateway: Container) -> None:
    await gateway.database.row("SELECT 1")


async def _notes(gateway: Container) -> None:
    await _ping(gateway, notes.QUEUE_GROUP)


async def _agent(gateway: Container) -> None:
    await _ping(gateway, chat.QUEUE_GROUP)


async def _ping(gateway: Container, service: str) -> None:
    """The micro protocol's PING: any replica will do."""
    await gateway.nc.request(control_subject(ServiceVerb.PING, service, None), timeout=CHECK_SECONDS)
