"""The embedded PostgreSQL and NATS run, and each service has access to its own part only."""

import asyncio

import asyncpg
import nats
import pytest

from contracts import subjects
from contracts.ids import new_id
from standalone.nats import Nats
from standalone.postgres import SCHEMAS, Postgres
from standalone.testing import SLOW_SECONDS, connection


@pytest.mark.parametrize("role", SCHEMAS.values())
async def test_a_service_owns_its_schema_and_reads_no_other(postgres: Postgres, role: str) -> None:
    db = await asyncpg.connect(postgres.dsn(role))
    try:
        await db.execute(f"CREATE TABLE {role}.probe (x int); DROP TABLE {role}.probe")
        for other in set(SCHEMAS.values()) - {role}:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await db.execute(f"CREATE TABLE {other}.probe (x int)")
    finally:
        await db.close()


async def test_only_the_notes_service_publishes_note_changes(broker: Nats) -> None:
    user = new_id()
    async with connection(broker, "gateway") as gateway, connection(broker, "notes-service") as notes:
        received = await gateway.subscribe(subjects.user_all(user))
        await gateway.flush()
        await gateway.publish(subjects.user_notes(user), b"forged")
        await gateway.flush()
        await notes.publish(subjects.user_notes(user), b"true")
        assert (await received.next_msg(5)).data == b"true"


async def test_the_gateway_cannot_answer_for_a_service(broker: Nats) -> None:
    refused = asyncio.Event()

    async def on_error(error: Exception) -> None:
        if "permissions violation" in str(error).lower():
            refused.set()

    nc = await nats.connect(broker.url("gateway"), error_cb=on_error)
    try:
        await nc.subscribe("notes.create")
        await asyncio.wait_for(refused.wait(), SLOW_SECONDS)
    finally:
        await nc.close()
