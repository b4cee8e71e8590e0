"""A model's context window, as real servers tell it and enforce it."""

import json
from dataclasses import dataclass
from typing import Any, Literal

from tests.model_server.http import Request

CHARACTERS_PER_TOKEN = 4

Kind = Literal["vllm", "llama.cpp", "ollama", "lm-studio", "openrouter", "openai", "anthropic"]


@dataclass(frozen=True)
class Window:
    """`tokens`: how many it takes, counted as a token for four characters of JSON. `kind`: whose words it uses; one of
    Ollama cuts what is too long, without a word. `tells`: whether it says how many, before it refuses."""

    tokens: int
    kind: Kind = "vllm"
    tells: bool = True

    def described(self, name: str) -> dict[str, Any]:
        """What the list of models says of it."""
        if not self.tells:
            return {}
        match self.kind:
            case "vllm":
                return {"max_model_len": self.tokens, "owned_by": "vllm"}
            case "openrouter":
                return {"context_length": 1_000_000, "top_provider": {"context_length": self.tokens}}
            case "llama.cpp":
                return {"owned_by": "llamacpp", "meta": {"n_ctx_train": 131_072, "n_params": 1}}
            case _:
                return {}

    def beside_api(self, request: Request, name: str) -> dict[str, Any] | None:
        """The answer of an interface of the server's own; None if it has no such one."""
        if not self.tells:
            return None
        match self.kind, request.path:
            case "llama.cpp", "/props":
                return {"default_generation_settings": {"n_ctx": self.tokens}, "total_slots": 4}
            case "ollama", "/api/ps":
                return {"models": [{"name": f"{name}:latest", "context_length": self.tokens, "size": 1}]}
            case "lm-studio", "/api/v0/models":
                loaded = {"loaded_context_length": self.tokens, "max_context_length": 131_072, "state": "loaded"}
                return {"object": "list", "data": [{"id": name, **loaded}]}
            case _:
                return None

    def refusal(self, request: Request) -> dict[str, Any] | None:
        """The error for a request that is too long; None for one that fits."""
        sent = len(json.dumps(request.json, ensure_ascii=False)) // CHARACTERS_PER_TOKEN
        if sent <= self.tokens or self.kind == "ollama":
            return None
        match self.kind:
            case "llama.cpp":
                message = "the request exceeds the available context size. try increasing the context size"
                kind = "exceed_context_size_error"
                numbers = {"n_prompt_tokens": sent, "n_ctx": self.tokens}
                return {"error": {"code": 400, "message": message, "type": kind, **numbers}}
            case "lm-studio":
                return {
                    "error": f"Trying to keep the first {sent} tokens when context the overflows. However, the model "
                    f"is loaded with context length of only {self.tokens} tokens, which is not enough."
                }
            case "openai":
                message = "Your input exceeds the context window of this model. Please adjust your input and try again."
                return {"error": {"message": message, "param": "input", "code": "context_length_exceeded"}}
            case "anthropic":
                message = f"prompt is too long: {sent} tokens > {self.tokens} maximum"
                return {"error": {"type": "invalid_request_error", "message": message}}
            case _:
                message = (
                    f"This model's maximum context length is {self.tokens} tokens. However, you requested {sent} "
                    f"tokens ({sent} in the messages, 0 in the completion). Please reduce the length of the messages."
                )
                return {"object": "error", "message": message, "type": "BadRequestError", "param": None, "code": 400}
