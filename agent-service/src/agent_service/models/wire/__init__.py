"""Model servers over HTTP: the only code that reads and writes their two formats.

`HttpModel` is what others use; `context_window` knows how much it takes. Out: `transcript` and `requests` make the
request, in the form that `dialect` knows the server to take, `client` sends it. In: `client` reads
bytes, `response_body` events (`sse`), a decoder (`chat_completions`, `responses`) their meaning, and `response_builder`
makes one response of it, with the help of `tagged_text`, `text_calls` and `tool_calls`.
"""

from agent_service.models.wire.client import WireClient
from agent_service.models.wire.context_window import ContextWindow
from agent_service.models.wire.dialect import Dialect
from agent_service.models.wire.listener import Listener, SilentListener, Simplification
from agent_service.models.wire.model import Api, HttpModel
from agent_service.models.wire.response_builder import FinishedResponse

__all__ = [
    "Api",
    "ContextWindow",
    "Dialect",
    "FinishedResponse",
    "HttpModel",
    "Listener",
    "SilentListener",
    "Simplification",
    "WireClient",
]
