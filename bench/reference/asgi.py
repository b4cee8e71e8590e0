"""Common code of the references that serve HTTP: uvicorn on a free port, which prints its address when it listens."""

import socket
from typing import Any

import uvicorn


def serve(app: Any, **settings: Any) -> None:
    """Serves until the process gets a signal to stop."""
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", 0))
    bound.listen(1024)
    config = uvicorn.Config(
        app, http="httptools", loop="uvloop", log_level="warning", access_log=False, backlog=4096, **settings
    )
    server = _Server(config, f"http://127.0.0.1:{bound.getsockname()[1]}")
    server.run(sockets=[bound])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, url: str) -> None:
        super().__init__(config)
        self._url = url

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(self._url, flush=True)
