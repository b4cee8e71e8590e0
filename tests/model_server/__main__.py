"""`python -m tests.model_server`: the server as a process, answering every request with the same stream of tokens."""

import argparse
import asyncio
import signal

from tests.model_server.server import ModelServer
from tests.model_server.steps import Stamps


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--tokens-per-second", type=float, default=50.0, help="0: as fast as the reader takes them")
    parser.add_argument("--tokens", type=int, default=200, help="tokens of each answer")
    options = parser.parse_args()
    answer = Stamps(options.tokens, options.tokens_per_second or None)
    async with ModelServer(port=options.port, default=answer) as server:
        print(server.base_url, flush=True)  # noqa: T201 (whoever started it reads the address)
        stopped = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        await stopped.wait()


if __name__ == "__main__":
    asyncio.run(main())
