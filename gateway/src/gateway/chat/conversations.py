"""HTTP routes of conversations."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator

from contracts import chat
from contracts.ids import Id
from contracts.text import no_nul
from gateway.accounts.dependencies import ProtectedRoute, User
from gateway.chat.dependencies import ServerFields
from gateway.chat.models import AnotherAnswer, ConversationPatch, EditedMessage, NewConversation
from gateway.dependencies import Nats
from gateway.problems import problems
from servicekit.rpc import call

router = APIRouter(prefix="/api/conversations", tags=["chat"], route_class=ProtectedRoute)


@router.get("", responses=problems(401))
async def list_conversations(
    user: User,
    nc: Nats,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
    q: Annotated[str | None, Query(max_length=400), AfterValidator(lambda q: q and no_nul(q))] = None,
) -> chat.ConversationPage:
    """Newest first; with `q`, those that contain it."""
    return await call(
        nc, chat.CONVERSATION_LIST, chat.ListConversations(actor=user, limit=limit, cursor=cursor, q=q or None)
    )


@router.post("", status_code=201, responses=problems(401, 403))
async def create_conversation(body: NewConversation, user: User, nc: Nats, response: Response) -> chat.Conversation:
    request = chat.CreateConversation(actor=user, title=body.title, instructions=body.instructions)
    conversation = await call(nc, chat.CONVERSATION_CREATE, request)
    response.headers["Location"] = f"/api/conversations/{conversation.id}"
    return conversation


@router.get("/{id}", responses=problems(401, 404))
async def get_conversation(id: Id, user: User, nc: Nats) -> chat.Conversation:  # noqa: A002
    """The conversation with its messages and its active run, if any."""
    return await call(nc, chat.CONVERSATION_GET, chat.ConversationRef(actor=user, conversation_id=id))


@router.patch("/{id}", responses=problems(401, 403, 404))
async def update_conversation(
    id: Id,  # noqa: A002
    body: ConversationPatch,
    user: User,
    nc: Nats,
) -> chat.ConversationSummary:
    request = chat.UpdateConversation(actor=user, conversation_id=id, **body.model_dump(exclude_unset=True))
    return await call(nc, chat.CONVERSATION_UPDATE, request)


@router.post("/{id}/messages/{message_id}/edit", status_code=202, responses=problems(401, 403, 404, 409, 429))
async def edit_message(
    id: Id,  # noqa: A002
    message_id: Id,
    body: EditedMessage,
    server_fields: ServerFields,
    nc: Nats,
) -> chat.RunStarted:
    """Replaces a message of yours and answers it, on a new branch. The old one stays, among `siblings`."""
    fields = body.model_dump(exclude_none=True)
    request = chat.EditMessage(**server_fields, conversation_id=id, message_id=message_id, **fields)
    return await call(nc, chat.RUN_EDIT, request)


@router.post("/{id}/messages/{message_id}/regenerate", status_code=202, responses=problems(401, 403, 404, 409, 429))
async def regenerate(
    id: Id,  # noqa: A002
    message_id: Id,
    server_fields: ServerFields,
    nc: Nats,
    body: AnotherAnswer | None = None,
) -> chat.RunStarted:
    """Answers again, on a new branch. The old answer stays, among `siblings`."""
    fields = body.model_dump(exclude_none=True) if body else {}
    request = chat.Regenerate(**server_fields, conversation_id=id, message_id=message_id, **fields)
    return await call(nc, chat.RUN_REGENERATE, request)


@router.delete("/{id}", status_code=204, responses=problems(401, 403, 404))
async def delete_conversation(id: Id, user: User, nc: Nats) -> None:  # noqa: A002
    """Deletes the conversation and its messages. Notes that were written in it stay."""
    await call(nc, chat.CONVERSATION_DELETE, chat.ConversationRef(actor=user, conversation_id=id))
