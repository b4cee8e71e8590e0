"""The SQL of users' settings."""

from typing import Any

from gateway.database import Database
from gateway.user_settings.models import UserSettings


class SettingsRepository:
    """A user who never changed a setting has no row, and the defaults."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def get(self, user_id: str) -> UserSettings:
        row = await self._db.row("SELECT approval, instructions, theme FROM preferences WHERE user_id = $1", user_id)
        return UserSettings(**dict(row)) if row else UserSettings()

    async def change(self, user_id: str, changes: dict[str, Any]) -> UserSettings:
        """`changes`: some of the fields of `UserSettings`."""
        row = await self._db.row(
            """
            INSERT INTO preferences AS p (user_id, approval, instructions, theme)
            VALUES ($1, coalesce($2, $5), coalesce($3, $6), coalesce($4, $7))
            ON CONFLICT (user_id) DO UPDATE SET
                approval = coalesce($2, p.approval),
                instructions = coalesce($3, p.instructions),
                theme = coalesce($4, p.theme)
            RETURNING approval, instructions, theme
            """,
            *(user_id, changes.get("approval"), changes.get("instructions"), changes.get("theme")),
            *UserSettings().model_dump().values(),
        )
        return UserSettings(**dict(row))
