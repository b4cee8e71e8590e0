"""This process's metrics for Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

from servicekit.metrics import new_registry

DURATION_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """A registry of its own for each application, so that several can live in one process."""

    def __init__(self) -> None:
        self.registry = new_registry()
        self.requests = Counter(
            "inkstream_http_requests", "Requests answered.", ["method", "route", "status"], registry=self.registry
        )
        self.durations = Histogram(
            "inkstream_http_request_seconds",
            "Time until a request's response began.",
            ["method", "route"],
            buckets=DURATION_BUCKETS,
            registry=self.registry,
        )
        self.open_streams = Gauge("inkstream_open_streams", "Run event streams open now.", registry=self.registry)
        self.events = Counter("inkstream_events", "Run events written to clients.", registry=self.registry)
        self.open_sockets = Gauge("inkstream_open_sockets", "WebSockets open now.", registry=self.registry)
        self.open_connections = Gauge("inkstream_open_connections", "Connections open now.", registry=self.registry)
        self.refused_connections = Counter(
            "inkstream_refused_connections", "Connections refused at once.", ["reason"], registry=self.registry
        )
