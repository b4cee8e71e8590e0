"""Typed request and reply over NATS: `call` sends an operation's request, `serve` answers it."""

from servicekit.rpc.chunked import offer, read_chunks, serve_chunks
from servicekit.rpc.client import call, call_raw
from servicekit.rpc.server import Handler, Handlers, serve

__all__ = ["Handler", "Handlers", "call", "call_raw", "offer", "read_chunks", "serve", "serve_chunks"]
