"""The resources of one gateway process, opened in order and closed in reverse."""

import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from nats.aio.client import Client

from contracts import subjects
from contracts.files import PART_BYTES
from contracts.ids import new_id
from gateway.accounts.devices import Devices
from gateway.accounts.rate_limits import RateLimits
from gateway.accounts.repository import AccountRepository
from gateway.accounts.service import AccountService
from gateway.accounts.session_cache import SessionCache
from gateway.connections import Connections
from gateway.database import Database
from gateway.live.hub import Hub
from gateway.live.reader_state_machine import ReaderTimeouts
from gateway.live.services import LiveServices
from gateway.live.sessions import OpenSessions
from gateway.live.socket_repository import SocketRepository
from gateway.live.sockets import OpenSockets
from gateway.live.sources import Sources
from gateway.live.stream_history import StreamHistory
from gateway.live.streams import OpenStreams
from gateway.metrics import Metrics
from gateway.retention import retention
from gateway.settings import Settings
from gateway.upload_spool import UploadSpool
from gateway.user_settings.repository import SettingsRepository
from servicekit.background import LoopHealth, in_background
from servicekit.bus import connected
from servicekit.database import migrate, pool
from servicekit.loop_lag import watch_loop_lag
from servicekit.object_store import ObjectStore

MIGRATIONS = Path(__file__).parent / "migrations"
DATABASE_CONNECTIONS = 3
"""A query takes a third of a millisecond; opening a connection costs 15 ms of our CPU, and a burst of requests would
open all of a larger pool."""

SECRET_BYTES = 32
FILE_UPLOADS, FILE_UPLOADS_OF_USER = 32, 4
"""Files that are being received. Each has one part in memory."""


@dataclass(frozen=True)
class Container:
    nc: Client
    database: Database
    accounts: AccountService
    user_settings: SettingsRepository
    live: LiveServices
    metrics: Metrics
    loops: LoopHealth
    connections: Connections
    uploads: UploadSpool
    object_store: ObjectStore
    file_uploads: UploadSpool
    file_max_bytes: int


@asynccontextmanager
async def open_container(settings: Settings, metrics: Metrics) -> AsyncGenerator[Container]:
    """Raises `Unreachable` if PostgreSQL or NATS cannot be reached within 10 s."""
    opened: list[Sources] = []
    open_sessions: list[OpenSessions] = []

    async def reconnected() -> None:
        for one in (*open_sessions, *opened):
            one.reconnected()

    await migrate(settings.database_url, "accounts", MIGRATIONS)
    async with (
        pool(settings.database_url, "accounts", size=DATABASE_CONNECTIONS) as connections,
        connected(settings.nats_url, "gateway", on_reconnect=reconnected) as nc,
    ):
        loops = LoopHealth(metrics.registry)
        database = Database(connections)
        accounts = AccountRepository(database)
        cache = SessionCache()
        sessions = OpenSessions(accounts.valid_sessions, cache)
        open_sessions.append(sessions)
        await nc.subscribe_now(subjects.SESSIONS_CHANGED, sessions.receive)
        timeouts = ReaderTimeouts(settings.run_look_s, settings.run_ask_s, settings.run_limit_s)
        sources = Sources(nc, Hub(nc, loops), StreamHistory(nc), timeouts, loops)
        opened.append(sources)
        devices = Devices(await accounts.secret("device cookies", secrets.token_bytes(SECRET_BYTES)))
        lifetime = timedelta(days=settings.session_days)
        sockets = OpenSockets(
            metrics, SocketRepository(database, new_id()), settings.sockets, settings.sockets_per_user
        )
        await sockets.start()
        async with in_background(
            retention(accounts, loops),
            sessions.watch(loops),
            sockets.renew(loops),
            watch_loop_lag(metrics.registry),
        ):
            yield Container(
                nc=nc,
                database=database,
                accounts=AccountService(
                    accounts,
                    cache,
                    limits=RateLimits(accounts, settings),
                    devices=devices,
                    nc=nc,
                    lifetime=lifetime,
                    sign_up=settings.sign_up,
                ),
                user_settings=SettingsRepository(database),
                live=LiveServices(
                    sources=sources,
                    sessions=sessions,
                    streams=OpenStreams(metrics),
                    sockets=sockets,
                ),
                metrics=metrics,
                loops=loops,
                connections=Connections(metrics, settings),
                uploads=UploadSpool(settings.upload_spool_bytes, settings.import_max_bytes),
                object_store=ObjectStore(settings.files_url),
                file_uploads=UploadSpool(FILE_UPLOADS * PART_BYTES, PART_BYTES, FILE_UPLOADS_OF_USER),
                file_max_bytes=settings.file_max_bytes,
            )
