"""The assistant's tools, implemented by the same requests to the notes service that every other client sends."""

from agent_service.tools.calls import deny_call, fail_call, perform, unknown_tool
from agent_service.tools.sdk_tools import IMPLEMENTATIONS, requires_approval, sdk_tools, tools_requiring_approval

__all__ = [
    "IMPLEMENTATIONS",
    "deny_call",
    "fail_call",
    "perform",
    "requires_approval",
    "sdk_tools",
    "tools_requiring_approval",
    "unknown_tool",
]
