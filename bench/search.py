"""`python -m bench.search`: how long a search takes for one user with 10,000 notes of 2 KB, beside other users' notes.

`--full` measures it among 1,000,000 notes in the table, which takes some ten minutes and 10 GB of disk; without it
among 50,000. The table of words has partitions, each of which some users share, by a hash of their ids: it is measured
for a user with the median number of neighbours, and for the one with the most. The words of the notes are as unevenly
common as those of a language. It searches as the notes service does, snippets included, on the embedded PostgreSQL with
the settings of `make run`.
"""

import argparse
import asyncio
import os
import random
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from statistics import quantiles
from typing import Any

import asyncpg
import orjson

from contracts import notes
from contracts.actor import Actor
from contracts.ids import new_id
from notes_service.main import MIGRATIONS, SCHEMA
from notes_service.quota import Quota
from notes_service.repository.search import USE_INDEXES, find_statement
from notes_service.service import NotesService
from notes_service.unit_of_work import UnitOfWork
from servicekit.database import migrate, pool
from standalone.ports import free_port
from standalone.postgres import Postgres

NOTES = 10_000
BODY_BYTES = 2048
USERS, USERS_FULL = 5, 100
VOCABULARY = 20_000
LANGUAGE = "english"
ROUNDS = 60
MAX_MS = 30.0

USER = """
INSERT INTO notes (user_id, id, title, title_key, body, preview, tags, pinned, archived, version,
                   created_at, updated_at, updated_by)
SELECT $1, id, title, title_key, body, preview, tags, pinned, archived, version, created_at, updated_at, updated_by
FROM notes WHERE user_id = $2
"""
WORDS = """
INSERT INTO note_words (user_id, note_id, heading, words)
SELECT user_id, id, heading, heading || setweight(words_of($2::text::regconfig, body), 'C')
FROM notes, heading_of($2::text::regconfig, title, array_to_string(tags, ' ')) AS heading WHERE user_id = $1
"""
WORDS_OF_ANOTHER = """
INSERT INTO note_words (user_id, note_id, heading, words)
SELECT $1, note_id, heading, words FROM note_words WHERE user_id = $2
"""
NEIGHBOURS = """
SELECT min(user_id::text) AS user_id, count(DISTINCT user_id) - 1 AS number
FROM note_words GROUP BY tableoid ORDER BY number
"""
INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'notes' AND tablename = 'note_words' "
PARTITIONS = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'note_words_anywhere'::regclass"


class Language:
    """Invented words; the n-th is used in proportion to 1/n, as in a real language."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        syllables = [a + b for a in "bdfgklmnprstvz" for b in "aeiou"]
        words: dict[str, None] = {}
        while len(words) < VOCABULARY:
            words["".join(chance.choices(syllables, k=chance.choice((2, 3, 3, 4))))] = None
        self.words = list(words)
        self.weights = list(accumulate(1 / (place + 2) for place in range(VOCABULARY)))

    def text(self, size: int) -> str:
        words: list[str] = []
        length = 0
        while length < size:
            words += self.chance.choices(self.words, cum_weights=self.weights, k=64)
            length = sum(map(len, words)) + len(words)
        return " ".join(words)[:size]

    def common(self) -> str:
        return self.words[self.chance.randrange(3, 30)]

    def usual(self) -> str:
        return self.words[self.chance.randrange(200, 2000)]

    def rare(self) -> str:
        return self.words[self.chance.randrange(15_000, VOCABULARY)]


def queries(language: Language) -> dict[str, Callable[[], str]]:
    common, usual, rare = language.common, language.usual, language.rare
    return {
        "a word in most notes": common,
        "a usual word": usual,
        "a rare word": rare,
        "two usual words": lambda: f"{usual()} {usual()}",
        "a usual word, three letters of the next": lambda: f"{usual()} {usual()[:3]}",
        "two letters": lambda: usual()[:2],
        "a phrase of two usual words": lambda: f'"{usual()} {usual()}"',
        "a phrase of two words in most notes": lambda: f'"{common()} {common()}"',
        "a common word without another": lambda: f"{common()} -{usual()}",
        "one of two usual words": lambda: f"{usual()} or {usual()}",
        "a word that is nowhere": lambda: "qqxw",
    }


def _jsonb(value: Any) -> bytes:
    """The binary COPY format of jsonb: the format's version, then the text."""
    return b"\x01" + orjson.dumps(value)


@contextmanager
def _process(command: list[str]) -> Generator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


@asynccontextmanager
async def database() -> AsyncGenerator[Postgres]:
    with tempfile.TemporaryDirectory(prefix="inkstream-search-") as folder:
        server = Postgres(Path(folder), free_port())
        server.initialise()
        with _process(server.command()):
            async with asyncio.timeout(60):
                while True:
                    if await server.create_roles():
                        break
                    await asyncio.sleep(0.1)
            await migrate(server.dsn("notes"), SCHEMA, MIGRATIONS)
            yield server


async def fill(db: Any, language: Language, users: int) -> None:
    """Inserts one user's notes, and copies of them for the others. The indexes over words are created last, which is
    faster."""
    await db.execute("SET synchronous_commit = off; SET maintenance_work_mem = '512MB'")
    gin = [row for row in await db.fetch(INDEXES) if "gin" in row["indexdef"]]
    for index in gin:
        await db.execute(f"DROP INDEX {index['indexname']}")
    user = new_id()
    now = datetime.now(UTC)

    def rows() -> Any:
        for number in range(NOTES):
            title, body = language.text(language.chance.randrange(10, 50)).strip(), language.text(BODY_BYTES)
            at = now - timedelta(minutes=number)
            tags = [language.usual()]
            yield (user, new_id(), title, title, body, body[:200], tags, False, False, 1, at, at, {"kind": "user"})

    columns = "user_id id title title_key body preview tags pinned archived version created_at updated_at updated_by"
    await db.copy_records_to_table("notes", records=rows(), columns=columns.split())
    await db.execute(WORDS, user, LANGUAGE)
    for number in range(1, users):
        other = new_id()
        await db.execute(USER, other, user)
        await db.execute(WORDS_OF_ANOTHER, other, user)
        if number % 10 == 0:
            print(f"  {number * NOTES + NOTES:,} notes", flush=True)
    print("  indexes", flush=True)
    for index in gin:
        await db.execute(index["indexdef"].replace(" ON ONLY ", " ON "))
    for partition in await db.fetch(PARTITIONS):  # as the migration does
        for expression in (2, 3):
            await db.execute(f"ALTER INDEX {partition[0]} ALTER COLUMN {expression} SET STATISTICS 0")
    await db.execute("VACUUM ANALYZE")


async def measured(db: Any) -> dict[str, str]:
    """The users whose searches are measured, by a description of them."""
    found = await db.fetch(NEIGHBOURS)
    usual, most = found[len(found) // 2], found[-1]
    return {f"{one['number']} neighbours": one["user_id"] for one in (usual, most)}


async def measure(service: NotesService, user: str, query: Callable[[], str]) -> tuple[float, float, float]:
    """Milliseconds: the median, the 95th percentile, the longest."""
    actor = Actor(user_id=user, kind="user")
    times: list[float] = []
    for _ in range(ROUNDS + 5):
        request = notes.SearchNotes(actor=actor, q=query(), limit=20)
        start = time.perf_counter()
        await service.search(request)
        times.append((time.perf_counter() - start) * 1000)
    times = times[5:]  # the first ones are warm-up
    percentiles = quantiles(times, n=100)
    return percentiles[49], percentiles[94], max(times)


async def plan(connections: Any, user: str, query: str) -> list[str]:
    """The indexes that the search uses."""
    find, *values = find_statement(user, LANGUAGE, query)
    async with connections.acquire() as db, db.transaction():
        await db.execute(*USE_INDEXES())
        lines = [row[0] for row in await db.fetch(f"EXPLAIN {find}", *values)]
    return [line.strip().removeprefix("-> ") for line in lines if "Scan" in line and "note_words" in line]


async def main(users: int) -> None:
    print(f"{os.cpu_count()} CPUs, {NOTES * users:,} notes of {BODY_BYTES} bytes of {users} users", flush=True)
    language = Language(random.Random(1))
    async with database() as server:
        began = time.monotonic()
        async with pool(server.dsn("notes"), SCHEMA, size=2) as connections:
            async with asyncio.timeout(3600):
                db = await asyncpg.connect(server.dsn("notes"), server_settings={"search_path": SCHEMA})
                await db.set_type_codec("jsonb", encoder=_jsonb, decoder=bytes, schema="pg_catalog", format="binary")
                await fill(db, language, users)
            size = await db.fetchval("SELECT pg_size_pretty(pg_database_size(current_database()))")
            whose = await measured(db)
            await db.close()
            print(f"filled in {time.monotonic() - began:.0f} s, {size}", flush=True)
            service = NotesService(connections, UnitOfWork(connections, NoRelay(), LANGUAGE, Quota(NOTES, 2**40)))
            for neighbours, user in whose.items():
                print(f"\n| search, {neighbours} | median ms | p95 ms | longest ms |\n|---|---|---|---|", flush=True)
                for name, query in queries(language).items():
                    median, p95, longest = await measure(service, user, query)
                    missed = " (!)" if p95 > MAX_MS else ""
                    print(f"| {name} | {median:.1f} | {p95:.1f}{missed} | {longest:.1f} |", flush=True)
            for name in ("a usual word", "a phrase of two usual words"):
                print(f"\nplan for {name}:")
                print("\n".join(await plan(connections, next(iter(whose.values())), queries(language)[name]())))


class NoRelay:
    """Fails on any write: the measurement only searches."""

    def wake(self, user_id: str) -> None:
        raise AssertionError(f"the measurement of search wrote a note of {user_id}")


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--full", action="store_true", help="among 1,000,000 notes")
    asyncio.run(main(USERS_FULL if arguments.parse_args().full else USERS))
