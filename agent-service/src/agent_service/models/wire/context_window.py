"""How many tokens a model takes: set, told by its server, or learned from what the server refuses.

Servers tell it in different places, and some tell more than they give: Ollama and LM Studio may load a model with a
smaller window than it was trained for, and llama.cpp divides it between its slots. So a place that tells what is given
is asked before one that tells what the model could have. A server that tells nothing, and whose window was not set, is
taken to have `UNKNOWN`; if it has less, its first refusal says so.
"""

import asyncio
import re
from collections.abc import Iterable
from typing import Any, NamedTuple, cast

import aiohttp

from agent_service.models.wire.client import WireClient

UNKNOWN = 32_000
"""Tokens. Nearly every server in use gives as much; one that gives less refuses, or tells."""
OLLAMA_DEFAULT = 4_096
"""Ollama's own default. It cuts longer requests without an error."""
LEAST = 1_024
"""No refusal is taken to mean less than this."""
FRESH_SECONDS = 300.0
"""A server may be started again with another window: it is asked again after this time."""
ASK_SECONDS = 3.0

_IN_LIST = ("max_model_len", "context_length", "context_window", "max_context_length", "max_context_window_tokens")


class _Told(NamedTuple):
    """What a server says of a model. `is_given`: the model is loaded with it; else it may be loaded with another."""

    tokens: int
    is_given: bool = True


class ContextWindow:
    """Of one model at one server. `configured`: in tokens, as set; the server is not asked then.

    Invariant: what the server has refused is never sent to it again as long as it says the same of its window.
    """

    def __init__(self, client: WireClient | None, configured: int | None) -> None:
        self._client = client
        self._configured = configured
        self._told: int | None = None
        self._learned: int | None = None
        self._asked_at: float | None = None
        self._asking = asyncio.Lock()

    @property
    def known(self) -> int | None:
        """Tokens, if they were set, told or learned."""
        said = self._configured or self._told
        return min((tokens for tokens in (said, self._learned) if tokens), default=None)

    @property
    def tokens(self) -> int:
        return self.known or UNKNOWN

    async def look_up(self, name: str) -> None:
        """Asks the server, unless that was done lately. What it does not tell stays as it was."""
        if self._client is None or self._configured:
            return
        async with self._asking:
            now = asyncio.get_running_loop().time()
            if self._asked_at is not None and now - self._asked_at < FRESH_SECONDS:
                return
            told = None
            try:
                async with asyncio.timeout(ASK_SECONDS):
                    told = await _ask(self._client, name)
            except (aiohttp.ClientError, TimeoutError, ValueError):
                pass  # the request to the model will say what is wrong
            self._asked_at = now if told is None or told.is_given else None
            if told is not None and told.tokens != self._told:
                self._told, self._learned = told.tokens, None

    def refused(self, sent: int, limit: int | None) -> None:
        """The server has refused a request that was estimated at `sent` tokens. `limit`: what it says that it takes. A
        limit that the request had kept by our estimate says that the estimate was too low: then less is sent."""
        learned = limit if limit is not None and limit < sent else sent * 3 // 4
        self._learned = max(LEAST, min(learned, self._learned or learned))


async def _ask(client: WireClient, name: str) -> _Told | None:
    model = next((model for model in await _listed(client) if _is_called(model, name)), dict[str, Any]())
    if tokens := _first(model, _IN_LIST):
        return _Told(min(tokens, _number(_dict(model.get("top_provider")).get("context_length")) or tokens))
    trained = _number(_dict(model.get("meta")).get("n_ctx_train"))
    if trained or model.get("owned_by") == "llamacpp":
        settings = _dict(_dict(await client.read_beside_api("props")).get("default_generation_settings"))
        tokens = _number(settings.get("n_ctx")) or trained
        return _Told(tokens) if tokens else None
    return await _ask_ollama(client, name) or await _ask_lm_studio(client, name)


async def _listed(client: WireClient) -> list[dict[str, Any]]:
    try:
        return await client.listed_models()
    except ValueError:
        return []


async def _ask_ollama(client: WireClient, name: str) -> _Told | None:
    for model in _list(_dict(await client.read_beside_api("api/ps")).get("models")):
        if _is_called(model, name) and (tokens := _number(model.get("context_length"))):
            return _Told(tokens)
    shown = _dict(await client.read_beside_api("api/show", {"model": name}))
    if not shown:
        return None
    if match := re.search(r"^num_ctx\s+(\d+)", str(shown.get("parameters") or ""), re.MULTILINE):
        return _Told(int(match[1]))
    could = [_number(value) for key, value in _dict(shown.get("model_info")).items() if key.endswith(".context_length")]
    return _Told(min([OLLAMA_DEFAULT, *(tokens for tokens in could if tokens)]), is_given=False)


async def _ask_lm_studio(client: WireClient, name: str) -> _Told | None:
    for model in _list(_dict(await client.read_beside_api("api/v0/models")).get("data")):
        if _is_called(model, name):
            if loaded := _number(model.get("loaded_context_length")):
                return _Told(loaded)
            could = _number(model.get("max_context_length"))
            return _Told(could, is_given=False) if could else None
    return None


def _is_called(model: dict[str, Any], name: str) -> bool:
    """Ollama lists a model without a tag as `:latest`."""
    return not {name, f"{name}:latest"}.isdisjoint(str(model.get(field)) for field in ("id", "name", "model"))


def _first(fields: dict[str, Any], names: Iterable[str]) -> int | None:
    return next((tokens for name in names if (tokens := _number(fields.get(name)))), None)


def _number(value: Any) -> int | None:
    """A server may send anything: a number of tokens is one that a prompt fits into."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= LEAST // 4 else None


def _dict(value: Any) -> dict[str, Any]:
    return cast(dict[str, Any], value) if isinstance(value, dict) else {}


def _list(value: Any) -> list[dict[str, Any]]:
    items = cast(list[Any], value) if isinstance(value, list) else []
    return [cast(dict[str, Any], item) for item in items if isinstance(item, dict)]
