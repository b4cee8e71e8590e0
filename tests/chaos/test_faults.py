"""Every kind of process is killed while users work; nothing is lost, repeated or stuck."""

import random
from signal import SIGTERM

from standalone.system import System
from standalone.testing import SLOW_SECONDS
from tests.chaos.faults import KINDS, Fault, schedule
from tests.chaos.storm import storm


async def test_whatever_dies_runs_end_once_and_whole(struck: System) -> None:
    outcome = await storm(struck, seed=20, faults=schedule(random.Random(20), KINDS, 1))
    assert not outcome.troubles.all, str(outcome.troubles)
    assert outcome.runs > len(KINDS)
    assert max(outcome.takeovers, default=0) < SLOW_SECONDS


async def test_a_rolling_restart_is_at_most_a_pause(struck: System) -> None:
    """Every service is stopped in turn; its answers are finished first."""
    faults = [
        Fault(kind, "token", 0.0, SIGTERM, replica)
        for kind, replicas in (("notes-service", 1), ("agent-service", 2), ("gateway", 2))
        for replica in range(1, replicas + 1)
    ]
    outcome = await storm(struck, seed=21, faults=faults)
    assert not outcome.troubles.all, str(outcome.troubles)
    assert outcome.restarts == 0
    assert outcome.longest_pause < SLOW_SECONDS
