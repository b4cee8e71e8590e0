"""Counts a running system's SQL statements, broker messages and system calls, which do not depend on the machine.

PostgreSQL logs each statement while a meter runs; an administrator's subscription to all subjects receives each message
once, including replies and acknowledgements; the kernel counts the reads and writes of each process.
"""

import re
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import nats
from nats.aio.client import Client
from nats.aio.msg import Msg

from standalone.system import System
from standalone.testing import until

PREFIX = "cost of %u: "
ENTRY = re.compile(r"^cost of ", re.MULTILINE)
STATEMENT = re.compile(r"(accounts|notes|chat): LOG:  (?:execute [^:]*|statement):(.*)", re.DOTALL)
"""A statement of a service; those of the tests have another role."""
SHOWN_WORDS = 4
IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\b\d+\b")
INBOX = re.compile(r"(_INBOX\w*)\.\S+")
ROUNDS = 10


@dataclass(frozen=True)
class Cost:
    """`statements` by database role and first words, `messages` by subject, ids left out."""

    statements: Counter[str] = field(default_factory=Counter[str])
    messages: Counter[str] = field(default_factory=Counter[str])
    gateway_writes: int = 0
    gateway_reads: int = 0

    def __str__(self) -> str:
        lines = [f"{count} × {what}" for counted in (self.statements, self.messages) for what, count in counted.items()]
        return "\n".join([*lines, f"{self.gateway_writes} writes and {self.gateway_reads} reads of the gateway"])


class Meter:
    def __init__(self, system: System, nc: Client, database: asyncpg.Connection) -> None:
        self.system = system
        self.database = database
        self._nc = nc
        self._log = system.folder.log_file("postgres")
        self._subjects: list[str] = []

    async def hear(self, msg: Msg) -> None:
        self._subjects.append(msg.subject)

    async def cost(self, work: Callable[[], Awaitable[None]], settled: Callable[[], Awaitable[bool]]) -> Cost:
        """The cost of `work`, and of what follows it until `settled`."""
        self._subjects.clear()
        begin, before = self._log.stat().st_size, self._gateway_calls()
        await work()
        await until("a system that is done with it", settled)
        await self._nc.flush()
        after = self._gateway_calls()
        with self._log.open("rb") as log:
            log.seek(begin)
            entries = ENTRY.split(log.read().decode(errors="replace"))
        return Cost(
            Counter(_statement(found) for entry in entries if (found := STATEMENT.match(entry))),
            Counter(IDS.sub("*", INBOX.sub(r"\1.*", subject)) for subject in self._subjects),
            after["syscw"] - before["syscw"],
            after["syscr"] - before["syscr"],
        )

    async def least(self, work: Callable[[], Awaitable[None]], settled: Callable[[], Awaitable[bool]]) -> Cost:
        """The minimum of several measurements, for each kind: other work, such as health checks, is in some of them."""
        costs = [await self.cost(work, settled) for _ in range(ROUNDS)]
        return Cost(
            min((cost.statements for cost in costs), key=lambda one: one.total()),
            min((cost.messages for cost in costs), key=lambda one: one.total()),
            min(cost.gateway_writes for cost in costs),
            min(cost.gateway_reads for cost in costs),
        )

    def _gateway_calls(self) -> dict[str, int]:
        """Empty if the kernel does not provide them."""
        file = Path(f"/proc/{self.system.pids()['gateway']}/io")
        if not file.exists():
            return {"syscr": 0, "syscw": 0}
        return {name: int(value) for name, value in (line.split(": ") for line in file.read_text().splitlines())}


def _statement(found: re.Match[str]) -> str:
    """A statement's role and first words."""
    return f"{found[1]}: {' '.join(found[2].split()[:SHOWN_WORDS])}"


@asynccontextmanager
async def metering(system: System) -> AsyncGenerator[Meter]:
    """A meter of the system, which nobody else may use meanwhile."""
    database = await asyncpg.connect(system.postgres.dsn())
    nc = await nats.connect(system.nats.url("admin"))
    meter = Meter(system, nc, database)
    try:
        await nc.subscribe(">", cb=meter.hear)
        await nc.flush()
        await database.execute(f"ALTER SYSTEM SET log_line_prefix = '{PREFIX}'")
        await database.execute("ALTER SYSTEM SET log_statement = 'all'")
        await database.execute("SELECT pg_reload_conf()")
        await until("statements in the log", lambda: _logs(database))
        yield meter
    finally:
        await database.execute("ALTER SYSTEM RESET log_statement")
        await database.execute("ALTER SYSTEM RESET log_line_prefix")
        await database.execute("SELECT pg_reload_conf()")
        await database.close()
        await nc.close()


async def _logs(database: asyncpg.Connection) -> bool:
    return await database.fetchval("SHOW log_statement") == "all"
