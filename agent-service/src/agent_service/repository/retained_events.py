"""The events of runs that wait for approval, exactly as published: people may take longer to decide than the stream's
retention."""

from dataclasses import dataclass

from asyncpg.pool import Pool

from agent_service.repository.claimed_run import ClaimedRun
from agent_service.repository.retry import with_retry
from contracts.run_events import BEFORE_FIRST, Envelope, EventId

RESPONSE_BYTES = 256 * 1024
TEXT_EVENTS = ["token", "reasoning", "tool_args"]


@dataclass(frozen=True)
class RetainedPrefix:
    """Those up to `last` are retained; `events` are those of them that carry more than a fragment of text."""

    last: EventId
    events: list[Envelope]


class RetainedEventRepository:
    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def last(self, run: ClaimedRun) -> EventId:
        row = await with_retry(
            lambda: self.pool.fetchrow(
                """
                SELECT attempt, seq FROM kept_events WHERE run_id = $1 AND user_id = $2 ORDER BY seq DESC LIMIT 1
                """,
                *(run.id, run.user_id),
            )
        )
        return EventId(row["attempt"], row["seq"]) if row else BEFORE_FIRST

    async def clear(self, run: ClaimedRun) -> None:
        """The events of the run are numbered anew. Clears nothing if the attempt is over."""
        await with_retry(
            lambda: self.pool.execute(
                """
                DELETE FROM kept_events WHERE run_id = $1 AND user_id = $2
                AND EXISTS (SELECT FROM runs WHERE id = $1 AND user_id = $2 AND attempt = $3)
                """,
                *(run.id, run.user_id, run.attempt),
            )
        )

    async def add(self, run: ClaimedRun, events: list[Envelope]) -> None:
        """`events` must follow the retained ones without a gap. Adds nothing if the attempt is over."""
        await with_retry(
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

    async def prefix(self, run: ClaimedRun) -> RetainedPrefix:
        rows = await with_retry(
            lambda: self.pool.fetch(
                """
                SELECT seq, attempt, event, data FROM kept_events
                WHERE run_id = $1 AND user_id = $2 AND event <> ALL($3) ORDER BY seq
                """,
                *(run.id, run.user_id, TEXT_EVENTS),
            )
        )
        events = [Envelope(row["seq"], row["attempt"], row["event"], row["data"].encode()) for row in rows]
        return RetainedPrefix(await self.last(run), events)

    async def after(self, user_id: str, run_id: str, last: EventId) -> list[Envelope]:
        """The events after this one, in order, about 256 KiB of them."""
        rows = await self.pool.fetch(
            """
            SELECT seq, attempt, event, data FROM (
              SELECT *, sum(octet_length(data)) OVER (ORDER BY seq) - octet_length(data) AS before
              FROM kept_events
              WHERE run_id = $1 AND user_id = $2 AND (attempt, seq) > ($3::bigint, $4::bigint)) AS following
            WHERE before < $5 ORDER BY seq
            """,
            *(run_id, user_id, last.attempt, last.number, RESPONSE_BYTES),
        )
        return [Envelope(row["seq"], row["attempt"], row["event"], row["data"].encode()) for row in rows]
