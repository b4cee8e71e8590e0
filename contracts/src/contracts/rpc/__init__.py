"""Typed request and reply over NATS: an `Operation` names the two models, `call` asks, `serve` answers."""

from contracts.rpc.client import call
from contracts.rpc.operation import Empty, Operation
from contracts.rpc.pieces import offer, read_pieces, serve_pieces
from contracts.rpc.server import Handlers, serve

__all__ = ["Empty", "Handlers", "Operation", "call", "offer", "read_pieces", "serve", "serve_pieces"]
