"""HTTP of conversations."""

from typing import Annotated

from contracts.ids import Id
from contracts.rpc import call
from contracts.text import no_nul
from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator

from contracts import chat
from gateway.chat.models import ConversationPatch, NewConversation
from gateway.dependencies import Services, User
from gateway.problems import problems

router = APIRouter(prefix="/api/conversations", tags=["chat"])


@router.get("", responses=problems(401))
async def list_conversations(
    user: User,
    to: Services,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
    q: Annotated[str | None, Query(max_length=400), AfterValidator(lambda q: q and no_nul(q))] = None,
) -> chat.ConversationPage:
    """Newest first; with `q`, those that contain it."""
    return await call(
        to.nc, chat.CONVERSATION_LIST, chat.ListConversations(actor=user, limit=limit, cursor=cursor, q=q or None)
    )


@router.post("", status_code=201, responses=problems(401, 403))
async def create_conversation(body: NewConversation, user: User, to: Services, response: Response) -> chat.Conversation:
    asked = chat.CreateConversation(actor=user, title=body.title, instructions=body.instructions)
    conversation = await call(to.nc, chat.CONVERSATION_CREATE, asked)
    response.headers["Location"] = f"/api/conversations/{conversation.id}"
    return conversation


@router.get("/{id}", responses=problems(401, 404))
async def get_conversation(id: Id, user: User, to: Services) -> chat.Conversation:  # noqa: A002
    """With its messages, and the run that is under way, if any."""
    return await call(to.nc, chat.CONVERSATION_GET, chat.ConversationRef(actor=user, conversation_id=id))


@router.patch("/{id}", responses=problems(401, 403, 404))
async def update_conversation(
    id: Id,  # noqa: A002
    body: ConversationPatch,
    user: User,
    to: Services,
) -> chat.ConversationSummary:
    asked = chat.UpdateConversation(actor=user, conversation_id=id, **body.model_dump(exclude_unset=True))
    return await call(to.nc, chat.CONVERSATION_UPDATE, asked)


@router.delete("/{id}", status_code=204, responses=problems(401, 403, 404))
async def delete_conversation(id: Id, user: User, to: Services) -> None:  # noqa: A002
    """Deletes the conversation and its messages. Notes that were written in it stay."""
    await call(to.nc, chat.CONVERSATION_DELETE, chat.ConversationRef(actor=user, conversation_id=id))
