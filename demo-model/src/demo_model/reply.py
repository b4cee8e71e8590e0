"""What the demo model does next: say something, or call tools."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ToolCall:
    """One call of a tool. `arguments` are JSON values."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Reply:
    """One model response: its text, its tool calls, or both, in this order."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
