"""An answer as the page builds it from a run's events: texts and tool calls in order, corrected by `message`, reset by
`restart`."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Text:
    """`message_id` None: the text is still streaming."""

    text: str = ""
    message_id: str | None = None


@dataclass
class ToolCall:
    call_id: str
    name: str
    status: str = "running"


@dataclass
class Answer:
    """The rules of the page (`web/src/chat/runs/answer.svelte.ts`), so that what a user would see is compared."""

    parts: list[Text | ToolCall] = field(default_factory=list[Text | ToolCall])
    status: str = "queued"
    error: dict[str, Any] | None = None
    restarts: int = 0

    @property
    def texts(self) -> list[str]:
        return [part.text for part in self.parts if isinstance(part, Text) and part.text]

    @property
    def tools(self) -> list[ToolCall]:
        return [part for part in self.parts if isinstance(part, ToolCall)]

    def apply(self, event: str, data: dict[str, Any]) -> None:
        match event:
            case "token":
                self._open_text().text += data["token"]
            case "tool_call":
                self._tool(data["call_id"], data["name"])
            case "tool_done":
                self._tool(data["call_id"], data["name"]).status = data["status"]
            case "message":
                self._message(data["message_id"], data["text"])
            case "restart":
                self.restarts += 1
                self.parts = [part for part in self.parts if not _unfinished(part)]
            case "run_error":
                self.error = data
            case "done":
                self.status = data["status"]
            case _:
                pass  # shown elsewhere, or not at all

    def _open_text(self) -> Text:
        last = self.parts[-1] if self.parts else None
        if isinstance(last, Text) and last.message_id is None:
            return last
        text = Text()
        self.parts.append(text)
        return text

    def _tool(self, call_id: str, name: str) -> ToolCall:
        found = next((tool for tool in self.tools if tool.call_id == call_id), None)
        if found is None:
            found = ToolCall(call_id, name)
            self.parts.append(found)
        return found

    def _message(self, message_id: str, text: str) -> None:
        texts = [part for part in self.parts if isinstance(part, Text)]
        growing = next((part for part in texts if part.message_id is None), None)
        if growing is not None:
            growing.text, growing.message_id = text, message_id
        elif not any(part.message_id == message_id for part in texts):
            self.parts.append(Text(text, message_id))


def _unfinished(part: Text | ToolCall) -> bool:
    return part.message_id is None if isinstance(part, Text) else part.status == "running"
