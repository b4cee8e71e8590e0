"""A rolling restart under load: every service is told to stop in turn, and nobody sees more than a pause."""

import signal
from collections.abc import AsyncGenerator

import pytest
from standalone.system import System, running

from tests.chaos.faults import Fault
from tests.chaos.storm import storm
from tests.chaos.test_faults import LIVELY

LONGEST_PAUSE = 10.0


@pytest.fixture
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[System]:
    async with running(data_dir=tmp_path_factory.mktemp("rolling"), environment=LIVELY) as started:
        yield started


async def test_a_rolling_restart_is_at_most_a_pause(system: System) -> None:
    services = ("notes-service", "agent-service", "gateway")
    faults = [Fault(kind, "token", 0.0, signal.SIGTERM) for kind in services]
    outcome = await storm(system, seed=21, faults=faults)
    assert not outcome.troubles.all, str(outcome.troubles)
    assert outcome.restarts == 0
    assert outcome.longest_pause < LONGEST_PAUSE
