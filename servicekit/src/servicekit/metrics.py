"""The Prometheus registry of one process, or of one application where several live in a process."""

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector


def new_registry() -> CollectorRegistry:
    """A registry with the process's memory, CPU and descriptors in it."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    return registry
