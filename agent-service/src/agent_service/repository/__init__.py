"""All SQL of the service, schema `chat`. What a user asks for names the user; a worker's writes name the attempt."""

from agent_service.repository.allowances import AllowanceRepository
from agent_service.repository.approvals import ApprovalRepository
from agent_service.repository.branches import BranchRepository
from agent_service.repository.claims import ClaimedRun, ClaimRepository
from agent_service.repository.conversations import ConversationRepository
from agent_service.repository.progress import Answer, Call, ProgressRepository, ToolResult
from agent_service.repository.record import Record, RecordedCall, RecordedMessage, RecordRepository
from agent_service.repository.retained_events import Kept, RetainedEventRepository
from agent_service.repository.runs import Fork, NewRun, RunRepository
from agent_service.repository.sweeps import Abandoned, SweepRepository

__all__ = [
    "Abandoned",
    "AllowanceRepository",
    "Answer",
    "ApprovalRepository",
    "BranchRepository",
    "Call",
    "ClaimRepository",
    "ClaimedRun",
    "ConversationRepository",
    "Fork",
    "Kept",
    "NewRun",
    "ProgressRepository",
    "Record",
    "RecordRepository",
    "RecordedCall",
    "RecordedMessage",
    "RetainedEventRepository",
    "RunRepository",
    "SweepRepository",
    "ToolResult",
]
