"""`python -m bench.reference.bare_connections`: the reference of `idle`, event streams and WebSockets that do nothing.

uvicorn and a bare ASGI application.
"""

from typing import Any

from bench.reference.asgi import serve

HEADERS = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-cache")]


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": '{"type":"hello"}'})
        while (await receive())["type"] != "websocket.disconnect":
            pass
    elif scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await send({"type": "http.response.body", "body": b"retry: 1000\n\n", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass


if __name__ == "__main__":
    serve(app, ws="websockets-sansio", ws_per_message_deflate=False, lifespan="off")
