"""The SQL of accounts, sessions and counted attempts."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import asyncpg

from contracts.errors import SignUpClosed, UsernameTaken
from gateway.accounts.models import User
from gateway.database import Database


class StoredUser(NamedTuple):
    user: User
    password_hash: str


class StoredSession(NamedTuple):
    """`ageing`: it was last renewed more than a day ago."""

    id: str
    user: User
    ageing: bool


class ListedSession(NamedTuple):
    id: str
    created_at: datetime
    last_used_at: datetime
    user_agent: str


class ListedUser(NamedTuple):
    username: str
    created_at: datetime
    is_first: bool
    sessions: int


FIRST_INDEX = "users_first"
USER_AGENT_CHARACTERS = 256


class AccountRepository:
    def __init__(self, database: Database) -> None:
        self._db = database

    async def add_user(self, user: User, password_hash: str, *, only_as_first: bool) -> None:
        """Raises `UsernameTaken`; with `only_as_first`, `SignUpClosed` where there is an account already. Of several
        who want to be the first at the same time one is: the index `users_first` has room for one."""
        try:
            added = await self._db.row(
                """
                INSERT INTO users (id, username, password_hash, is_first)
                SELECT $1, $2, $3, others.none FROM (SELECT NOT EXISTS (SELECT FROM users) AS none) AS others
                WHERE others.none OR NOT $4
                RETURNING id
                """,
                *(user.id, user.username, password_hash, only_as_first),
            )
        except asyncpg.UniqueViolationError as error:
            if error.constraint_name != FIRST_INDEX:
                raise UsernameTaken from error
            await self.add_user(user, password_hash, only_as_first=only_as_first)  # now there is one
            return
        if added is None:
            raise SignUpClosed

    async def has_users(self) -> bool:
        return await self._db.row("SELECT 1 FROM users LIMIT 1") is not None

    async def users(self) -> list[ListedUser]:
        """In the order of their names, with the sessions that have not expired."""
        rows = await self._db.rows(
            """
            SELECT u.username, u.created_at, u.is_first, count(s.id) AS sessions
            FROM users u LEFT JOIN sessions s ON s.user_id = u.id AND s.expires_at > now()
            GROUP BY u.id ORDER BY lower(u.username)
            """
        )
        return [ListedUser(*row) for row in rows]

    async def is_taken(self, username: str) -> bool:
        return await self._db.row("SELECT 1 FROM users WHERE lower(username) = lower($1)", username) is not None

    async def user_named(self, username: str) -> StoredUser | None:
        return _user(
            await self._db.row(
                "SELECT id, username, password_hash FROM users WHERE lower(username) = lower($1)", username
            )
        )

    async def user(self, user_id: str) -> StoredUser | None:
        return _user(await self._db.row("SELECT id, username, password_hash FROM users WHERE id = $1", user_id))

    async def set_password(self, user_id: str, password_hash: str) -> None:
        await self._db.execute("UPDATE users SET password_hash = $2 WHERE id = $1", user_id, password_hash)

    async def add_session(
        self, token_hash: bytes, session_id: str, user_id: str, lifetime: timedelta, user_agent: str
    ) -> None:
        await self._db.execute(
            """
            INSERT INTO sessions (token_hash, id, user_id, expires_at, user_agent) VALUES ($1, $2, $3, now() + $4, $5)
            """,
            *(token_hash, session_id, user_id, lifetime, user_agent[:USER_AGENT_CHARACTERS]),
        )

    async def sessions(self, user_id: str, lifetime: timedelta) -> list[ListedSession]:
        """The one used last is the first."""
        rows = await self._db.rows(
            """
            SELECT id, created_at, greatest(created_at, expires_at - $2::interval) AS last_used_at, user_agent
            FROM sessions WHERE user_id = $1 AND expires_at > now() ORDER BY expires_at DESC, id
            """,
            *(user_id, lifetime),
        )
        return [ListedSession(str(row["id"]), *row[1:]) for row in rows]

    async def session(self, token_hash: bytes, lifetime: timedelta) -> StoredSession | None:
        row = await self._db.row(
            """
            SELECT s.id, s.user_id, u.username, s.expires_at < now() + $2 - interval '1 day' AS ageing
            FROM sessions s JOIN users u ON u.id = s.user_id
            WHERE s.token_hash = $1 AND s.expires_at > now()
            """,
            token_hash,
            lifetime,
        )
        if row is None:
            return None
        return StoredSession(str(row["id"]), User(id=str(row["user_id"]), username=row["username"]), row["ageing"])

    async def valid_sessions(self, session_ids: Collection[str]) -> set[str]:
        """The subset of these ids whose sessions have not ended."""
        rows = await self._db.rows(
            "SELECT id FROM sessions WHERE id = ANY($1::uuid[]) AND expires_at > now()", list(session_ids)
        )
        return {str(row["id"]) for row in rows}

    async def renew_session(self, token_hash: bytes, lifetime: timedelta) -> None:
        await self._db.execute(
            "UPDATE sessions SET expires_at = now() + $2 WHERE token_hash = $1", token_hash, lifetime
        )

    async def replace_token(self, session_id: str, token_hash: bytes, lifetime: timedelta) -> None:
        """The session goes on under another token."""
        await self._db.execute(
            "UPDATE sessions SET token_hash = $2, expires_at = now() + $3 WHERE id = $1",
            *(session_id, token_hash, lifetime),
        )

    async def end_oldest_sessions(self, user_id: str, keep: int) -> list[str]:
        """Ends all but the `keep` sessions that were used last. Returns the ids of those that ended."""
        rows = await self._db.rows(
            """
            DELETE FROM sessions WHERE token_hash IN (
                SELECT token_hash FROM sessions WHERE user_id = $1 ORDER BY expires_at DESC OFFSET $2
            ) RETURNING id
            """,
            *(user_id, keep),
        )
        return [str(row["id"]) for row in rows]

    async def end_session(self, user_id: str, session_id: str) -> bool:
        """False where the user has no such session."""
        sql = "DELETE FROM sessions WHERE user_id = $1 AND id = $2 RETURNING id"
        return await self._db.row(sql, user_id, session_id) is not None

    async def end_sessions(self, user_id: str, *, keep: str | None = None) -> list[str]:
        """All of the user but `keep`. Returns the ids of those that ended."""
        rows = await self._db.rows(
            "DELETE FROM sessions WHERE user_id = $1 AND id IS DISTINCT FROM $2 RETURNING id", user_id, keep
        )
        return [str(row["id"]) for row in rows]

    async def count_attempt(
        self,
        key: str,
        free: int,
        first: timedelta,
        longest: timedelta,
        forgotten_after: timedelta,
        *,
        since_last: bool,
    ) -> float:
        """Counts an attempt, unless one has to wait: returns for how many seconds. After `free` attempts the next one
        waits for `first`, and every further one twice as long, but not longer than `longest`. The attempts are
        forgotten `forgotten_after` the first one, or with `since_last` the last one."""
        wait = await self._db.row(
            """
            WITH counted AS (
                INSERT INTO attempts AS a (key, count, resets_at, blocked_until)
                VALUES ($1, 1, now() + $4, CASE WHEN $2 > 1 THEN '-infinity' ELSE now() + $6 END)
                ON CONFLICT (key) DO UPDATE SET
                    count = CASE WHEN a.resets_at <= now() THEN 1 ELSE a.count + 1 END,
                    resets_at = CASE WHEN $5 OR a.resets_at <= now() THEN now() + $4 ELSE a.resets_at END,
                    blocked_until = CASE
                        WHEN a.resets_at <= now() OR a.count + 1 < $2 THEN '-infinity'
                        ELSE now() + least($3, $6 * power(2, least(a.count + 1 - $2, 20)))
                    END
                WHERE a.blocked_until <= now() OR a.resets_at <= now()
                RETURNING 0
            )
            SELECT coalesce(
                (SELECT 0 FROM counted),
                (SELECT extract(epoch FROM blocked_until - now()) FROM attempts WHERE key = $1),
                1  -- another one was counted in this moment
            )::float8 AS seconds
            """,
            *(key, free, longest, forgotten_after, since_last, first),
        )
        return wait["seconds"]

    async def forget_attempts(self, key: str, *, all_of_them: bool) -> None:
        """The last one or all, and the delay that they caused."""
        await self._db.execute(
            """
            UPDATE attempts SET blocked_until = '-infinity', count = CASE WHEN $2 THEN 0 ELSE greatest(count - 1, 0) END
            WHERE key = $1
            """,
            *(key, all_of_them),
        )

    async def secret(self, name: str, new: bytes) -> bytes:
        """The secret of that name, which all gateways share: `new` where there is none yet."""
        await self._db.execute("INSERT INTO secrets VALUES ($1, $2) ON CONFLICT DO NOTHING", name, new)
        row = await self._db.row("SELECT value FROM secrets WHERE name = $1", name)
        return row["value"]

    async def delete_expired(self) -> None:
        """Deletes sessions that have expired, and attempts that are forgotten."""
        await self._db.execute("DELETE FROM sessions WHERE expires_at <= now()")
        await self._db.execute("DELETE FROM attempts WHERE resets_at <= now()")


def _user(row: Any) -> StoredUser | None:
    if row is None:
        return None
    return StoredUser(User(id=str(row["id"]), username=row["username"]), row["password_hash"])
