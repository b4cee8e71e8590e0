"""Requests to one model server over persistent connections, and reading their streams into bodies.

The key is only in the headers of requests to that server: redirects to other hosts do not get it, and it is not logged.
"""

import asyncio
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, cast
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

from agent_service.call_arguments import parse_json
from agent_service.errors import ModelFailed
from agent_service.models.wire import provider_errors
from agent_service.models.wire.response_body import ResponseBody
from agent_service.repository.values import json_text

CONNECT_SECONDS = 10.0
KEEPALIVE_SECONDS = 30.0
LINGER_SECONDS = 3.0
"""How long to wait for the rest of a stream after the response: its usage, and the end, after which the connection can
be reused."""
SIGNS_OF_LIFE = 10
"""A server may send keep-alives without content for this many times the limit of silence."""
MAX_ERROR_BYTES = 64 * 1024
MAX_LIST_BYTES = 4 * 1024 * 1024
"""A server that offers hundreds of models describes them in as many kilobytes."""
MAX_MODELS_NAMED = 8
MAX_NAME_CHARACTERS = 200
_VERSION = re.compile(r"/v\d")
_VERSION_AT_END = re.compile(r"/v\d\w*$")
_OF_ANOTHER_KIND = re.compile(r"embed|rerank|whisper|tts|speech|moderation|dall-e|image|guard", re.IGNORECASE)
"""Models that servers list beside those for conversations, by the words in their names."""


class WireClient:
    """One client for all runs. `silence`: seconds without any byte after which a request is aborted."""

    def __init__(
        self, base_url: str, api_key: str | None, silence: float, headers: Mapping[str, str] | None = None
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.provider = base_url.rpartition("@")[2].removeprefix("https://").removeprefix("http://").rstrip("/")
        """The server's name: its URL without credentials."""
        self._api_key = api_key.strip() if api_key else None
        self._headers = {"Content-Type": "application/json", "Accept-Encoding": "identity", **(headers or {})}
        if self._api_key:
            self._headers["Authorization"] = f"Bearer {self._api_key}"
        self._silence = silence
        self._session: aiohttp.ClientSession | None = None
        self._proxy: str | None = None
        self._draining: set[asyncio.Task[None]] = set()

    @property
    def _has_version(self) -> bool:
        return _VERSION.search(urlsplit(self.base_url).path) is not None

    async def close(self) -> None:
        """Closes all connections, including those in use."""
        for task in self._draining:
            task.cancel()
        await asyncio.gather(*self._draining, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def stream(self, path: str, request: dict[str, Any], body: ResponseBody) -> None:
        """Sends the request, and feeds the received data to the body until the response is over. Cancellation closes
        the connection.

        Raises `ModelFailed`, and nothing else.
        """
        try:
            async with asyncio.timeout(self._silence) as limit:
                response = await self._post_to_api(path, json_text(request).encode())
                try:
                    if response.status != 200:
                        raise await self._refused(response)
                    await self._read(response, body, limit)
                finally:
                    self._release(response, is_over=body.builder.has_ended)
        except aiohttp.ClientError as error:
            if not body.builder.is_over:
                raise _unreachable(error, has_begun=body.has_begun) from error
        except TimeoutError as error:
            if not body.builder.is_over:
                raise ModelFailed("timeout", provider_errors.SILENT, retryable=True) from error

    async def _post_to_api(self, path: str, data: bytes) -> aiohttp.ClientResponse:
        """If the configured address has no API but the one with /v1 has, that one is used from then on."""
        response = await self._post(path, data)
        if response.status not in (404, 405) or self._has_version:
            return response
        configured, self.base_url = self.base_url, f"{self.base_url}/v1"
        try:
            versioned = await self._post(path, data)
        except BaseException:
            self.base_url = configured
            raise
        if versioned.status in (404, 405) and not await self._model_names():
            versioned.close()
            self.base_url = configured
            return response
        response.close()
        return versioned

    async def _post(self, path: str, data: bytes) -> aiohttp.ClientResponse:
        """If the server has closed a persistent connection meanwhile, retries once on a new one."""
        url = f"{self.base_url}/{path}"
        try:
            session = self._open()
            try:
                return await session.post(url, data=data, proxy=self._proxy)
            except aiohttp.ServerDisconnectedError:
                return await session.post(url, data=data, proxy=self._proxy)
        except (aiohttp.NonHttpUrlClientError, ValueError) as error:  # not a valid address
            raise ModelFailed("model_rejected", provider_errors.NOT_A_SERVER, retryable=False) from error

    def _open(self) -> aiohttp.ClientSession:
        """Created with the first request, because it belongs to the running loop. Raises `ValueError` for a malformed
        address."""
        if self._session is None:
            self._proxy = _proxy(self.base_url)
            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEPALIVE_SECONDS)
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
            self._session = aiohttp.ClientSession(
                connector=connector, timeout=timeout, headers=self._headers, cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._session

    async def _read(self, response: aiohttp.ClientResponse, body: ResponseBody, limit: asyncio.Timeout) -> None:
        """The deadline is moved only now and then, so that it may be late by an eighth."""
        now, content, builder = asyncio.get_running_loop().time, response.content, body.builder
        moved = progressed = now()
        progress, was_over = builder.progress, False
        while not builder.has_ended:
            chunk = await content.readany()
            if not chunk:
                body.close()
                return
            body.feed(chunk)
            received = now()
            if builder.is_over:
                if not was_over:
                    was_over = True
                    limit.reschedule(received + min(LINGER_SECONDS, self._silence))
            elif received - moved > self._silence / 8:
                moved = received
                if builder.progress != progress:
                    progress, progressed = builder.progress, received
                elif received - progressed > SIGNS_OF_LIFE * self._silence:
                    raise TimeoutError
                limit.reschedule(received + self._silence * 1.125)

    def _release(self, response: aiohttp.ClientResponse, *, is_over: bool) -> None:
        """Keeps the connection for reuse if the response has ended, or is about to."""
        if response.content.at_eof():
            response.release()
        elif is_over:
            task = asyncio.create_task(_drain(response))
            self._draining.add(task)
            task.add_done_callback(self._draining.discard)
            task.add_done_callback(lambda _: response.close())  # also if it was cancelled before it began
        else:
            response.close()

    async def _refused(self, response: aiohttp.ClientResponse) -> ModelFailed:
        data = await _beginning(response)
        if response.status < 400:
            return ModelFailed("model_rejected", provider_errors.NOT_A_SERVER, retryable=False)
        try:
            error = parse_json(data)
        except ValueError:
            error = "" if data.lstrip().startswith(b"<") else data.decode("utf-8", "replace")
        failed = provider_errors.failure(response.status, error, response.headers)
        if failed.reason == "unknown_model" and (names := await self._model_names()):
            message = f"{failed.message} It offers: {', '.join(names[:MAX_MODELS_NAMED])}."
            return ModelFailed(failed.code, message, retryable=False, reason=failed.reason)
        return failed

    async def first_model(self) -> str:
        """The first model that the server offers for conversations. Raises `ModelFailed` if it offers none, or does not
        answer."""
        try:
            names = await self._list_models()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ModelFailed("model_unavailable", provider_errors.UNREACHABLE, retryable=True) from error
        except ValueError as error:
            raise ModelFailed("model_rejected", provider_errors.NOT_A_SERVER, retryable=False) from error
        if not names:
            raise ModelFailed("model_rejected", provider_errors.NO_MODEL, retryable=False)
        return next((name for name in names if not _OF_ANOTHER_KIND.search(name)), names[0])

    async def _model_names(self) -> list[str]:
        """The names of the server's models; empty if it does not list them."""
        with suppress(aiohttp.ClientError, ValueError, TimeoutError):
            return await self._list_models()
        return []

    async def _list_models(self) -> list[str]:
        """In the server's order. Raises `ValueError` if the answer is no list of models."""
        return [name[:MAX_NAME_CHARACTERS] for model in await self.listed_models() if (name := _name(model))]

    async def listed_models(self) -> list[dict[str, Any]]:
        """What the server says of its models, in its order. Raises `ValueError` if the answer is no list of models,
        `TimeoutError` and errors of the HTTP client."""
        listed: Any = None
        async with asyncio.timeout(CONNECT_SECONDS / 2):
            for base_url in (self.base_url, *([] if self._has_version else [f"{self.base_url}/v1"])):
                listed = await self._read_json(f"{base_url}/models", None)
                if listed is not None:
                    break
        match listed:
            case {"data": [*models]}:
                return [cast(dict[str, Any], model) for model in models if isinstance(model, dict)]
            case _:
                raise ValueError("no list of models")

    async def read_beside_api(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """JSON of an interface that the server has of its own, beside the one at `/v1`: GET, or POST with a body. None
        if there is no such one. Raises `ValueError` for what is no JSON, `TimeoutError` and errors of the HTTP client.
        """
        async with asyncio.timeout(CONNECT_SECONDS / 2):
            return await self._read_json(f"{_VERSION_AT_END.sub('', self.base_url)}/{path}", body)

    async def _read_json(self, url: str, body: dict[str, Any] | None) -> Any:
        method, data = ("GET", None) if body is None else ("POST", json_text(body).encode())
        async with self._open().request(method, url, data=data, proxy=self._proxy) as response:
            return parse_json(await _beginning(response, MAX_LIST_BYTES)) if response.status == 200 else None


async def _beginning(response: aiohttp.ClientResponse, most: int = MAX_ERROR_BYTES) -> bytes:
    data = b""
    while len(data) < most and (chunk := await response.content.readany()):
        data += chunk
    return data


async def _drain(response: aiohttp.ClientResponse) -> None:
    """Reads the rest of a finished response, so that its connection can be reused."""
    with suppress(aiohttp.ClientError, TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            while await response.content.readany():
                pass


def _name(model: dict[str, Any]) -> str:
    name = model.get("id")
    return name if isinstance(name, str) and name.isprintable() else ""


def _unreachable(error: aiohttp.ClientError, *, has_begun: bool) -> ModelFailed:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return ModelFailed("model_rejected", provider_errors.UNTRUSTED, retryable=False)
    message = provider_errors.CUT if has_begun else provider_errors.UNREACHABLE
    return ModelFailed("model_unavailable", message, retryable=True)


def _proxy(url: str) -> str | None:
    """From `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, or the operating system."""
    target = urlsplit(url)
    proxies = getproxies()
    chosen = proxies.get(target.scheme) or proxies.get("all")
    if not chosen or not target.hostname or proxy_bypass(target.hostname):
        return None
    return chosen if "://" in chosen else f"http://{chosen}"
