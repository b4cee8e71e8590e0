"""The events of runs that waited for a person, as they were told: the stream forgets them sooner than people decide."""

from dataclasses import dataclass

from asyncpg.pool import Pool

from agent_service.repository.claims import ClaimedRun
from agent_service.repository.patience import patiently
from contracts.run_events import Envelope

ANSWER_BYTES = 256 * 1024
TEXTS = ["token", "reasoning", "tool_args"]


@dataclass(frozen=True)
class Kept:
    """`last`: events 1 to this one are kept. `told`: those of them that are no pieces of text."""

    last: int
    told: list[Envelope]


class RetainedEventRepository:
    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def last(self, run: ClaimedRun) -> int:
        return await patiently(
            lambda: self.pool.fetchval(
                "SELECT coalesce(max(seq), 0) FROM kept_events WHERE run_id = $1 AND user_id = $2", run.id, run.user_id
            )
        )

    async def keep(self, run: ClaimedRun, events: list[Envelope]) -> None:
        """`events` follow on those that are kept already. Keeps nothing where the attempt is over."""
        await patiently(
            lambda: self.pool.execute(
                """
                INSERT INTO kept_events (run_id, seq, user_id, attempt, event, data)
                SELECT $1, new.seq, $2, new.attempt, new.event, new.data
                FROM unnest($4::integer[], $5::integer[], $6::text[], $7::text[]) AS new (seq, attempt, event, data)
                WHERE EXISTS (SELECT FROM runs WHERE id = $1 AND user_id = $2 AND attempt = $3)
                ON CONFLICT DO NOTHING
                """,
                *(run.id, run.user_id, run.attempt),
                [event.seq for event in events],
                [event.attempt for event in events],
                [event.event for event in events],
                [event.data.decode() for event in events],
            )
        )

    async def of_run(self, run: ClaimedRun) -> Kept:
        rows = await patiently(
            lambda: self.pool.fetch(
                """
                SELECT seq, attempt, event, data FROM kept_events
                WHERE run_id = $1 AND user_id = $2 AND event <> ALL($3) ORDER BY seq
                """,
                *(run.id, run.user_id, TEXTS),
            )
        )
        told = [Envelope(row["seq"], row["attempt"], row["event"], row["data"].encode()) for row in rows]
        return Kept(await self.last(run), told)

    async def after(self, user_id: str, run_id: str, number: int) -> list[Envelope]:
        """The events after this number, in order, about 256 KiB of them."""
        rows = await self.pool.fetch(
            """
            SELECT seq, attempt, event, data FROM (
              SELECT *, sum(octet_length(data)) OVER (ORDER BY seq) - octet_length(data) AS before
              FROM kept_events WHERE run_id = $1 AND user_id = $2 AND seq > $3) AS following
            WHERE before < $4 ORDER BY seq
            """,
            *(run_id, user_id, number, ANSWER_BYTES),
        )
        return [Envelope(row["seq"], row["attempt"], row["event"], row["data"].encode()) for row in rows]
