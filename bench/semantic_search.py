"""`python -m bench.semantic_search`: how long PostgreSQL takes to find the nearest of a user's 10,000 notes of two
chunks.

There are four other users of the same size, on the embedded PostgreSQL with the settings of `make run`. Vectors have
1,536 dimensions, as those of common models; the time of the embeddings model is not included.
"""

import argparse
import asyncio
import random
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import quantiles

from contracts.ids import new_id
from notes_service.main import MIGRATIONS, SCHEMA
from notes_service.repository.embeddings import EmbeddingRepository, vector_literal
from servicekit.database import migrate, pool
from standalone.ports import free_port
from standalone.postgres import Postgres

MODEL = "bench"
ROUNDS = 100
MAX_MS = 30.0

NOTES = """
INSERT INTO notes (user_id, id, title, title_key, body, preview, tags, pinned, archived, version,
                   created_at, updated_at, updated_by)
SELECT $1, gen_random_uuid(), 'Note', 'note', repeat('some words ', 190), 'some words', '{}', false, false, 1,
       now(), now(), '{"kind": "user"}'
FROM generate_series(1, $2)
"""
VECTOR = """
CREATE FUNCTION bench_vector(seed uuid, dimensions integer) RETURNS public.halfvec LANGUAGE sql VOLATILE
RETURN (
    SELECT array_agg(random() - 0.5)::real[]::public.halfvec FROM generate_series(1, dimensions) WHERE seed IS NOT NULL
)
"""
EMBEDDINGS = """
INSERT INTO note_meanings (user_id, note_id, piece, start, version, model, digest, signs, vector)
SELECT user_id, id, piece, 1000 * piece, 1, 'bench', gen_random_uuid(), public.binary_quantize(vector), vector
FROM (SELECT user_id, id, piece, bench_vector(id, $1) AS vector FROM notes, generate_series(0, 1) AS piece) AS pieces
"""


async def measure(server: Postgres, users: int, per_user: int, dimensions: int) -> None:
    dsn = server.dsn(SCHEMA)
    await migrate(dsn, SCHEMA, MIGRATIONS)
    async with pool(dsn, SCHEMA) as connections:
        embeddings = EmbeddingRepository(connections)
        assert await embeddings.prepare(), "no pgvector here"
        await connections.execute(VECTOR)
        people = [new_id() for _ in range(users)]
        for person in people:
            await connections.execute(NOTES, person, per_user)
        await connections.execute(EMBEDDINGS, dimensions, timeout=3600)
        await connections.execute("VACUUM ANALYZE notes, note_meanings", timeout=3600)
        size = await connections.fetchval("SELECT pg_size_pretty(pg_total_relation_size('note_meanings'))")
        print(f"{users * per_user * 2:,} chunks of {users} users, {size}")
        times: list[float] = []
        for _ in range(ROUNDS):
            query = vector_literal([random.uniform(-1, 1) for _ in range(dimensions)])
            start = time.perf_counter()
            found = await embeddings.nearest(random.choice(people), MODEL, query, 20)
            times.append(1000 * (time.perf_counter() - start))
            assert len(found) == 20
    cuts = quantiles(times, n=100)
    print(f"nearest of {per_user:,} notes: median {cuts[49]:.1f} ms, p95 {cuts[94]:.1f} ms (should be < {MAX_MS:.0f})")


async def prepared(server: Postgres) -> None:
    async with asyncio.timeout(60):
        while not await server.create_roles():  # noqa: ASYNC110  (there is no event for the end of the start)
            await asyncio.sleep(0.1)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--users", type=int, default=5)
    options.add_argument("--notes", type=int, default=10_000)
    options.add_argument("--dimensions", type=int, default=1536)
    arguments = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        server = Postgres(Path(folder) / "postgres", free_port())
        server.initialise()
        process = subprocess.Popen(server.command(), stderr=subprocess.DEVNULL)
        try:
            asyncio.run(prepared(server))
            asyncio.run(measure(server, arguments.users, arguments.notes, arguments.dimensions))
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)


if __name__ == "__main__":
    main()
