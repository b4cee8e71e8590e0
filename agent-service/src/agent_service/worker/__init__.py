"""Runs, worked on: taken from the queue, executed, handed on when the worker must go."""

from agent_service.worker.sweeper import Sweeper
from agent_service.worker.worker import Worker

__all__ = ["Sweeper", "Worker"]
