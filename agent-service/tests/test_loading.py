"""The service takes requests before it has loaded the Agents SDK."""

import asyncio
import subprocess
import sys

from agent_service.endpoints import handlers
from contracts import chat
from contracts.chat import ModelStatus
from contracts.ids import new_id
from servicekit import rpc
from standalone.nats import Nats
from standalone.testing import SLOW_SECONDS, connection

STATUS = ModelStatus(mode="live", model="m", provider="p")


class Loaded:
    def status(self) -> ModelStatus:
        return STATUS


def test_it_starts_without_the_sdk() -> None:
    looked_at = "import agent_service.main, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", looked_at], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "agent_service.endpoints" in loaded
    assert not {"agents", "openai", "mcp", "aiohttp.web", "agent_service.service"} & set(loaded)


async def test_a_request_that_comes_meanwhile_waits_and_is_answered(broker: Nats) -> None:
    loading: asyncio.Future[Loaded] = asyncio.get_running_loop().create_future()
    async with connection(broker, "admin") as nc:
        group = f"loading-{new_id()}"
        async with rpc.serve(nc, group, "0.0.0", handlers(loading), queue_group=group):  # pyright: ignore[reportArgumentType]
            asking = asyncio.ensure_future(rpc.call(nc, chat.STATUS, chat.STATUS.request(), SLOW_SECONDS))
            await nc.flush()  # the request has reached the service
            await nc.flush()
            assert not asking.done()
            loading.set_result(Loaded())
            assert await asking == STATUS
