"""Alembic driven from code, without an alembic.ini and an env.py in every service.

`EnvironmentContext` needs a function that returns the revisions to run, and Alembic has a public one only for its
command line: `_upgrade_revs` is the only private part used here. See docs/adr/0012-private-parts-behind-adapters.md
"""

from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool


async def upgrade(dsn: str, schema: str, migrations: Path) -> None:
    """Runs all revisions in `migrations/versions` that `schema` has not seen, in one transaction."""
    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)

    def to_head(revision: Any, _: Any) -> Any:
        return script._upgrade_revs("head", revision)  # pyright: ignore[reportPrivateUsage]

    def run(connection: Connection) -> None:
        with EnvironmentContext(config, script, fn=to_head) as environment:
            environment.configure(connection=connection, version_table_schema=schema)
            with environment.begin_transaction():
                environment.run_migrations()

    engine = create_async_engine(
        dsn.replace("postgresql://", "postgresql+asyncpg://", 1),
        poolclass=NullPool,
        hide_parameters=True,  # parameters are users' text, and an error is logged with its message
        connect_args={"server_settings": {"search_path": schema}},
    )
    try:
        async with engine.connect() as connection:
            await connection.run_sync(run)
            await connection.commit()
    finally:
        await engine.dispose()
