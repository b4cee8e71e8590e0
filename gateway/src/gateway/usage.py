"""HTTP routes of what a user stores, beside what they may store, and of what models they used."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query

from contracts import chat, files, notes
from gateway.accounts.dependencies import ProtectedRoute, User
from gateway.dependencies import Nats
from gateway.problems import problems
from servicekit.rpc import call

router = APIRouter(prefix="/api/usage", tags=["accounts"], route_class=ProtectedRoute)


class StorageUsage(notes.NotesUsage, files.FilesUsage, chat.ConversationUsage):
    pass


@router.get("", responses=problems(401))
async def get_usage(user: User, nc: Nats) -> StorageUsage:
    of_notes, of_files, of_conversations = await asyncio.gather(
        call(nc, notes.USAGE, notes.NoteRequest(actor=user)),
        call(nc, files.USAGE, files.FileRequest(actor=user)),
        call(nc, chat.CONVERSATION_USAGE, chat.ChatRequest(actor=user)),
    )
    return StorageUsage(**of_notes.model_dump(), **of_files.model_dump(), **of_conversations.model_dump())


@router.get("/daily", responses=problems(401))
async def get_daily_usage(
    user: User, nc: Nats, days: Annotated[int, Query(ge=1, le=chat.USAGE_MAX_DAYS)] = 30
) -> chat.DailyUsage:
    """Tokens and costs by day, in UTC, and model: of the last days, today included."""
    return await call(nc, chat.USAGE_DAILY, chat.ListDailyUsage(actor=user, days=days))
