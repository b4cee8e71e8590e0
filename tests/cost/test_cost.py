"""The cost of a run, a token and a request in statements, messages and system calls.

Nothing here depends on the machine. A limit is what is needed today: a change that needs more fails here, with a
message that lists the counts. If a change needs less, lower the limit with it. `pytest tests/cost -s` prints the
counts.
"""

from collections.abc import AsyncGenerator, Callable

import httpx
import pytest

from standalone.system import System
from tests.cost.meter import Cost, Meter, metering
from tests.e2e.client import signed_up
from tests.model_server import ModelServer, Stamps

FEW, MORE = 3, 103
"""Tokens of the two answers: the difference of their costs is the cost of the additional tokens."""
TOKENS_PER_SECOND = 200.0
"""So slow that tokens are hardly ever batched, which would cost less."""

RUN_STATEMENTS = 7
RUN_MESSAGES = 16
"""Nine of them are the six events, the last two of which are one message, and two segments of the log with their
acknowledgements."""
TOKEN_STATEMENTS = 0.1
"""A token needs none, but background loops run during a long answer. The same applies to the next three."""
TOKEN_MESSAGES = 1.1
TOKEN_GATEWAY_WRITES = 1.1
TOKEN_GATEWAY_READS = 1.1
PATCH_STATEMENTS = 11
"""Five of them are the relay's, which publishes the change."""
PATCH_MESSAGES = 4
GET_STATEMENTS = 1
GET_MESSAGES = 2


@pytest.fixture(scope="module")
async def meter(scripted_system: System) -> AsyncGenerator[Meter]:
    async with metering(scripted_system) as meter:
        yield meter


@pytest.fixture
async def client(scripted_system: System) -> AsyncGenerator[httpx.AsyncClient]:
    async with signed_up(scripted_system.url) as client:
        yield client


async def of_a_run(meter: Meter, client: httpx.AsyncClient, model: ModelServer, tokens: int) -> Cost:
    """The cost of a run, until its worker has finished all work for it."""
    model.default = Stamps(tokens, TOKENS_PER_SECOND)

    async def run() -> None:
        answer = await client.post("/api/chat", json={"message": "Hello"})
        assert answer.is_success, answer.text
        assert "event: done" in answer.text

    async def settled() -> bool:
        return not await meter.database.fetchval("SELECT count(*) FROM chat.runs WHERE done_at IS NULL")

    return await meter.least(run, settled)


async def of_a_request(meter: Meter, client: httpx.AsyncClient, method: str, path: str) -> Cost:
    """The cost of a request, until its change, if any, is published."""
    count = 0

    async def request() -> None:
        nonlocal count
        count += 1
        body = {"body": f"text {count}"} if method == "PATCH" else None
        answer = await client.request(method, path, json=body)
        assert answer.is_success, answer.text

    async def settled() -> bool:
        return await meter.database.fetchval("SELECT count(*) FROM notes.changes WHERE NOT published") == 0

    return await meter.least(request, settled)


def show(what: str, cost: Cost) -> None:
    assert cost.statements, "no statement was counted: PostgreSQL does not log them any more"
    assert cost.messages, "no message was counted: the administrator does not hear them any more"
    print(f"\n{what}:\n{cost}")  # noqa: T201 (for `pytest -s`)


async def test_a_run_of_three_tokens(meter: Meter, client: httpx.AsyncClient, model: ModelServer) -> None:
    cost = await of_a_run(meter, client, model, FEW)
    show(f"a run of {FEW} tokens", cost)
    assert cost.statements.total() <= RUN_STATEMENTS, cost
    assert cost.messages.total() <= RUN_MESSAGES, cost


async def test_a_token(meter: Meter, client: httpx.AsyncClient, model: ModelServer) -> None:
    few, more = await of_a_run(meter, client, model, FEW), await of_a_run(meter, client, model, MORE)

    def each(count: Callable[[Cost], int]) -> float:
        return (count(more) - count(few)) / (MORE - FEW)

    show(f"a run of {MORE} tokens", more)
    assert each(lambda cost: cost.statements.total()) <= TOKEN_STATEMENTS, more
    assert each(lambda cost: cost.messages.total()) <= TOKEN_MESSAGES, more
    assert each(lambda cost: cost.gateway_writes) <= TOKEN_GATEWAY_WRITES, more
    assert each(lambda cost: cost.gateway_reads) <= TOKEN_GATEWAY_READS, more


@pytest.fixture
async def note(client: httpx.AsyncClient) -> str:
    answer = await client.post("/api/notes", json={"title": "Note", "body": "text"})
    assert answer.status_code == 201, answer.text
    return f"/api/notes/{answer.json()['id']}"


async def test_a_patch(meter: Meter, client: httpx.AsyncClient, note: str) -> None:
    cost = await of_a_request(meter, client, "PATCH", note)
    show("a PATCH", cost)
    assert cost.statements.total() <= PATCH_STATEMENTS, cost
    assert cost.messages.total() <= PATCH_MESSAGES, cost


async def test_a_get(meter: Meter, client: httpx.AsyncClient, note: str) -> None:
    cost = await of_a_request(meter, client, "GET", note)
    show("a GET", cost)
    assert cost.statements.total() <= GET_STATEMENTS, cost
    assert cost.messages.total() <= GET_MESSAGES, cost
