"""The metrics of a process that has no other port."""

import urllib.error
import urllib.request

import pytest

from servicekit.background import LoopHealth
from servicekit.metrics import new_registry, served
from standalone.ports import free_port


def read(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return answer.read().decode()


async def test_failures_of_loops_can_be_read_until_the_end_of_the_block() -> None:
    registry, port = new_registry(), free_port()
    loops = LoopHealth(registry)
    async with served(registry, port):
        loops.failed("relay")
        assert 'inkstream_background_failures_total{loop="relay"} 1.0' in read(port)
    with pytest.raises(urllib.error.URLError):
        read(port)


async def test_a_port_that_is_taken_is_an_error() -> None:
    port = free_port()
    async with served(new_registry(), port):
        with pytest.raises(OSError, match="in use"):
            async with served(new_registry(), port):
                pass


async def test_without_a_port_nothing_is_served() -> None:
    async with served(new_registry(), None):
        pass
