"""A local replacement for a model provider: OpenAI's HTTP formats, scripted answers, faults on demand."""

from tests.model_server.server import ModelServer, Request
from tests.model_server.steps import Calls, Cut, Hang, OpenAnswer, Replay, Stamps, Status, Step, Text
from tests.model_server.window import Window

__all__ = [
    "Calls",
    "Cut",
    "Hang",
    "ModelServer",
    "OpenAnswer",
    "Replay",
    "Request",
    "Stamps",
    "Status",
    "Step",
    "Text",
    "Window",
]
