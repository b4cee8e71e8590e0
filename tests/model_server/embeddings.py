"""Embeddings based on words: texts with the same words, or with synonyms, are similar."""

import math
import re
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from tests.model_server.http import Request, json_answer

PATH = "/v1/embeddings"


@dataclass
class Embeddings:
    """`meanings`: synonyms, each with the word that it stands for. `status`: answers with this error. `refused`: a text
    that contains this is not valid. `held`: requests are not answered."""

    meanings: dict[str, str] = field(default_factory=dict[str, str])
    status: int | None = None
    refused: str | None = None
    held: bool = False
    dimensions: int = 512
    embedded: list[str] = field(default_factory=list[str])

    def answer(self, request: Request) -> bytes:
        texts: list[str] = request.json["input"]
        if self.status is not None:
            return json_answer(self.status, {"error": {"message": "No."}})
        if self.refused is not None and any(self.refused in text for text in texts):
            return json_answer(400, {"error": {"message": "This text is not valid."}})
        self.embedded += texts
        data = [
            {"object": "embedding", "index": index, "embedding": self._vector(text)} for index, text in enumerate(texts)
        ]
        usage = {"prompt_tokens": 0, "total_tokens": 0}
        answer: dict[str, Any] = {"object": "list", "model": request.json["model"], "data": data, "usage": usage}
        return json_answer(200, answer)

    def _vector(self, text: str) -> list[float]:
        """Each word has a pseudo-random vector of signs, so that two words are not similar."""
        vector = [0.0] * self.dimensions
        for word in re.findall(r"\w+", text.lower()):
            seed = crc32(self.meanings.get(word, word).encode())
            for place in range(self.dimensions):
                seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
                vector[place] += 1.0 if seed & 0x4000 else -1.0
        length = math.hypot(*vector) or 1.0
        return [number / length for number in vector]
