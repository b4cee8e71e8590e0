"""The events of runs on their way to the broker."""

from agent_service.stream.acks import Acks
from agent_service.stream.publisher import RunStream
from agent_service.stream.tail import Tail, read_events, read_tail, write_first

__all__ = ["Acks", "RunStream", "Tail", "read_events", "read_tail", "write_first"]
