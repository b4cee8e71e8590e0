"""HTTP of conversations."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator

from contracts import chat
from contracts.ids import Id
from contracts.text import no_nul
from gateway.chat.answers import NewAnswer
from gateway.chat.models import AnotherAnswer, ConversationPatch, EditedMessage, NewConversation
from gateway.dependencies import Services, User
from gateway.problems import problems
from servicekit.rpc import call

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
    request = chat.CreateConversation(actor=user, title=body.title, instructions=body.instructions)
    conversation = await call(to.nc, chat.CONVERSATION_CREATE, request)
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
    request = chat.UpdateConversation(actor=user, conversation_id=id, **body.model_dump(exclude_unset=True))
    return await call(to.nc, chat.CONVERSATION_UPDATE, request)


@router.post("/{id}/messages/{message_id}/edit", status_code=202, responses=problems(401, 403, 404, 409, 429))
async def edit_message(
    id: Id,  # noqa: A002
    message_id: Id,
    body: EditedMessage,
    begins: NewAnswer,
    to: Services,
) -> chat.RunStarted:
    """Says something else in the place of a message of yours, on a new branch; the old one stays, among `siblings`."""
    fields = body.model_dump(exclude_none=True)
    request = chat.EditMessage(**begins, conversation_id=id, message_id=message_id, **fields)
    return await call(to.nc, chat.RUN_EDIT, request)


@router.post("/{id}/messages/{message_id}/regenerate", status_code=202, responses=problems(401, 403, 404, 409, 429))
async def regenerate(
    id: Id,  # noqa: A002
    message_id: Id,
    begins: NewAnswer,
    to: Services,
    body: AnotherAnswer | None = None,
) -> chat.RunStarted:
    """Answers again, on a new branch; the old answer stays, among `siblings`."""
    fields = body.model_dump(exclude_none=True) if body else {}
    request = chat.Regenerate(**begins, conversation_id=id, message_id=message_id, **fields)
    return await call(to.nc, chat.RUN_REGENERATE, request)


@router.delete("/{id}", status_code=204, responses=problems(401, 403, 404))
async def delete_conversation(id: Id, user: User, to: Services) -> None:  # noqa: A002
    """Deletes the conversation and its messages. Notes that were written in it stay."""
    await call(to.nc, chat.CONVERSATION_DELETE, chat.ConversationRef(actor=user, conversation_id=id))
