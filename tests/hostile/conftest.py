"""The system that is attacked: as `make run` starts it, with its default limits and the demo model."""

from collections.abc import AsyncGenerator

import pytest

from standalone.system import System, running
from tests.conftest import DEMO


@pytest.fixture(scope="session")
async def attacked(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[System]:
    async with running(data_dir=tmp_path_factory.mktemp("attacked"), environment=DEMO) as started:
        yield started
