"""`make env`: passwords for the containers, created once and never changed."""

import stat
from pathlib import Path

import yaml
from dotenv import dotenv_values

from scripts import make_env


def test_every_password_that_the_containers_require(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    make_env.main(file)
    values = dotenv_values(file)
    compose = (make_env.ROOT / "docker-compose.yml").read_text()
    for name in make_env.PASSWORDS:
        assert f"${{{name}:?run make env first}}" in compose
        password = values[name]
        assert password is not None
        assert len(password) == 33
        assert password[0].isalpha()
        assert password.isalnum()
    assert len({values[name] for name in make_env.PASSWORDS}) == len(make_env.PASSWORDS)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert yaml.safe_load(compose)["services"]["web"]["ports"] == ["${PORT:-8080}:8080"]
    assert values["PORT"] == "8080"


def test_what_is_there_stays(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# mine\nOPENAI_API_KEY=sk-1\nPOSTGRES_PASSWORD=chosen\nDB_CHAT_PASSWORD=\n")
    make_env.main(file)
    first = file.read_text()
    assert first.startswith("# mine\nOPENAI_API_KEY=sk-1\nPOSTGRES_PASSWORD=chosen\n")
    assert dotenv_values(file)["DB_CHAT_PASSWORD"]
    make_env.main(file)
    assert file.read_text() == first
