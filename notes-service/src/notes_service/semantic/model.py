"""The embeddings model: texts to vectors, by any server with OpenAI's API."""

import asyncio
import math
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated

import httpx
from pydantic import BaseModel, Field, FiniteFloat, ValidationError

from servicekit.errors import Reportable

OPENAI = "https://api.openai.com/v1"
REFUSED = (400, 413, 422)
"""HTTP status codes with which a server refuses the texts."""

Vector = list[float]


class ModelUnavailable(Reportable):
    """The server does not answer, is overloaded, or refuses the key."""


class TextRefused(Exception):
    """The model refuses these texts; a retry would not help."""


class Embedding(BaseModel):
    index: int
    embedding: Annotated[list[FiniteFloat], Field(min_length=1)]


class Embeddings(BaseModel):
    data: list[Embedding]


class EmbeddingsModel:
    def __init__(self, name: str, http: httpx.AsyncClient) -> None:
        self.name = name
        self.http = http

    async def vectors(self, texts: Sequence[str], seconds: float) -> list[Vector]:
        """One vector of length 1 for each text. Raises `ModelUnavailable`, also after `seconds`, and `TextRefused`."""
        request = {"model": self.name, "input": list(texts), "encoding_format": "float"}
        try:
            async with asyncio.timeout(seconds):
                response = await self.http.post("embeddings", json=request)
        except (httpx.HTTPError, TimeoutError) as error:
            raise ModelUnavailable(type(error).__name__) from error
        if response.status_code in REFUSED:
            raise TextRefused(response.text[:200])
        if not response.is_success:
            raise ModelUnavailable(f"HTTP {response.status_code}")
        return await asyncio.to_thread(_read, response.content, len(texts))  # 32 vectors are a megabyte of JSON


def _read(content: bytes, count: int) -> list[Vector]:
    try:
        found = sorted(Embeddings.model_validate_json(content).data, key=lambda each: each.index)
    except ValidationError as error:
        raise ModelUnavailable("the response has no embeddings") from error
    if [each.index for each in found] != list(range(count)) or len({len(each.embedding) for each in found}) != 1:
        raise ModelUnavailable("the response does not have one embedding for each text")
    return [_normalized(each.embedding) for each in found]


def _normalized(vector: Vector) -> Vector:
    length = math.hypot(*vector)
    return [number / length for number in vector] if length else vector


@asynccontextmanager
async def connected(name: str, base_url: str | None, key: str | None) -> AsyncGenerator[EmbeddingsModel]:
    """`base_url`: the server's address; None for OpenAI's."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    base = (base_url or OPENAI).rstrip("/") + "/"
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=None) as http:  # noqa: S113  (see `vectors`)
        yield EmbeddingsModel(name, http)
