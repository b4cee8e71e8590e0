"""What the assistant can do: the same requests to the notes service as anybody's."""

from agent_service.tools.calls import denied_call, failed_call, perform
from agent_service.tools.registry import TOOLS, needs_word, sdk_tools

__all__ = ["TOOLS", "denied_call", "failed_call", "needs_word", "perform", "sdk_tools"]
