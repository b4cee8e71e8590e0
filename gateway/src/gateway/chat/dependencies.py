"""FastAPI dependencies of chat."""

from typing import Annotated, Any

from fastapi import Depends

from contracts.ids import new_id
from gateway.accounts.dependencies import SignedInSession, User
from gateway.user_settings.dependencies import StoredSettings


async def _server_fields(session: SignedInSession, user: User, stored_settings: StoredSettings) -> dict[str, Any]:
    settings = await stored_settings.get(user.user_id)
    return {
        "actor": user,
        "run_id": new_id(),
        "username": session.user.username,
        "approval": settings.approval,
        "instructions": settings.instructions,
    }


ServerFields = Annotated[dict[str, Any], Depends(_server_fields)]
"""The fields of `contracts.chat.RunRequest` that the client does not choose."""
