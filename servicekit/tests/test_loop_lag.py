"""The event loop's lag is measured, and said where it is long."""

import time

from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from servicekit import loop_lag
from servicekit.background import in_background
from standalone.testing import until


async def test_what_blocks_the_loop_is_measured_and_logged(monkeypatch):
    monkeypatch.setattr(loop_lag, "EVERY_SECONDS", 0.01)
    monkeypatch.setattr(loop_lag, "LOGGED_SECONDS", 0.2)
    registry = CollectorRegistry()

    def longer_than(bound: str) -> float:
        name = "inkstream_event_loop_lag_seconds"
        within = registry.get_sample_value(f"{name}_bucket", {"le": bound}) or 0.0
        return (registry.get_sample_value(f"{name}_count") or 0.0) - within

    async def measured() -> bool:
        return bool(registry.get_sample_value("inkstream_event_loop_lag_seconds_count"))

    async def late() -> bool:
        return longer_than("0.25") > 0

    with capture_logs() as logs:
        async with in_background(loop_lag.watch_loop_lag(registry)):
            await until("a measurement", measured)
            time.sleep(0.3)  # noqa: ASYNC251  (what it is about)
            await until("a long one", late)
    assert any(entry["event"] == "event loop late" and entry["seconds"] >= 0.2 for entry in logs)
