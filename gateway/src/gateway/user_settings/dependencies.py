"""FastAPI dependencies of users' settings."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from gateway.user_settings.repository import SettingsRepository


async def _stored_settings(connection: HTTPConnection) -> SettingsRepository:
    return connection.state.container.user_settings


StoredSettings = Annotated[SettingsRepository, Depends(_stored_settings)]
