"""Process settings, and the error messages for invalid values."""

from pathlib import Path

import pytest

from standalone.errors import CannotStart
from standalone.settings import Settings


def read(tmp_path: Path, environment: dict[str, str], text: str | None = None) -> Settings:
    file = tmp_path / ".env"
    if text is not None:
        file.write_text(text)
    return Settings.read(environment, file, tmp_path)


def test_nothing_set(tmp_path: Path) -> None:
    settings = read(tmp_path, {})
    assert (settings.host, settings.port, settings.data_dir) == ("127.0.0.1", 8080, tmp_path / ".data")
    assert (settings.agents, settings.notes, settings.gateways) == (1, 1, 1)


def test_the_environment_comes_before_the_file(tmp_path: Path) -> None:
    settings = read(tmp_path, {"PORT": "9000"}, "PORT=9001\nINKSTREAM_MODEL='a model' # mine\n\n# nothing\nAGENTS=3\n")
    assert (settings.port, settings.agents, settings.environment["INKSTREAM_MODEL"]) == (9000, 3, "a model")


def test_an_empty_value_is_none(tmp_path: Path) -> None:
    settings = read(tmp_path, {"PORT": ""}, "OPENAI_API_KEY=\nDATA_DIR=\n")
    assert (settings.port, settings.data_dir) == (8080, tmp_path / ".data")
    assert "OPENAI_API_KEY" not in settings.environment


def test_the_containers_passwords_stay_out(tmp_path: Path) -> None:
    assert "NATS_ADMIN_PASSWORD" not in read(tmp_path, {}, "NATS_ADMIN_PASSWORD=p1\n").environment


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"PORT": "http"}, "PORT must be a number from 0 to 65535, not 'http'"),
        ({"PORT": "70000"}, "PORT must be"),
        ({"PORT": "-1"}, "PORT must be"),
        ({"AGENTS": "0"}, "AGENTS must be a number from 1"),
        ({"NOTES": "1.5"}, "NOTES must be"),
        ({"GATEWAYS": "٣"}, "GATEWAYS must be"),
    ],
)
def test_a_number_that_is_not_one(tmp_path: Path, environment: dict[str, str], message: str) -> None:
    with pytest.raises(CannotStart, match=message):
        read(tmp_path, environment)


@pytest.mark.parametrize("text", ["PORT=1\nthis is not a line\n", "PORT=1\nOPENAI_API_KEY='never closed\n", "\nPORT\n"])
def test_a_broken_file_is_named_with_its_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(CannotStart, match=r"\.env, line 2: expected NAME=value"):
        read(tmp_path, {}, text)


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CannotStart, match="cannot be read"):
        read(tmp_path, {})
