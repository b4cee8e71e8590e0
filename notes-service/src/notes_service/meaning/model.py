"""The embeddings model: texts to vectors, on any server of OpenAI's format."""

import asyncio
import math
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated

import httpx
from pydantic import BaseModel, Field, FiniteFloat, ValidationError

OPENAI = "https://api.openai.com/v1"
REFUSED = (400, 413, 422)

Vector = list[float]


class ModelAway(Exception):
    """No vectors this time: the model is away, overloaded, or does not let us in."""


class TextRefused(Exception):
    """The model does not take these texts, and would not take them later."""


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
        """One of length 1 for each text. Raises `ModelAway`, also after `seconds`, and `TextRefused`."""
        asked = {"model": self.name, "input": list(texts), "encoding_format": "float"}
        try:
            async with asyncio.timeout(seconds):
                answer = await self.http.post("embeddings", json=asked)
        except (httpx.HTTPError, TimeoutError) as error:
            raise ModelAway(repr(error)) from error
        if answer.status_code in REFUSED:
            raise TextRefused(answer.text[:200])
        if not answer.is_success:
            raise ModelAway(f"HTTP {answer.status_code}")
        return _read(answer.content, len(texts))


def _read(content: bytes, count: int) -> list[Vector]:
    try:
        found = sorted(Embeddings.model_validate_json(content).data, key=lambda each: each.index)
    except ValidationError as error:
        raise ModelAway("the answer has no embeddings") from error
    if [each.index for each in found] != list(range(count)) or len({len(each.embedding) for each in found}) != 1:
        raise ModelAway("the answer does not have one embedding for each text")
    return [_of_length_1(each.embedding) for each in found]


def _of_length_1(vector: Vector) -> Vector:
    length = math.hypot(*vector)
    return [number / length for number in vector] if length else vector


@asynccontextmanager
async def connected(name: str, base_url: str | None, key: str | None) -> AsyncGenerator[EmbeddingsModel]:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    base = (base_url or OPENAI).rstrip("/") + "/"
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=None) as http:  # noqa: S113  (see `vectors`)
        yield EmbeddingsModel(name, http)
