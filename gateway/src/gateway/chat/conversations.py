"""HTTP routes of conversations."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator

from contracts import chat, note_history
from contracts.actor import Actor
from contracts.errors import ChangesConflict
from contracts.ids import Id
from contracts.text import no_nul
from gateway.accounts.dependencies import ProtectedRoute, User
from gateway.chat.dependencies import ServerFields
from gateway.chat.models import AnotherAnswer, ConversationPatch, EditedMessage, EditedSummary, NewConversation
from gateway.dependencies import Nats
from gateway.problems import problems
from servicekit.rpc import call

MAX_PARTS = 16
"""Of a conversation that are joined in one answer; a part has about 1 MiB at most."""

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
    request = chat.CreateConversation(actor=user, **body.model_dump())
    conversation = await call(nc, chat.CONVERSATION_CREATE, request)
    response.headers["Location"] = f"/api/conversations/{conversation.id}"
    return conversation


@router.get("/{id}", responses=problems(401, 404))
async def get_conversation(
    id: Id,  # noqa: A002
    user: User,
    nc: Nats,
    limit: Annotated[
        int | None,
        Query(ge=1, le=chat.MESSAGES_PAGE_MAX, description="About how many messages at most, the newest."),
    ] = None,
    before: Annotated[Id | None, Query(description="Only messages before this one, on its branch.")] = None,
) -> chat.Conversation:
    """The conversation with the messages of its current branch and its active run, if any. With `limit`, or if they are
    more than some megabytes, only the newest: then `has_earlier` is true, and the others are read with `before`, the
    id of the oldest message so far. Each part begins with a message of yours.
    """
    request = chat.GetConversation(actor=user, conversation_id=id, limit=limit or chat.MESSAGES_PAGE_MAX, before=before)
    conversation = await call(nc, chat.CONVERSATION_GET, request)
    for _ in range(0 if limit else MAX_PARTS - 1):
        if not conversation.has_earlier:
            break
        request = request.model_copy(update={"before": conversation.messages[0].id})
        earlier = await call(nc, chat.CONVERSATION_GET, request)
        conversation.messages[:0] = earlier.messages
        conversation.has_earlier = earlier.has_earlier
    return conversation


@router.put("/{id}/summaries/{message_id}", responses=problems(401, 403, 404))
async def update_summary(
    id: Id,  # noqa: A002
    message_id: Id,
    body: EditedSummary,
    user: User,
    nc: Nats,
) -> chat.Summary:
    """Replaces the summary of the messages up to this one, which the model gets from then on instead of them."""
    request = chat.UpdateSummary(actor=user, conversation_id=id, message_id=message_id, text=body.text)
    return await call(nc, chat.CONVERSATION_SUMMARY_UPDATE, request)


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
) -> chat.RunRestarted:
    """Replaces a message of yours and answers it, on a new branch. The old one stays, among `siblings`."""
    undone = await _take_back(nc, server_fields["actor"], id, message_id, body, edited=True)
    fields = body.model_dump(exclude={"keep_conflicts"}, exclude_none=True)
    request = chat.EditMessage(**server_fields, conversation_id=id, message_id=message_id, **fields)
    return chat.RunRestarted(**(await call(nc, chat.RUN_EDIT, request)).model_dump(), undone=undone)


@router.post("/{id}/messages/{message_id}/regenerate", status_code=202, responses=problems(401, 403, 404, 409, 429))
async def regenerate(
    id: Id,  # noqa: A002
    message_id: Id,
    server_fields: ServerFields,
    nc: Nats,
    body: AnotherAnswer | None = None,
) -> chat.RunRestarted:
    """Answers again, on a new branch. The old answer stays, among `siblings`."""
    body = body or AnotherAnswer()
    undone = await _take_back(nc, server_fields["actor"], id, message_id, body, edited=False)
    request = chat.Regenerate(
        **server_fields, conversation_id=id, message_id=message_id, client_request_id=body.client_request_id
    )
    return chat.RunRestarted(**(await call(nc, chat.RUN_REGENERATE, request)).model_dump(), undone=undone)


async def _take_back(
    nc: Nats, user: Actor, conversation_id: Id, message_id: Id, body: AnotherAnswer, *, edited: bool
) -> list[note_history.UndoneNote]:
    """Undoes what the answers that are about to be replaced did to notes: the new one begins where they began. Raises
    `ChangesConflict`."""
    replaced = await call(
        nc,
        chat.RUN_REPLACED,
        chat.FindReplacedRuns(
            actor=user,
            conversation_id=conversation_id,
            message_id=message_id,
            edited=edited,
            client_request_id=body.client_request_id,
        ),
    )
    if not replaced.run_ids:
        return []
    request = note_history.UndoRuns(
        actor=user, run_ids=replaced.run_ids[: note_history.UNDO_RUNS_MAX], partly=body.keep_conflicts
    )
    undone = await call(nc, note_history.UNDO_RUNS, request)
    if undone.conflicts and not body.keep_conflicts:
        raise ChangesConflict(conflicts=[conflict.model_dump(mode="json") for conflict in undone.conflicts])
    for run_id in undone.runs:
        await call(nc, chat.RUN_UNDONE, chat.RunRef(actor=user, run_id=run_id))
    return undone.undone


@router.delete("/{id}", status_code=204, responses=problems(401, 403, 404))
async def delete_conversation(id: Id, user: User, nc: Nats) -> None:  # noqa: A002
    """Deletes the conversation and its messages. Notes that were written in it stay."""
    await call(nc, chat.CONVERSATION_DELETE, chat.ConversationRef(actor=user, conversation_id=id))
