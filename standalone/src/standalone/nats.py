"""Embedded NATS: the server of the wheel (or one on PATH), with the same configuration file as in containers."""

import asyncio
import os
import shutil
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from standalone import readiness
from standalone.errors import CannotStart
from standalone.passwords import PasswordFile
from standalone.paths import DEPLOY

USERS = {"gateway": "gateway", "notes-service": "notes", "agent-service": "agent", "admin": "admin"}
"""The NATS user of each service; their permissions are in `deploy/nats.conf`."""

PROVISION_NO_BROKER = 2


@dataclass(frozen=True)
class Nats:
    """A broker that stores its streams in `directory` and listens on loopback at `port`."""

    directory: Path
    port: int

    def initialise(self) -> None:
        """Creates the passwords if they do not exist."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self._passwords.ensure(USERS.values())

    def command(self) -> list[str]:
        """The command that runs the server in the foreground. End it with SIGTERM."""
        scripts = sysconfig.get_path("scripts")
        server = shutil.which("nats-server", path=scripts) or shutil.which("nats-server")
        if server is None:
            raise CannotStart("there is no nats-server in the virtual environment or on PATH")
        return [
            *(server, "--config", str(DEPLOY / "nats.conf"), "--addr", "127.0.0.1", "--port", str(self.port)),
            *("--jetstream", "--store_dir", str(self.directory / "streams")),
        ]

    def environment(self) -> dict[str, str]:
        return {f"NATS_{user.upper()}_PASSWORD": password for user, password in self._passwords.read().items()}

    def url(self, service: str) -> str:
        """The address of the broker with the credentials of `service`, or of `admin`."""
        user = USERS[service]
        return f"nats://{user}:{self._passwords.read()[user]}@127.0.0.1:{self.port}"

    async def provision(self) -> bool:
        """Creates the streams that the services expect. False while the server does not answer. In a separate process,
        because a NATS client would stay in this one's memory for good."""
        if not await readiness.greets(self.port):
            return False
        provisioning = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "servicekit.provision"),
            env=os.environ | {"NATS_URL": self.url("admin")},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is handled by the supervisor
        )
        _, complaint = await provisioning.communicate()
        if provisioning.returncode == PROVISION_NO_BROKER:
            return False
        if provisioning.returncode:
            raise CannotStart(f"the streams could not be made: {complaint.decode(errors='replace').strip()}")
        return True

    @property
    def _passwords(self) -> PasswordFile:
        return PasswordFile(self.directory / "passwords.json")
