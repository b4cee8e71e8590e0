"""Chainlit, used as its page does: sign-in, a Socket.IO connection, a message, and an event for each token."""

import json
import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx

from bench.peers.peer import Answer, Page, Peer
from bench.peers.socket_io import SocketIo

NAME, PACKAGES = "chainlit-2.12.0", ("chainlit==2.12.0", "openai", "sqlalchemy[asyncio]", "aiosqlite")
TITLE = "Chainlit 2.12.0"
APP = Path(__file__).with_name("chainlit_app.py")
TOKENS = (b'["stream_start"', b'["stream_token"')

COLUMNS = {
    "users": "id TEXT PRIMARY KEY, identifier TEXT UNIQUE, createdAt TEXT, metadata TEXT",
    "threads": "id TEXT PRIMARY KEY, createdAt TEXT, name TEXT, userId TEXT, userIdentifier TEXT, tags TEXT, "
    "metadata TEXT",
    "steps": "id TEXT PRIMARY KEY, name TEXT, type TEXT, threadId TEXT, parentId TEXT, command TEXT, modes TEXT, "
    "streaming INTEGER, waitForAnswer INTEGER, isError INTEGER, metadata TEXT, tags TEXT, input TEXT, output TEXT, "
    'createdAt TEXT, start TEXT, "end" TEXT, generation TEXT, showInput TEXT, defaultOpen INTEGER, '
    "autoCollapse INTEGER, language TEXT, icon TEXT",
    "elements": "id TEXT PRIMARY KEY, threadId TEXT, type TEXT, chainlitKey TEXT, url TEXT, objectKey TEXT, name TEXT, "
    "display TEXT, size TEXT, language TEXT, page INTEGER, autoPlay INTEGER, playerConfig TEXT, forId TEXT, mime TEXT, "
    "props TEXT",
    "feedbacks": "id TEXT PRIMARY KEY, forId TEXT, value INTEGER, comment TEXT",
}
"""The tables of Chainlit's data layer, which it does not create itself."""


class Chainlit(Peer):
    title = TITLE
    ready_paths = ("/", "/health")

    def command(self, port: int) -> Sequence[str | Path]:
        return (self.programs / "chainlit", "run", "app.py", "--headless", "--host", "127.0.0.1", "--port", str(port))

    def environment(self) -> Mapping[str, str]:
        return {
            "BENCH_MODEL_URL": f"{self.model_url}/v1",
            "BENCH_DATABASE": f"sqlite+aiosqlite:///{self.folder / 'chats.sqlite'}",
            "CHAINLIT_AUTH_SECRET": "bench" * 8,
        }

    def prepare(self) -> None:
        super().prepare()
        shutil.copy(APP, self.folder / "app.py")
        with closing(sqlite3.connect(self.folder / "chats.sqlite")) as database:
            for table, columns in COLUMNS.items():
                database.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns})")
            database.execute("CREATE INDEX IF NOT EXISTS steps_of_thread ON steps (threadId)")
            database.commit()

    async def pages(self, count: int) -> Sequence[Page]:
        found: list[Page] = []
        for number in range(count):
            async with httpx.AsyncClient(base_url=self.url, verify=False, timeout=60) as http:
                answer = await http.post("/login", data={"username": f"bench{number}", "password": "bench"})
                answer.raise_for_status()
                cookie = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
            found.append(_Page(self.url, f"bench{number}", cookie))
        return found


class _Page(Page):
    def __init__(self, url: str, username: str, cookie: str) -> None:
        self._url = url
        self._username = username
        self._cookie = cookie
        self._answer: Answer | None = None
        self._began = False

    async def open(self) -> None:
        """Opens a new session, as loading the page does."""
        self._socket = SocketIo(self._receive)
        auth = {
            "clientType": "webapp",
            "sessionId": str(uuid4()),
            "threadId": "",
            "userEnv": "{}",
            "chatProfile": "",
        }
        await self._socket.open(self._url, auth, self._cookie)
        await self._socket.emit("connection_successful")

    async def close(self) -> None:
        await self._socket.close()

    async def send(self, message: str) -> Answer:
        self._answer, self._began = Answer(), False
        step = {
            "id": str(uuid4()),
            "threadId": "",
            "name": self._username,
            "type": "user_message",
            "output": message,
            "createdAt": datetime.now(UTC).isoformat(),
            "metadata": {"location": f"{self._url}/"},
        }
        self._answer.send()
        await self._socket.emit("client_message", {"message": step, "fileReferences": []})
        return self._answer

    def _receive(self, event: bytes) -> None:
        if self._answer is None:
            return
        if event.startswith(TOKENS):
            self._answer.receive(event)
        elif event.startswith(b'["task_start"'):
            self._began = True
        elif event.startswith(b'["task_end"') and self._began:
            self._answer.finish()
        elif event.startswith(b'["new_message"') and json.loads(event)[1].get("isError"):
            self._answer.finish(event[:200].decode(errors="replace"))
