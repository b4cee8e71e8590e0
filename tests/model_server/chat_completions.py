"""An answer in the format of OpenAI's Chat Completions: `data:` lines of chunks, closed by `[DONE]`."""

import json
import time
from typing import Any

PATH = "/v1/chat/completions"


class ChatCompletions:
    """The events of one answer, encoded."""

    def __init__(self, request: dict[str, Any], number: int) -> None:
        self._head = {
            "id": f"chatcmpl-{number}",
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": request.get("model", "local"),
        }
        self._number = number
        options: dict[str, Any] = request.get("stream_options") or {}
        self._with_usage = bool(options.get("include_usage"))
        self._prompt_tokens = len(json.dumps(request.get("messages"))) // 4
        before, after = self._chunk({"content": "\ue000"}).split(json.dumps("\ue000").encode())
        self._before, self._after = before, after
        self._calls = 0

    def begin(self) -> bytes:
        return self._chunk({"role": "assistant", "content": "", "refusal": None})

    def token(self, text: str) -> bytes:
        """A chunk with one token. The JSON around it is encoded once; only the token is encoded each time."""
        return self._before + json.dumps(text).encode() + self._after

    def text_done(self) -> bytes:
        return b""

    def call_begins(self, name: str) -> bytes:
        self._calls += 1
        function = {"name": name, "arguments": ""}
        call_id = f"call_{self._number}_{self._calls}"
        return self._call({"id": call_id, "type": "function", "function": function})

    def call_arguments(self, delta: str) -> bytes:
        return self._call({"function": {"arguments": delta}})

    def call_done(self) -> bytes:
        return b""

    def end(self, tokens: int) -> bytes:
        closing = self._chunk({}, "tool_calls" if self._calls else "stop")
        if self._with_usage:
            usage = {
                "prompt_tokens": self._prompt_tokens,
                "completion_tokens": tokens,
                "total_tokens": self._prompt_tokens + tokens,
            }
            closing += _data({**self._head, "choices": [], "usage": usage})
        return closing + b"data: [DONE]\n\n"

    def _call(self, call: dict[str, Any]) -> bytes:
        return self._chunk({"tool_calls": [{"index": self._calls - 1, **call}]})

    def _chunk(self, delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return _data({**self._head, "choices": [choice]})


def _data(value: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(value, separators=(",", ":")).encode() + b"\n\n"
