"""A local replacement for a model provider: OpenAI's HTTP formats, scripted answers, faults on demand."""

from tests.model_server.server import ModelServer, Request
from tests.model_server.steps import Calls, Cut, Hang, OpenAnswer, Replay, Stamps, Status, Step, Text

__all__ = ["Calls", "Cut", "Hang", "ModelServer", "OpenAnswer", "Replay", "Request", "Stamps", "Status", "Step", "Text"]
