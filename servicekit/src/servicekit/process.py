"""Common to all service processes: settings from the environment, JSON logs, a clean end on SIGTERM or SIGINT."""

import asyncio
import gc
import logging
import resource
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog
import uvloop
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from servicekit.error_logging import LibraryFormatter, describe_errors, exception_entries
from servicekit.errors import Unreachable

log = structlog.stdlib.get_logger()


class ServiceSettings(BaseSettings):
    """Read from the environment: the field `session_days` from `INKSTREAM_SESSION_DAYS`. A variable that other programs
    use as well has no prefix, and its field a `validation_alias`. An empty variable counts as not set. The README's
    configuration table lists them.
    """

    model_config = SettingsConfigDict(
        env_prefix="INKSTREAM_", env_ignore_empty=True, extra="ignore", frozen=True, populate_by_name=True
    )

    nats_url: str = Field(default="nats://127.0.0.1:4222", validation_alias="NATS_URL")
    database_url: str = Field(validation_alias="DATABASE_URL")
    log_level: str = Field(default="INFO", validation_alias="LOG_LEVEL")
    health_file: Path | None = Field(default=None, validation_alias="HEALTH_FILE")


def configure_logging(service: str, level: str) -> None:
    """One JSON object per line, with the service's name, and without users' text.

    `level` applies to our own lines. Libraries log warnings and above: at lower levels some log the data they send.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(LibraryFormatter(service))
    logging.basicConfig(handlers=[handler], level=max(logging.WARNING, logging.getLevelNamesMapping()[level]))
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            describe_errors,
            structlog.processors.ExceptionRenderer(exception_entries),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)


def start(service: str, settings: ServiceSettings, run: Callable[[], Awaitable[None]]) -> None:
    """Runs a service process until it is stopped. `run` opens its resources, waits for `until_stopped`, and closes.

    Exits with 1 after an error. If NATS or PostgreSQL cannot be reached at the start, one line is logged, and the
    supervisor tries again.
    """

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(_log_unhandled)
        await run()

    configure_logging(service, settings.log_level)
    raise_descriptor_limit()
    spare_what_is_loaded()
    try:
        uvloop.run(main())
    except Unreachable as error:
        log.error("cannot start", error=error)  # noqa: TRY400  (whoever reads it can do without the code)
        raise SystemExit(1) from None
    except Exception as error:  # Python would write it out with its message
        log.exception("ended by an error")
        log.error("stopped", error=error)  # noqa: TRY400  (the last line is what `make run` shows)
        raise SystemExit(1) from None


def _log_unhandled(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Logs an error in a callback, or of a task that is not awaited."""
    log.error("unhandled", problem=type(context.get("exception")).__name__, exc_info=context.get("exception"))


def raise_descriptor_limit() -> int:
    """Lets this process open as many files and connections as it may: the soft limit is often 1,024. Returns it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # macOS has a bound of its own below its "unlimited"
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    return soft


def spare_what_is_loaded() -> None:
    """Excludes the loaded modules from garbage collection, which would pause the process for 0.2 s each time."""
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
