"""What the assistant can do: the same requests to the notes service as anybody's."""

from agent_service.tools.calls import failed_call, perform
from agent_service.tools.registry import TOOLS, sdk_tools

__all__ = ["TOOLS", "failed_call", "perform", "sdk_tools"]
