"""The floor under `chats` and `run`: the smallest pipeline of processes that does the same for a user.

A gateway, NATS and an agent as processes of their own. A message goes over HTTP to the gateway and over NATS to the
agent, which reads the model's stream; each token goes back live over core NATS and out as a server-sent event; the
text is stored in JetStream, a segment at most every 250 ms. No accounts, no database, no tools, no Agents SDK.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.harness.child import child, module
from bench.harness.processes import Processes
from bench.reference.nats_server import nats_server

LIVE, LOG, START = "live", "log", "start"
"""Subjects: `live.<run>`, `log.<run>`, and `start` for a run's id and message."""
STREAM = "LOG"
SEGMENT_SECONDS = 0.25


@dataclass(frozen=True)
class Floor:
    """Answers `POST /api/chat` as Inkstream does."""

    url: str
    nats: Processes
    agent: Processes
    gateway: Processes

    @property
    def processes(self) -> tuple[Processes, ...]:
        return (self.nats, self.agent, self.gateway)


@asynccontextmanager
async def floor(folder: Path, model_url: str) -> AsyncGenerator[Floor]:
    async with (
        nats_server(folder / "floor") as (nats, broker),
        child(*module("bench.reference.floor_agent", nats.url, model_url), speaks=True) as agent,
        child(*module("bench.reference.floor_gateway", nats.url), speaks=True) as gateway,
    ):
        yield Floor(gateway.first_line, broker.processes, agent.processes, gateway.processes)
