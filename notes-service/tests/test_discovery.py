"""The service can be found and measured through the NATS micro protocol, as `nats micro ls` does."""

import asyncio
import json

from contracts import files, note_history, note_links, note_transfer, notes
from contracts.operation import Operation
from standalone.testing import SLOW_SECONDS


async def request(nc, subject):
    return json.loads((await nc.request(subject, b"", timeout=SLOW_SECONDS)).data)


async def test_ping_and_info(service, gateway):
    ping = await request(gateway, "$SRV.PING.notes-service")
    assert (ping["type"], ping["name"], ping["version"]) == ("io.nats.micro.v1.ping_response", "notes-service", "0.1.0")
    assert (await request(gateway, "$SRV.PING"))["type"] == ping["type"]
    info = await request(gateway, f"$SRV.INFO.notes-service.{ping['id']}")
    assert info["type"] == "io.nats.micro.v1.info_response"
    assert {endpoint["subject"] for endpoint in info["endpoints"]} == {
        value.subject
        for module in (notes, note_history, note_links, note_transfer, files)
        for value in vars(module).values()
        if isinstance(value, Operation)
    }
    assert {endpoint["queue_group"] for endpoint in info["endpoints"]} == {notes.QUEUE_GROUP}


async def test_stats_count_requests_and_errors(ada):
    async def count(name: str) -> tuple[int, int, int]:
        stats = await request(ada.nc, "$SRV.STATS.notes-service")
        (endpoint,) = [endpoint for endpoint in stats["endpoints"] if endpoint["name"] == name]
        return endpoint["num_requests"], endpoint["num_errors"], endpoint["processing_time"]

    before = await count("notes-get")
    made = await ada.create()
    await ada.get(made.id)
    await asyncio.gather(ada.get(made.id), ada.get(ada.actor.user_id), return_exceptions=True)
    after = await count("notes-get")
    assert (after[0] - before[0], after[1] - before[1]) == (3, 1)
    assert after[2] > before[2]
