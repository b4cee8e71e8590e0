"""Publishing the events of runs, and reading what earlier attempts have published."""

from agent_service.stream.event_publisher import EventPublisher
from agent_service.stream.published import PublishedEvents, read_events, read_published, write_fenced
from agent_service.stream.publisher import RunPublisher

__all__ = ["EventPublisher", "PublishedEvents", "RunPublisher", "read_events", "read_published", "write_fenced"]
