"""The gateway wired together: its routes, its resources, its server."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TypedDict

from fastapi import FastAPI

from gateway import health, openapi, page, problems
from gateway.accounts.routes import instance_router as instance
from gateway.accounts.routes import router as accounts
from gateway.api_docs.routes import router as api_docs
from gateway.chat.conversations import router as conversations
from gateway.chat.runs import router as runs
from gateway.connections import Connections
from gateway.container import Container, open_container
from gateway.edge_middleware import EdgeMiddleware
from gateway.files.routes import FILES_PATH, UPLOADS_PATH
from gateway.files.routes import router as files
from gateway.live.routes import router as live
from gateway.metrics import Metrics
from gateway.notes.routes import router as notes
from gateway.notes.transfer import IMPORT_PATH
from gateway.server import listening
from gateway.settings import Settings
from gateway.usage import router as usage
from gateway.user_settings.routes import router as user_settings
from servicekit.background import in_background
from servicekit.health import heartbeat
from servicekit.process import until_stopped


class State(TypedDict):
    container: Container


def create_app(settings: Settings, container: Container | None = None) -> FastAPI:
    """Without `container` the application can only make its OpenAPI document."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[State]:
        assert container is not None
        yield {"container": container}

    app = FastAPI(title="Inkstream", version="0.1.0", lifespan=lifespan, docs_url=None, redoc_url=None)
    metrics = container.metrics if container else Metrics()
    connections = container.connections if container else Connections(metrics, settings)
    app.add_middleware(
        EdgeMiddleware,
        metrics=metrics,
        in_progress=connections.requests,
        public_url=settings.public_url,
        body_limits={
            IMPORT_PATH: settings.import_max_bytes,
            FILES_PATH: settings.file_max_bytes,
            UPLOADS_PATH: settings.file_max_bytes,
        },
    )
    problems.register(app)
    for router in (
        live,
        runs,
        notes,
        conversations,
        accounts,
        instance,
        user_settings,
        usage,
        files,
        health.router,
        api_docs,
    ):  # as asked for
        app.include_router(router)
    app.include_router(page.router(settings.web_dir))
    openapi.describe(app)
    return app


@asynccontextmanager
async def running(settings: Settings) -> AsyncGenerator[int]:
    """A gateway that serves inside the block; yields its port."""
    async with open_container(settings, Metrics()) as container:
        app = create_app(settings, container)
        async with (
            listening(app, settings, container.connections, container.loops, container.live.streams.end_all) as port,
            in_background(heartbeat(settings.health_file, lambda: health.probe(container), container.loops)),
        ):
            yield port


async def run(settings: Settings) -> None:
    async with running(settings):
        await until_stopped()
