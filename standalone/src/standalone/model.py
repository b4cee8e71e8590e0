"""`python -m standalone.model`: prints which model answers, according to the agent service at NATS_URL."""

import asyncio
import os
import sys

from contracts.chat import STATUS
from contracts.operation import Empty
from servicekit import bus
from servicekit.rpc import call


async def sentence(url: str) -> str:
    async with bus.connected(url, "standalone") as nc:
        status = await call(nc, STATUS, Empty())
    if status.mode == "live":
        return f"{status.model} answers, by {status.provider}."
    return "The built-in demo model answers. For a real one set OPENAI_API_KEY, or OPENAI_BASE_URL, in .env"


if __name__ == "__main__":
    sys.stdout.write(asyncio.run(sentence(os.environ["NATS_URL"])) + "\n")
