"""What a process does not need to know is not in its environment."""

from pathlib import Path

from standalone.system import running
from tests.conftest import DEMO

KEY = "sk-canary-5d1f"


async def test_only_the_services_that_need_it_have_the_providers_key(tmp_path: Path) -> None:
    environment = DEMO | {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}
    async with running(data_dir=tmp_path, environment=environment) as system:
        pids = system.pids()
        environments = {name: Path(f"/proc/{pid}/environ").read_bytes() for name, pid in pids.items()}
        servers = [child for name in ("postgres", "nats") for child in family(pids[name])]
        assert len(servers) > 2, "PostgreSQL has a process for each connection"
        for pid in servers:
            assert KEY.encode() not in Path(f"/proc/{pid}/environ").read_bytes()
    assert KEY.encode() in environments["agent-service"]
    assert KEY.encode() not in environments["gateway"]


async def test_only_the_agent_service_has_the_keys_of_the_listed_models(tmp_path: Path) -> None:
    listed = tmp_path / "models.toml"
    listed.write_text('[[models]]\nid = "a"\nbase_url = "http://127.0.0.1:9/v1"\nkey_env = "A_KEY"\n')
    environment = DEMO | {"INKSTREAM_MODELS": str(listed), "A_KEY": KEY}
    async with running(data_dir=tmp_path / "data", environment=environment) as system:
        environments = {name: Path(f"/proc/{pid}/environ").read_bytes() for name, pid in system.pids().items()}
    assert {name for name, variables in environments.items() if KEY.encode() in variables} == {"agent-service"}


def family(pid: int) -> list[int]:
    """The process and those that it started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(descendant for child in children for descendant in family(int(child)))]
