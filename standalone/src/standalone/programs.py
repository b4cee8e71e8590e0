"""The programs: PostgreSQL, NATS and the replicas of each service, with the environment each of them expects."""

import json
import shutil
import signal
import sys
import tomllib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from standalone import readiness
from standalone.data_folder import MARK, DataFolder
from standalone.errors import CannotStart
from standalone.nats import Nats
from standalone.paths import VITE, WEB, WEB_DIST
from standalone.postgres import SCHEMAS, Postgres
from standalone.process import Program

SERVER_VARIABLES = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""The only variables that PostgreSQL and NATS inherit: they must not get the key of a model's provider."""
PROVIDER_KEY = "OPENAI_API_KEY"
"""Only for the services that send requests to the provider: not for the one that strangers reach."""
MODEL_LIST = "INKSTREAM_MODELS"
FILES_URL = "INKSTREAM_FILES_URL"
DRAIN_SECONDS = 12.0
"""A stopping agent service gives its runs ten seconds."""


@dataclass(frozen=True)
class Programs:
    """`environment` is what the services inherit."""

    folder: DataFolder
    postgres: Postgres
    nats: Nats
    environment: dict[str, str]

    def database(self) -> Program:
        return Program(
            name="postgres",
            command=self.postgres.command(),
            environment=self._bare({}),
            ready=self.postgres.create_roles,
            end=signal.SIGINT,
            orphaned=signal.SIGINT,
        )

    def broker(self) -> Program:
        return Program(
            name="nats",
            command=self.nats.command(),
            environment=self._bare(self.nats.environment()),
            ready=self.nats.provision,
            orphaned=signal.SIGTERM,
        )

    def service(self, module: str, replica: int) -> Program:
        """`module` is `notes_service` or `agent_service`."""
        name = replica_name(module.replace("_", "-"), replica)
        withheld = {} if module == "agent_service" else dict.fromkeys(model_keys(self.environment), "")
        return self._service(module, name, withheld, self._touches(name), DRAIN_SECONDS)

    def gateway(self, host: str, port: int, replica: int) -> Program:
        async def ready() -> bool:
            status, _ = await readiness.get(host, port, "/readyz")
            return status == 200

        extra = {"HOST": host, "PORT": str(port)} | self._without_keys()
        if (WEB_DIST / "index.html").exists():
            extra["WEB_DIR"] = str(WEB_DIST)
        return self._service("gateway", replica_name("gateway", replica), extra, ready, 5.0)

    def page(self, host: str, port: int, gateway: str) -> Program:
        """Vite, which serves the page from its sources with hot reload. It forwards other requests to the address
        `gateway`."""

        async def ready() -> bool:
            status, _ = await readiness.get(host, port, "/")
            return status == 200

        node = shutil.which("node", path=self.environment.get("PATH"))
        if node is None or not VITE.exists():
            raise CannotStart("Vite is not installed, or there is no Node on PATH: `make dev` sees to both")
        return Program(
            name="page",
            command=[node, str(VITE), str(WEB), "--host", host, "--port", str(port), "--strictPort"],
            environment=self._marked({"INKSTREAM_URL": gateway, "NO_COLOR": "1"} | self._without_keys()),
            ready=ready,
        )

    def _service(
        self, module: str, name: str, extra: dict[str, str], ready: Callable[[], Awaitable[bool]], grace: float
    ) -> Program:
        service, health_file = module.replace("_", "-"), self.folder.health_file(name)
        wiring = {
            "NATS_URL": self.nats.url(service),
            "DATABASE_URL": self.postgres.dsn(SCHEMAS[service]),
            "HEALTH_FILE": str(health_file),
            FILES_URL: self.environment.get(FILES_URL) or (self.folder.path / "files").as_uri(),
        }
        return Program(
            name=name,
            command=[sys.executable, "-m", module],
            environment=self._marked(wiring | extra),
            ready=ready,
            health_file=health_file,
            grace=grace,
        )

    def _without_keys(self) -> dict[str, str]:
        return dict.fromkeys([PROVIDER_KEY, *model_keys(self.environment)], "")

    def _touches(self, name: str) -> Callable[[], Awaitable[bool]]:
        async def ready() -> bool:
            return readiness.is_fresh(self.folder.health_file(name))

        return ready

    def _bare(self, extra: dict[str, str]) -> dict[str, str]:
        inherited = {name: self.environment[name] for name in SERVER_VARIABLES if name in self.environment}
        return inherited | extra | {MARK: str(self.folder.path)}

    def _marked(self, extra: dict[str, str]) -> dict[str, str]:
        return self.environment | extra | {MARK: str(self.folder.path)}


def model_keys(environment: Mapping[str, str]) -> set[str]:
    """The variables from which the models of the list have their keys, but for the provider's, which others need, too.
    None of a list that cannot be read: the agent service says what is wrong with it."""
    if not (path := environment.get(MODEL_LIST)):
        return set()
    try:
        text = Path(path).read_text("utf-8-sig")
        content: Any = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
        return {entry["key_env"] for entry in content["models"] if entry.get("key_env")} - {PROVIDER_KEY}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return set()


def replica_name(service: str, replica: int) -> str:
    """`gateway`, `gateway-2`, `gateway-3` …"""
    return service if replica == 1 else f"{service}-{replica}"
