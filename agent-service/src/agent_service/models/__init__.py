"""Which model answers, and how a run listens to it."""

from agent_service.models.choice import ModelChoice, choose
from agent_service.models.failures import causes, explained
from agent_service.models.listening import ListeningModel

__all__ = ["ListeningModel", "ModelChoice", "causes", "choose", "explained"]
