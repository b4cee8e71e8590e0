"""`python -m tests.model_server`: the server as a process. A message such as "200 tokens at 50 per second" or
"30000 tokens" selects its answer; any other message gets the answer set on the command line."""

import argparse
import asyncio
import json
import re
import signal

from tests.model_server.http import Request
from tests.model_server.server import ModelServer
from tests.model_server.steps import Stamps, Step, Text

_REQUESTED = re.compile(r"(\d{1,7}) tokens(?: at (\d{1,5}) per second)?")


def answer_to(request: Request, default: Step) -> Step:
    """Paced tokens contain the time at which they were sent; unpaced ones are plain words."""
    items: list[object] = request.json.get("messages") or request.json.get("input") or []
    found = _REQUESTED.search(json.dumps(items[-1:]))
    if not found:
        return default
    count, rate = int(found.group(1)), found.group(2)
    return Stamps(count, float(rate)) if rate else Text(" word" * count)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--tokens-per-second", type=float, default=50.0, help="0: as fast as the reader takes them")
    parser.add_argument("--tokens", type=int, default=200, help="tokens of each answer")
    options = parser.parse_args()
    default = Stamps(options.tokens, options.tokens_per_second or None)
    async with ModelServer(port=options.port, default=lambda request: answer_to(request, default)) as server:
        print(server.base_url, flush=True)  # noqa: T201 (the parent process reads the address)
        stopped = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        await stopped.wait()


if __name__ == "__main__":
    asyncio.run(main())
