"""What every new answer begins with."""

from typing import Annotated, Any

from fastapi import Depends

from contracts.ids import new_id
from gateway.dependencies import Services, SignedInSession, User


async def _new_answer(session: SignedInSession, user: User, to: Services) -> dict[str, Any]:
    settings = await to.user_settings.get(user.user_id)
    return {
        "actor": user,
        "run_id": new_id(),
        "username": session.user.username,
        "approval": settings.approval,
        "instructions": settings.instructions,
    }


NewAnswer = Annotated[dict[str, Any], Depends(_new_answer)]
"""The fields of `contracts.chat.RunRequest` that are not the client's to choose."""
