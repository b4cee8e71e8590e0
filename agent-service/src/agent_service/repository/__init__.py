"""All SQL of the service, schema `chat`. What a user requests names the user; a worker's writes name the attempt."""

from agent_service.repository.approvals import ApprovalRepository
from agent_service.repository.branches import BranchPoint, BranchRepository
from agent_service.repository.claimed_run import ClaimedRun, Terms
from agent_service.repository.claims import ClaimRepository
from agent_service.repository.conversation_limits import ConversationLimits
from agent_service.repository.conversations import ConversationRepository
from agent_service.repository.progress import AssistantMessage, ProgressRepository, RequestedCall, ToolResult
from agent_service.repository.recovery import OverdueRun, RecoveryRepository
from agent_service.repository.retained_events import RetainedEventRepository, RetainedPrefix
from agent_service.repository.retention import RetentionRepository
from agent_service.repository.run_limits import RunLimitRepository
from agent_service.repository.run_records import (
    FinishedRun,
    RunRecord,
    RunRecordRepository,
    SessionItem,
    StoredCall,
    StoredHistory,
    StoredMessage,
    StoredSummary,
)
from agent_service.repository.runs import Fork, NewRun, RunRepository, Seen
from agent_service.repository.usage import UsageRepository

__all__ = [
    "ApprovalRepository",
    "AssistantMessage",
    "BranchPoint",
    "BranchRepository",
    "ClaimRepository",
    "ClaimedRun",
    "ConversationLimits",
    "ConversationRepository",
    "FinishedRun",
    "Fork",
    "NewRun",
    "OverdueRun",
    "ProgressRepository",
    "RecoveryRepository",
    "RequestedCall",
    "RetainedEventRepository",
    "RetainedPrefix",
    "RetentionRepository",
    "RunLimitRepository",
    "RunRecord",
    "RunRecordRepository",
    "RunRepository",
    "Seen",
    "SessionItem",
    "StoredCall",
    "StoredHistory",
    "StoredMessage",
    "StoredSummary",
    "Terms",
    "ToolResult",
    "UsageRepository",
]
