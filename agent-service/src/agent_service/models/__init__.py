"""The selection of the model, messages for its failures, and the publishing of its output."""

from agent_service.models.failures import cause_chain, to_model_failure
from agent_service.models.select import SelectedModel, SelectedModels, select_model, select_models
from agent_service.models.streaming_model import StreamingModel

__all__ = [
    "SelectedModel",
    "SelectedModels",
    "StreamingModel",
    "cause_chain",
    "select_model",
    "select_models",
    "to_model_failure",
]
