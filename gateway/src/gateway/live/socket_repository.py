"""The SQL of open WebSockets. Each gateway writes its own numbers, whole: a number that is lost is written again."""

from collections.abc import Mapping

from gateway.database import Database

ALIVE_SECONDS = 30
"""How long the numbers of a gateway count that does not renew them."""


class SocketRepository:
    def __init__(self, database: Database, gateway_id: str) -> None:
        self._db = database
        self._gateway_id = gateway_id

    async def replace(self, counts: Mapping[str, int]) -> dict[str, int]:
        """Writes how many this gateway has of these users; returns how many the others have, where they have any."""
        rows = await self._db.rows(
            """
            WITH new AS (SELECT * FROM unnest($1::uuid[], $3::int[]) AS new (user_id, count)),
            written AS (
                INSERT INTO open_sockets SELECT user_id, $2, count FROM new ORDER BY user_id
                ON CONFLICT (user_id, gateway_id) DO UPDATE SET count = excluded.count
            )
            SELECT o.user_id::text, sum(o.count)::int AS others
            FROM open_sockets o JOIN new USING (user_id) JOIN gateways g ON g.id = o.gateway_id
            WHERE o.gateway_id <> $2 AND g.alive_until > now() GROUP BY o.user_id
            """,
            *(list(counts), self._gateway_id, list(counts.values())),
        )
        return {row["user_id"]: row["others"] for row in rows}

    async def renew(self) -> bool:
        """Says that this gateway is alive. Returns whether the database knew it: the tables are emptied by a crash."""
        row = await self._db.row(
            """
            INSERT INTO gateways VALUES ($1, now() + make_interval(secs => $2))
            ON CONFLICT (id) DO UPDATE SET alive_until = excluded.alive_until
            RETURNING xmax <> 0 AS known
            """,
            *(self._gateway_id, ALIVE_SECONDS),
        )
        return row["known"]

    async def write(self, counts: Mapping[str, int]) -> None:
        """How many this gateway has of these users."""
        await self._db.execute(
            """
            WITH new AS (SELECT * FROM unnest($2::uuid[], $3::int[]) AS new (user_id, count)),
            none AS (
                DELETE FROM open_sockets
                WHERE gateway_id = $1 AND user_id IN (SELECT user_id FROM new WHERE count = 0)
            )
            INSERT INTO open_sockets SELECT user_id, $1, count FROM new WHERE count > 0
            ON CONFLICT (user_id, gateway_id) DO UPDATE SET count = excluded.count
            """,
            *(self._gateway_id, list(counts), list(counts.values())),
        )

    async def delete_gateway(self) -> None:
        """This one ends. Those that ended without saying so are deleted as well, after a day."""
        await self._db.execute(
            "DELETE FROM gateways WHERE id = $1 OR alive_until < now() - interval '1 day'", self._gateway_id
        )
        await self._db.execute("DELETE FROM open_sockets WHERE gateway_id NOT IN (SELECT id FROM gateways)")
