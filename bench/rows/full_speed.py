"""`full_speed`: one stream from a model at full speed: how many tokens per second reach the client. Beside it the
floor, and the model server read directly."""

from statistics import median

from bench.harness import sse
from bench.harness.context import Bench, Row
from bench.reference.floor import floor
from bench.result import Measurement, Target, ratio

TOKENS = 30_000
MESSAGE = f"{TOKENS} tokens"
SPEED = Target("≥", 20_000, 40_000)


async def measure(bench: Bench) -> None:
    application = await bench.application()
    (user,) = await application.users(1)
    body = {"model": "local", "stream": True, "messages": [{"role": "user", "content": MESSAGE}]}
    ours: list[float] = []
    theirs: list[float] = []
    directly: list[float] = []
    async with floor(bench.folder, bench.model_url) as pipeline:
        for _ in range(bench.options.rounds):
            ours.append(
                await _speed(application.url, sse.post(application.url, "/api/chat", {"message": MESSAGE}, user.cookie))
            )
            theirs.append(await _speed(pipeline.url, sse.post(pipeline.url, "/api/chat", {"message": MESSAGE})))
            directly.append(
                await _speed(bench.model_url, sse.post(bench.model_url, "/v1/chat/completions", body), direct=True)
            )
            bench.say(f"{ours[-1]:,.0f} tokens/s (floor {theirs[-1]:,.0f}, direct {directly[-1]:,.0f})")
    for one in [
        Measurement(
            "full_speed.tokens", "tokens/s", ours, SPEED, {"floor": median(theirs), "direct": median(directly)}
        ),
        ratio("full_speed.ratio", ours, theirs),
    ]:
        bench.add(one)


async def _speed(url: str, request: bytes, *, direct: bool = False) -> float:
    """Tokens per second, from the first to the last."""
    (stream,) = await sse.read_all(url, [request], direct=direct)
    if stream.words != TOKENS:
        raise RuntimeError(f"{stream.words} of {TOKENS} tokens arrived")
    return TOKENS / (stream.last_token - stream.first_token) * 1e9


ROW = Row("full_speed", "One stream at full speed, beside the floor", measure, 60)
