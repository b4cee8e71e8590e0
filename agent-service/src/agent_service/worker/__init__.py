"""Carries out runs: claims them, executes them, releases them on shutdown; recovery and retention."""

from agent_service.worker.recovery import Recovery
from agent_service.worker.retention import Retention
from agent_service.worker.worker import Worker

__all__ = ["Recovery", "Retention", "Worker"]
