"""What models were used, by user and day. Counted where usage is stored: see `progress`."""

from asyncpg.pool import Pool

from contracts.chat import DailyUsage, ModelDay


class UsageRepository:
    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def daily(self, user_id: str, days: int) -> DailyUsage:
        """Of the last `days` days in UTC, today included, newest first."""
        rows = await self.pool.fetch(
            """
            SELECT day, model, input_tokens, output_tokens, requests, cost, nullif(currency, '') AS currency
            FROM daily_usage WHERE user_id = $1 AND day > (now() AT TIME ZONE 'UTC')::date - $2::integer
            ORDER BY day DESC, cost DESC NULLS LAST, input_tokens + output_tokens DESC, model, currency
            """,
            *(user_id, days),
        )
        return DailyUsage(days=[ModelDay(**dict(row)) for row in rows])
