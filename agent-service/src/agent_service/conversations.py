"""Conversations as requested by their user."""

from agent_service.models import SelectedModels
from agent_service.repository import BranchRepository, ConversationRepository
from agent_service.run_commands import RunCommands
from agent_service.signals import Signals
from contracts.chat import (
    ChatRequest,
    Conversation,
    ConversationPage,
    ConversationRef,
    ConversationSummary,
    ConversationUsage,
    CreateConversation,
    GetConversation,
    ListConversations,
    RunRef,
    Summary,
    UpdateConversation,
    UpdateSummary,
)
from contracts.operation import Empty
from contracts.user_events import ConversationChanged


class ConversationService:
    def __init__(
        self,
        repository: ConversationRepository,
        branches: BranchRepository,
        runs: RunCommands,
        signals: Signals,
        models: SelectedModels,
    ) -> None:
        self.repository = repository
        self.branches = branches
        self.runs = runs
        self.signals = signals
        self.models = models

    async def page(self, request: ListConversations) -> ConversationPage:
        return await self.repository.page(request.actor.user_id, request.limit, request.cursor, request.q)

    async def create(self, request: CreateConversation) -> Conversation:
        self.models.check(request.model, request.effort)
        created = await self.repository.create(
            request.actor.user_id, request.title, request.instructions, request.model, request.effort
        )
        await self.signals.conversation_changed(request.actor.user_id, ConversationChanged(op="create", id=created.id))
        return created

    async def usage(self, request: ChatRequest) -> ConversationUsage:
        return await self.repository.usage(request.actor.user_id)

    async def get(self, request: GetConversation) -> Conversation:
        return await self.repository.get(request.actor.user_id, request.conversation_id, request.limit, request.before)

    async def update_summary(self, request: UpdateSummary) -> Summary:
        user_id, conversation_id = request.actor.user_id, request.conversation_id
        updated = await self.repository.update_summary(user_id, conversation_id, request.message_id, request.text)
        await self.signals.conversation_changed(user_id, ConversationChanged(op="update", id=conversation_id))
        return updated

    async def update(self, request: UpdateConversation) -> ConversationSummary:
        user_id, conversation_id = request.actor.user_id, request.conversation_id
        self.models.check(request.model, request.effort)
        if request.current_message_id is not None:
            await self.branches.switch(user_id, conversation_id, request.current_message_id)
        updated = await self.repository.update(request)
        await self.signals.conversation_changed(request.actor.user_id, ConversationChanged(op="update", id=updated.id))
        return updated

    async def delete(self, request: ConversationRef) -> Empty:
        """Hides the conversation and cancels its run, if one is active."""
        user_id, conversation_id = request.actor.user_id, request.conversation_id
        run_id = await self.repository.delete(user_id, conversation_id)
        if run_id is not None:
            await self.runs.cancel(RunRef(actor=request.actor, run_id=run_id))
        await self.signals.conversation_changed(user_id, ConversationChanged(op="delete", id=conversation_id))
        return Empty()
