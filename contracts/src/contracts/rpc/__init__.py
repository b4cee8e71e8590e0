"""Typed request and reply over NATS: an `Operation` names the two models, `call` asks, `serve` answers."""

from contracts.rpc.client import call
from contracts.rpc.operation import Empty, Operation
from contracts.rpc.server import Handlers, serve

__all__ = ["Empty", "Handlers", "Operation", "call", "serve"]
