"""The system under test: two workers and two gateways, so that another one can always take over."""

from collections.abc import AsyncGenerator

import pytest

from standalone.system import System, running
from tests.conftest import DEMO

LIVELY = DEMO | {"INKSTREAM_DEMO_TOKEN_DELAY_MS": "4"}
"""A long story takes some seconds, so that faults can happen in the middle of it."""


@pytest.fixture(scope="session")
async def struck(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[System]:
    async with running(data_dir=tmp_path_factory.mktemp("struck"), environment=LIVELY, agents=2, gateways=2) as started:
        yield started
