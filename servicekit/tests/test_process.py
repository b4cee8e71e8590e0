"""The settings of a service process: the names of the variables."""

import pytest

from servicekit.process import ServiceSettings


class Settings(ServiceSettings):
    max_runs: int = 100


@pytest.fixture(autouse=True)
def _database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://somewhere")


def test_our_own_variables_have_a_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_RUNS", "1")
    assert Settings().max_runs == 100
    monkeypatch.setenv("INKSTREAM_MAX_RUNS", "2")
    assert Settings().max_runs == 2


def test_common_variables_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NATS_URL", "nats://elsewhere")
    monkeypatch.setenv("LOG_LEVEL", "DEBUG")
    monkeypatch.setenv("HEALTH_FILE", "/tmp/healthy")
    settings = Settings()
    assert settings.database_url == "postgresql://somewhere"
    assert (settings.nats_url, settings.log_level, str(settings.health_file)) == (
        "nats://elsewhere",
        "DEBUG",
        "/tmp/healthy",
    )


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INKSTREAM_MAX_RUNS", "")
    monkeypatch.setenv("HEALTH_FILE", "")
    assert (Settings().max_runs, Settings().health_file) == (100, None)
