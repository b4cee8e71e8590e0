"""An answer in the format of OpenAI's Responses: named, numbered events with every item begun, streamed and closed."""

import json
import time
from typing import Any

PATH = "/v1/responses"


class Responses:
    """The events of one answer, encoded."""

    def __init__(self, request: dict[str, Any], number: int) -> None:
        self._number = number
        self._events = 0
        self._output: list[dict[str, Any]] = []
        self._text: list[str] = []
        self._item: dict[str, Any] = {}
        self._prompt_tokens = len(json.dumps(request.get("input"))) // 4
        self._response: dict[str, Any] = {
            "id": f"resp_{number}",
            "object": "response",
            "created_at": int(time.time()),
            "model": request.get("model", "local"),
            "status": "in_progress",
            "error": None,
            "incomplete_details": None,
            "instructions": request.get("instructions"),
            "metadata": {},
            "output": [],
            "parallel_tool_calls": True,
            "temperature": 1.0,
            "tool_choice": "auto",
            "tools": request.get("tools") or [],
            "top_p": 1.0,
            "usage": None,
        }

    def begin(self) -> bytes:
        created = self._event("response.created", response=self._response)
        return created + self._event("response.in_progress", response=self._response)

    def token(self, text: str) -> bytes:
        opened = b"" if self._text else self._text_begins()
        self._text.append(text)
        return opened + self._part_event("response.output_text.delta", delta=text, logprobs=[])

    def text_done(self) -> bytes:
        if not self._text:
            return b""
        text = "".join(self._text)
        part: dict[str, Any] = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
        done = self._part_event("response.output_text.done", text=text, logprobs=[])
        done += self._part_event("response.content_part.done", part=part)
        self._text = []
        return done + self._item_done(content=[part])

    def call_begins(self, name: str) -> bytes:
        number = f"{self._number}_{len(self._output)}"
        item = {"id": f"fc_{number}", "type": "function_call", "call_id": f"call_{number}", "name": name}
        return self._item_begins({**item, "arguments": "", "status": "in_progress"})

    def call_arguments(self, delta: str) -> bytes:
        self._item["arguments"] += delta
        return self._item_event("response.function_call_arguments.delta", delta=delta)

    def call_done(self) -> bytes:
        fields = {"name": self._item["name"], "arguments": self._item["arguments"]}
        return self._item_event("response.function_call_arguments.done", **fields) + self._item_done()

    def end(self, tokens: int) -> bytes:
        usage = {
            "input_tokens": self._prompt_tokens,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": self._prompt_tokens + tokens,
        }
        done = {**self._response, "status": "completed", "output": self._output, "usage": usage}
        return self._event("response.completed", response=done)

    def _text_begins(self) -> bytes:
        item = {"id": f"msg_{self._number}", "type": "message", "role": "assistant", "status": "in_progress"}
        part: dict[str, Any] = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
        return self._item_begins({**item, "content": []}) + self._part_event("response.content_part.added", part=part)

    def _item_begins(self, item: dict[str, Any]) -> bytes:
        self._item = item
        return self._event("response.output_item.added", output_index=len(self._output), item=item)

    def _item_done(self, **fields: Any) -> bytes:
        item = {**self._item, **fields, "status": "completed"}
        done = self._event("response.output_item.done", output_index=len(self._output), item=item)
        self._output.append(item)
        return done

    def _part_event(self, name: str, /, **fields: Any) -> bytes:
        return self._item_event(name, content_index=0, **fields)

    def _item_event(self, name: str, /, **fields: Any) -> bytes:
        return self._event(name, item_id=self._item["id"], output_index=len(self._output), **fields)

    def _event(self, name: str, /, **fields: Any) -> bytes:
        data = {"type": name, "sequence_number": self._events, **fields}
        self._events += 1
        return f"event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
