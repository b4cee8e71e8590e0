"""The built-in model that answers where no real one is configured: plain requests, real tools, no understanding."""

from agent_service.demo_model.model import DemoModel

__all__ = ["DemoModel"]
