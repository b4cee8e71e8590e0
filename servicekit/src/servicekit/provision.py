"""`python -m servicekit.provision`: creates the streams and consumers that services need, or updates them.

Runs at each start of the system, with the broker's `admin` user in NATS_URL: services may not do it themselves.
Exits with 2 if the broker does not answer, so that the caller can retry.
"""

import asyncio
import os
import sys

from nats.aio.client import Client
from nats.errors import Error
from nats.js.errors import BadRequestError

from contracts import streams
from servicekit import bus
from servicekit.errors import Unreachable
from servicekit.streams import ensure_consumers, ensure_streams

NAME = "provision"
NO_BROKER = 2


async def provision(nc: Client) -> None:
    """Idempotent."""
    js = nc.jetstream()
    await ensure_streams(js, *streams.ALL)
    await ensure_consumers(js, *streams.ALL_CONSUMERS)


async def _main(url: str) -> None:
    async with bus.connected(url, NAME) as nc:
        await provision(nc)


if __name__ == "__main__":
    try:
        asyncio.run(_main(os.environ["NATS_URL"]))
    except BadRequestError as error:
        sys.exit(repr(error))
    except (Unreachable, Error) as error:
        sys.stderr.write(f"{error!r}\n")
        sys.exit(NO_BROKER)
