"""Whose run is next: one user's many keep nobody else's waiting."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest
from agents.testing import ModelStep, ScriptedModel, assistant_message
from asyncpg.pool import Pool

from agent_service.repository import ClaimRepository, RunLimitRepository, RunRepository, Terms
from agent_service.repository.claims import Claimed
from agent_service.repository.runs import NewRun
from contracts import chat, subjects
from contracts.ids import new_id
from contracts.streams import RUN_JOBS
from servicekit import database
from standalone.nats import Nats
from standalone.postgres import Postgres
from standalone.testing import connection, until

from .people import Person, Serve

MANY = 1_000
NO_LIMITS = RunLimitRepository(10 * MANY, 10 * MANY, 10 * MANY)
TERMS = Terms(timedelta(seconds=60), "m", "live")


@pytest.fixture
async def pool(serve: Serve, postgres: Postgres) -> AsyncGenerator[Pool]:
    """No run of another test needs a worker."""
    async with serve(ScriptedModel([])):
        pass  # the schema is there
    async with database.pool(postgres.dsn("chat"), "chat", size=5) as opened:
        await opened.execute("UPDATE runs SET done_at = now() WHERE done_at IS NULL")
        yield opened
        await opened.execute("UPDATE runs SET done_at = now() WHERE done_at IS NULL")


async def queue(pool: Pool, user_id: str, count: int) -> list[str]:
    """The ids of new runs, without jobs."""
    ids = [new_id() for _ in range(count)]
    for run_id in ids:
        new = NewRun(run_id, user_id, "ada", None, None, None, "Hello", "Hello", "never", "")
        await RunRepository(pool).start(new, NO_LIMITS)
    return ids


def ids_of(claimed: Claimed) -> list[str]:
    return [run.id for run in claimed.runs]


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_newcomer_is_answered_while_another_user_has_a_thousand_queued(
    serve: Serve, person: Person, stranger: Person, pool: Pool, workers: int
) -> None:
    """None of the others' answers ends meanwhile."""
    go = asyncio.Event()

    async def answer(call: Any) -> Any:
        if "Flood" in str(call.input):
            await go.wait()
        return [assistant_message("Hello.")]

    model = ScriptedModel([ModelStep.respond(answer) for _ in range(2 * MANY)])
    async with AsyncExitStack() as stack:
        for _ in range(workers):
            await stack.enter_async_context(serve(model, runs_per_user=MANY, max_runs=4))
        for _ in range(100):
            await person.ask(chat.RUN_START, run_id=new_id(), message="Flood", username="ada")
        await queue(pool, person.actor.user_id, MANY - 100)

        async def half_of_all_places() -> bool:
            return len(model.calls) >= 2 * workers

        await until("the answers that one user may have in progress", half_of_all_places)
        _, received = await stranger.talk("Hello")
        received.assert_contiguous()
        assert received.text == "Hello."
        begun = "SELECT count(*) FROM runs WHERE user_id = $1 AND attempt > 0"
        # a start and a claim at the same moment may give one more than half
        assert await pool.fetchval(begun, person.actor.user_id) < 4 * workers
        await pool.execute("UPDATE runs SET done_at = now() WHERE user_id = $1 AND attempt = 0", person.actor.user_id)
        go.set()


async def test_when_all_places_are_taken_the_next_one_is_the_newcomers(
    serve: Serve, person: Person, stranger: Person, pool: Pool
) -> None:
    turns: asyncio.Queue[str] = asyncio.Queue()
    end = asyncio.Semaphore(0)

    async def answer(call: Any) -> Any:
        await turns.put(str(call.input[0]["content"]))
        await end.acquire()
        return [assistant_message("Hello.")]

    model = ScriptedModel([ModelStep.respond(answer) for _ in range(20)])
    async with serve(model, runs_per_user=MANY, max_runs=1):
        said = [await person.say(f"Flood {number}") for number in range(5)]
        assert await turns.get() == "Flood 0"
        _, received = await stranger.say("Newcomer")
        end.release()
        assert await turns.get() == "Newcomer"
        for _ in range(5):
            end.release()
        for _, flooded in said:
            await flooded.done()
        await received.done()
        assert [await turns.get() for _ in range(4)] == [f"Flood {number}" for number in range(1, 5)]


async def test_runs_are_claimed_in_turns_of_the_users(pool: Pool) -> None:
    claims = ClaimRepository(pool)
    ada, bob, eve = new_id(), new_id(), new_id()
    first = await queue(pool, ada, 4)
    (one,) = ids_of(await claims.claim_next(1, {}, [], TERMS, TERMS.lease))
    assert one == first[0]  # Ada has one under way: her next is behind the first of others
    of_bob, of_eve = await queue(pool, bob, 3), await queue(pool, eve, 1)
    claimed = [ids_of(await claims.claim_next(1, {}, [], TERMS, TERMS.lease))[0] for _ in range(7)]
    assert claimed == [of_bob[0], of_eve[0], first[1], of_bob[1], first[2], of_bob[2], first[3]]
    assert await claims.claim_next(1, {}, [], TERMS, TERMS.lease) == Claimed([], are_more_queued=False)


@pytest.mark.parametrize(("free", "here", "gets"), [(10, 0, 5), (4, 0, 2), (1, 0, 1), (5, 4, 1), (5, 5, 0), (3, 7, 0)])
async def test_a_user_gets_a_place_only_while_more_are_free(pool: Pool, free: int, here: int, gets: int) -> None:
    user_id = new_id()
    await queue(pool, user_id, 20)
    claimed = await ClaimRepository(pool).claim_next(free, {user_id: here}, [], TERMS, TERMS.lease)
    assert (len(claimed.runs), claimed.are_more_queued) == (gets, True)


async def test_floods_of_several_users_leave_the_last_place(pool: Pool) -> None:
    """Six users with more runs than there are places: each gets half of what the others have left."""
    claims, here = ClaimRepository(pool), Counter[str]()
    for _ in range(6):
        user_id = new_id()
        await queue(pool, user_id, 60)
        for _ in range(3):
            claimed = await claims.claim_next(100 - here.total(), here, [], TERMS, TERMS.lease)
            here.update(run.user_id for run in claimed.runs)
            assert here.total() < 100
    newcomer = new_id()
    (run_id,) = await queue(pool, newcomer, 1)
    assert ids_of(await claims.claim_next(100 - here.total(), here, [], TERMS, TERMS.lease)) == [run_id]


async def test_workers_that_claim_at_once_claim_different_runs(pool: Pool) -> None:
    claims = ClaimRepository(pool)
    users = [new_id() for _ in range(4)]
    ids = [run_id for user_id in users for run_id in await queue(pool, user_id, 10)]

    async def claim_all() -> list[str]:
        claimed: list[str] = []
        for _ in range(30):
            claimed += ids_of(await claims.claim_next(10, {}, [], TERMS, TERMS.lease))
        return claimed

    each = await asyncio.gather(*(claim_all() for _ in range(5)))
    assert sorted(run_id for claimed in each for run_id in claimed) == sorted(ids)


async def test_a_dead_workers_run_is_claimed_when_its_lease_has_ended(pool: Pool) -> None:
    claims, user_id = ClaimRepository(pool), new_id()
    (run_id,) = await queue(pool, user_id, 1)
    (dead,) = (await claims.claim_next(5, {}, [], TERMS, TERMS.lease)).runs
    assert not (await claims.claim_next(5, {}, [], TERMS, TERMS.lease)).runs
    await claims.release(run_id, dead.attempt, delay=60)
    assert not (await claims.claim_next(5, {}, [], TERMS, TERMS.lease)).runs
    await claims.release(run_id, dead.attempt, delay=None)
    # its own, that it still works on: to be looked for again when that ends
    assert await claims.claim_next(5, {}, [run_id], TERMS, TERMS.lease) == Claimed([], are_more_queued=True)
    (replacing,) = (await claims.claim_next(5, {}, [], TERMS, TERMS.lease)).runs
    assert (replacing.id, replacing.attempt, replacing.crashes) == (run_id, 2, 1)


async def test_jobs_that_name_no_run_stop_nothing(serve: Serve, person: Person, broker: Nats) -> None:
    """Whatever is published on the subject: a job only says that there may be a run to claim."""
    async with serve(ScriptedModel([[assistant_message("Hello.")]])), connection(broker, "admin") as nc:
        for body in (b"", b"7", b"{}", b"\xff", b'{"run_id": "../x", "user_id": "nobody"}'):
            await nc.jetstream().publish(subjects.run_job(new_id()), body)
        _, received = await person.talk("Hello")
        received.assert_contiguous()

        async def is_empty() -> bool:
            return not (await nc.jetstream().stream_info(RUN_JOBS.name)).state.messages

        await until("a queue without jobs", is_empty)
