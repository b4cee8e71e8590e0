"""What every service process does alike: settings from the environment, JSON logs, a clean end on SIGTERM or SIGINT."""

import asyncio
import gc
import logging
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog
import uvloop
from pydantic_settings import BaseSettings, SettingsConfigDict
from structlog.tracebacks import ExceptionDictTransformer

from servicekit.errors import Unreachable


class ServiceSettings(BaseSettings):
    """Read from the environment; see the configuration table in the README. An empty variable is none."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, populate_by_name=True, env_ignore_empty=True)

    nats_url: str = "nats://127.0.0.1:4222"
    database_url: str
    log_level: str = "INFO"
    health_file: Path | None = None


def configure_logging(service: str, level: str) -> None:
    """One JSON object a line on standard output, with the service's name."""
    logging.basicConfig(format="%(message)s", level=level)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(
                ExceptionDictTransformer(show_locals=False)  # they hold notes and passwords
            ),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)


def start(service: str, settings: ServiceSettings, run: Callable[[], Awaitable[None]]) -> None:
    """Runs a service process until it is told to stop. `run` opens what it needs, waits for `until_stopped`, closes.

    Exits with 1 and one line of log when NATS or PostgreSQL cannot be reached at the start; the supervisor tries again.
    """

    async def main() -> None:
        await run()

    configure_logging(service, settings.log_level)
    _spare_what_is_loaded()
    try:
        uvloop.run(main())
    except Unreachable as error:
        structlog.get_logger().error("cannot start", error=str(error))
        raise SystemExit(1) from None


def _spare_what_is_loaded() -> None:
    """Keeps the garbage collector off the modules: going through all of them stops every answer for 0.2 s."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


async def until_stopped() -> None:
    """Returns on the first SIGTERM or SIGINT."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopped.set)
    await stopped.wait()
