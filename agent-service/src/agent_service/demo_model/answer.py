"""What the demo model decided to do next: say something, or call tools."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Call:
    """One call of a tool. `arguments` are JSON values."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Answer:
    """One answer of the model: its text, its tool calls, or both, in this order."""

    text: str = ""
    calls: tuple[Call, ...] = ()
