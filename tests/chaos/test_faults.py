"""Every process that can die does, in the middle of people's work; nothing is lost, repeated or stuck."""

import random
from collections.abc import AsyncGenerator

import pytest
from standalone.system import System, running

from tests.chaos.faults import KINDS, schedule
from tests.chaos.storm import storm
from tests.conftest import DEMO

SEED = 20
LIVELY = DEMO | {"INKSTREAM_DEMO_TOKEN_DELAY_MS": "4"}
TAKEOVER_SECONDS = 15.0


@pytest.fixture(scope="module", params=[1, 2], ids=["alone", "replicas"])
async def system(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[System]:
    async with running(
        data_dir=tmp_path_factory.mktemp("chaos"),
        environment=LIVELY,
        agents=request.param,
        gateways=request.param,
    ) as started:
        yield started


async def test_whatever_dies_runs_end_once_and_whole(system: System) -> None:
    outcome = await storm(system, SEED, schedule(random.Random(SEED), KINDS, 1))
    assert not outcome.troubles.all, str(outcome.troubles)
    assert outcome.runs > len(KINDS)
    assert max(outcome.takeovers, default=0) < TAKEOVER_SECONDS
