"""One stream at full speed: how many tokens a second reach the client when the model never waits."""

from statistics import median

from bench.application import Application
from bench.stream import Stream, read_all

TOKENS = 30_000
ROUNDS = 3
MESSAGE = f"{TOKENS} tokens"


async def through(application: Application, cookie: str) -> float:
    """Tokens per second from the first to the last, the median of three answers."""
    rounds = [await read_all(application.url, "/api/chat", [{"message": MESSAGE}], [cookie]) for _ in range(ROUNDS)]
    return median(_speed(stream) for (stream,) in rounds)


async def direct(model_url: str) -> float:
    body: dict[str, object] = {"model": "local", "stream": True, "messages": [{"role": "user", "content": MESSAGE}]}
    (stream,) = await read_all(model_url, "/v1/chat/completions", [body], [""])
    return _speed(stream)


def _speed(stream: Stream) -> float:
    if stream.words != TOKENS:
        raise RuntimeError(f"{stream.words} tokens came of {TOKENS}")
    return TOKENS / (stream.last_token - stream.first_token) * 1e9
