"""Cancelling reaches the worker of any replica, closes the connection to the model, and keeps the partial answer."""

import asyncio
import random
from collections.abc import AsyncGenerator

import pytest

from standalone.system import System, running
from standalone.testing import SLOW_SECONDS
from tests.chaos.door import Door, signed_up
from tests.chaos.moments import Moments
from tests.chaos.reader import Reader
from tests.chaos.troubles import Troubles
from tests.conftest import DEMO
from tests.model_server import Hang, ModelServer, OpenAnswer, Step, Text

WORKERS = 2


@pytest.fixture(scope="module")
async def server() -> AsyncGenerator[ModelServer]:
    async with ModelServer() as started:
        yield started


@pytest.fixture(scope="module")
async def system(server: ModelServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[System]:
    """Two workers with room for one run each, and two gateways."""
    model = {"OPENAI_BASE_URL": server.base_url, "INKSTREAM_MODEL": "local", "INKSTREAM_MAX_RUNS": "1"}
    async with running(
        data_dir=tmp_path_factory.mktemp("stop"), environment=DEMO | model, agents=WORKERS, gateways=2
    ) as started:
        yield started


@pytest.fixture
async def door(system: System) -> AsyncGenerator[Door]:
    troubles = Troubles()
    async with signed_up(system.urls, random.Random(22), troubles) as door:
        yield door
    assert not troubles.all, str(troubles)


async def ask(door: Door) -> Reader:
    answer = await door.ask("POST", "/api/runs", json={"message": "Go on for a while"})
    assert answer.status_code == 202, answer.text
    return Reader(door, Moments(), answer.json()["run_id"])


async def stop(door: Door, reader: Reader) -> None:
    answer = await door.ask("POST", f"/api/runs/{reader.run_id}/cancel")
    assert answer.status_code == 202, answer.text


async def stored(door: Door, reader: Reader) -> tuple[str, list[tuple[str, str]]]:
    """The run's status, and text and status of its answer's messages."""
    run = (await door.ask("GET", f"/api/runs/{reader.run_id}")).json()
    conversation = (await door.ask("GET", f"/api/conversations/{run['conversation_id']}")).json()
    answers = [message for message in conversation["messages"] if message["role"] == "assistant"]
    return run["status"], [(message["text"], message["status"]) for message in answers]


@pytest.mark.parametrize("_", range(4))
async def test_stops_in_the_middle_of_an_answer(server: ModelServer, door: Door, _: int) -> None:
    server.script(OpenAnswer())
    reader = await ask(door)
    watching = asyncio.create_task(reader.watch())
    await reader.moments.next("token")
    await stop(door, reader)
    await server.wait_disconnect(SLOW_SECONDS)
    await asyncio.wait_for(watching, SLOW_SECONDS)
    assert reader.answer.status == "cancelled"
    (text,) = reader.answer.texts
    assert text.split()[0] == "word1"
    assert await stored(door, reader) == ("cancelled", [(text, "cancelled")])
    await stop(door, reader)
    assert await stored(door, reader) == ("cancelled", [(text, "cancelled")])


async def test_stops_a_model_that_never_answers(server: ModelServer, door: Door) -> None:
    server.script(Hang())
    reader = await ask(door)
    watching = asyncio.create_task(reader.watch())
    await server.wait_hanging(SLOW_SECONDS)
    await stop(door, reader)
    await server.wait_disconnect(SLOW_SECONDS)
    await asyncio.wait_for(watching, SLOW_SECONDS)
    assert reader.answer.status == "cancelled"
    assert await stored(door, reader) == ("cancelled", [])


async def test_stops_a_run_that_still_waits_for_a_worker(server: ModelServer, door: Door) -> None:
    hanging: list[Step] = [Hang(after_tokens=1)] * WORKERS
    server.script(*hanging)
    busy = [await ask(door) for _ in range(WORKERS)]
    watching = [asyncio.create_task(reader.watch()) for reader in busy]
    await asyncio.gather(*(reader.moments.next("token") for reader in busy))
    queued = await ask(door)
    assert (await stored(door, queued))[0] == "queued"
    await stop(door, queued)
    await asyncio.wait_for(queued.watch(), SLOW_SECONDS)
    assert queued.answer.status == "cancelled"
    for reader in busy:
        await stop(door, reader)
    await asyncio.wait_for(asyncio.gather(*watching), SLOW_SECONDS)
    for _ in range(WORKERS):
        await server.wait_disconnect(SLOW_SECONDS)


async def test_stopping_what_is_finished_changes_nothing(server: ModelServer, door: Door) -> None:
    server.script(Text("All done."))
    reader = await ask(door)
    await asyncio.wait_for(reader.watch(), SLOW_SECONDS)
    await stop(door, reader)
    assert await stored(door, reader) == ("completed", [("All done.", "complete")])
