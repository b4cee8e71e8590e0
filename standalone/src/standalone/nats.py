"""Embedded NATS: the server of the wheel (or one on PATH), with the same configuration file as in containers."""

import json
import secrets
import shutil
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from standalone.errors import CannotStart
from standalone.paths import DEPLOY

USERS = {"gateway": "gateway", "notes-service": "notes", "agent-service": "agent", "admin": "admin"}
"""The NATS user of each service; what each may do stands in `deploy/nats.conf`."""


@dataclass(frozen=True)
class Nats:
    """A broker that keeps its streams in `directory` and listens on loopback at `port`."""

    directory: Path
    port: int

    def initialise(self) -> None:
        """Makes the passwords, once."""
        if self._passwords_file.exists():
            return
        self.directory.mkdir(parents=True, exist_ok=True)
        self._passwords_file.touch(mode=0o600)
        self._passwords_file.write_text(json.dumps({user: f"p{secrets.token_hex(16)}" for user in USERS.values()}))

    def command(self) -> list[str]:
        """The server in the foreground. End it with SIGTERM."""
        scripts = sysconfig.get_path("scripts")
        server = shutil.which("nats-server", path=scripts) or shutil.which("nats-server")
        if server is None:
            raise CannotStart("there is no nats-server in the virtual environment or on PATH")
        return [
            *(server, "--config", str(DEPLOY / "nats.conf"), "--addr", "127.0.0.1", "--port", str(self.port)),
            *("--jetstream", "--store_dir", str(self.directory / "streams")),
        ]

    def environment(self) -> dict[str, str]:
        return {f"NATS_{user.upper()}_PASSWORD": password for user, password in self._passwords().items()}

    def url(self, service: str) -> str:
        """The address of the broker with the credentials of `service`, or of `admin`."""
        user = USERS[service]
        return f"nats://{user}:{self._passwords()[user]}@127.0.0.1:{self.port}"

    @property
    def _passwords_file(self) -> Path:
        return self.directory / "passwords.json"

    def _passwords(self) -> dict[str, str]:
        return json.loads(self._passwords_file.read_text())
