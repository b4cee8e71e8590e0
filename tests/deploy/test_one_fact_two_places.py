"""Facts that exist twice, in the code and in the containers' configuration, because of different languages."""

import re
from pathlib import Path
from types import ModuleType

import pytest
import yaml

import agent_service.settings
import gateway.settings
import notes_service.settings
from gateway.edge_middleware import HEADERS
from gateway.static_files import CONTENT_SECURITY_POLICY
from standalone.nats import USERS
from standalone.postgres import SCHEMAS, SETTINGS

ROOT = Path(__file__).resolve().parents[2]
CADDYFILE = (ROOT / "deploy" / "Caddyfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())


@pytest.mark.parametrize(("name", "value"), [*HEADERS.items(), ("Content-Security-Policy", CONTENT_SECURITY_POLICY)])
def test_the_page_has_the_same_headers_behind_caddy(name: str, value: str) -> None:
    assert re.search(rf'^\t+{name} "?{re.escape(value)}"?$', CADDYFILE, re.MULTILINE)


@pytest.mark.parametrize("service", SCHEMAS)
def test_a_container_has_the_credentials_of_its_service(service: str) -> None:
    environment = COMPOSE["services"][service]["environment"]
    assert environment["DATABASE_URL"].startswith(f"postgresql://{SCHEMAS[service]}:")
    assert environment["NATS_URL"].startswith(f"nats://{USERS[service]}:")


@pytest.mark.parametrize("settings", [gateway.settings, notes_service.settings, agent_service.settings])
def test_every_setting_reaches_the_containers(settings: ModuleType) -> None:
    service = settings.__name__.removesuffix(".settings").replace("_", "-")
    environment = COMPOSE["services"][service]["environment"]
    fields = settings.Settings.model_fields.items()
    names = {str(field.validation_alias or f"INKSTREAM_{name}".upper()) for name, field in fields}
    settled = {"HEALTH_FILE", "HOST", "PORT", "WEB_DIR"}  # in the image, or Caddy's
    assert names - settled <= environment.keys()


def test_the_gateway_has_the_same_paths_behind_vite_and_behind_caddy() -> None:
    (in_caddy,) = re.findall(r"^\t@live path (.*)$", CADDYFILE, re.MULTILINE)
    (in_vite,) = re.findall(r"GATEWAY_PATHS = (\[[^\]]*\])", (ROOT / "web" / "vite.config.ts").read_text())
    assert {path.removesuffix("/*") for path in in_caddy.split()} <= set(yaml.safe_load(in_vite))


def test_the_database_logs_as_little_in_a_container() -> None:
    command = COMPOSE["services"]["postgres"]["command"]
    logging = {f"-c{name}={value}" for name, value in SETTINGS.items() if name.startswith("log_")}
    assert logging == {part for part in command if part.startswith("-clog_")}


def test_every_program_in_a_container_is_confined() -> None:
    """Except Caddy, whose image sets a capability of its own."""
    for name, says in COMPOSE["services"].items():
        if name != "web":
            assert says["cap_drop"] == ["ALL"], name
            assert says["security_opt"] == ["no-new-privileges:true"], name


def test_only_the_door_publishes_a_port() -> None:
    assert [name for name, service in COMPOSE["services"].items() if "ports" in service] == ["web"]


@pytest.mark.parametrize("service", SCHEMAS)
def test_our_containers_may_do_little(service: str) -> None:
    says = COMPOSE["services"][service]
    assert says["read_only"] is True
    assert says["cap_drop"] == ["ALL"]
    assert "USER 10001" in (ROOT / service / "Dockerfile").read_text()
