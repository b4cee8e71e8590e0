"""What one gateway process holds while it runs, opened in order and closed in reverse."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import structlog
from nats.aio.client import Client

from contracts.errors import ServiceUnavailable
from gateway.accounts.rate_limits import RateLimits
from gateway.accounts.repository import AccountRepository
from gateway.accounts.service import AccountService
from gateway.database import Database
from gateway.live.hub import Hub
from gateway.live.sessions import OpenSessions
from gateway.live.sockets import OpenSockets
from gateway.live.sources import ReaderTimeouts, Sources
from gateway.live.stream_history import StreamHistory
from gateway.live.streams import OpenStreams
from gateway.metrics import Metrics
from gateway.settings import Settings
from gateway.user_settings.repository import SettingsRepository
from servicekit.background import LoopHealth, in_background
from servicekit.bus import connected
from servicekit.database import migrate, pool

log = structlog.stdlib.get_logger()

MIGRATIONS = Path(__file__).parent / "migrations"
SWEEP_SECONDS = 600.0
DATABASE_CONNECTIONS = 3
"""Lookups take a third of a millisecond; signing in to the database takes fifteen of our own CPU, in a burst of all."""


@dataclass(frozen=True)
class Container:
    nc: Client
    database: Database
    accounts: AccountService
    user_settings: SettingsRepository
    sources: Sources
    sessions: OpenSessions
    streams: OpenStreams
    sockets: OpenSockets
    metrics: Metrics
    loops: LoopHealth


@asynccontextmanager
async def open_container(settings: Settings, metrics: Metrics) -> AsyncGenerator[Container]:
    """Raises `Unreachable` where PostgreSQL or NATS is not there within 10 s."""
    following: list[Sources] = []

    async def reconnected() -> None:
        for sources in following:
            sources.reconnected()

    await migrate(settings.database_url, "accounts", MIGRATIONS)
    async with (
        pool(settings.database_url, "accounts", size=DATABASE_CONNECTIONS) as connections,
        connected(settings.nats_url, "gateway", on_reconnect=reconnected) as nc,
    ):
        loops = LoopHealth(metrics.registry)
        database = Database(connections)
        accounts = AccountRepository(database)
        timeouts = ReaderTimeouts(settings.run_look_s, settings.run_ask_s, settings.run_limit_s)
        sessions = OpenSessions(accounts.standing)
        sources = Sources(nc, Hub(nc, sessions.hear), StreamHistory(nc), timeouts)
        following.append(sources)
        lifetime = timedelta(days=settings.session_days)
        async with in_background(_sweep(accounts), sessions.watch()):
            yield Container(
                nc=nc,
                database=database,
                accounts=AccountService(accounts, RateLimits(accounts, settings), nc, lifetime),
                user_settings=SettingsRepository(database),
                sources=sources,
                sessions=sessions,
                streams=OpenStreams(metrics),
                sockets=OpenSockets(metrics, settings.sockets, settings.sockets_per_user),
                metrics=metrics,
                loops=loops,
            )


async def _sweep(accounts: AccountRepository) -> None:
    while True:
        try:
            await accounts.sweep()
        except ServiceUnavailable:
            log.info("sweep postponed")
        await asyncio.sleep(SWEEP_SECONDS)
