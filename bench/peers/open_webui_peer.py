"""Open WebUI, used as its page does: a Socket.IO connection, a message over HTTP, and an event for each token.

Titles, tags and follow-up questions are requested, as its page does. Nothing is fetched from other machines, and
embeddings are left to a server: a default installation loads a model for them, which needs much more memory.
"""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from bench.peers.peer import Answer, Page, Peer
from bench.peers.socket_io import SocketIo

NAME, PACKAGES = "open-webui-0.12.4", ("open-webui==0.12.4",)
TITLE = "Open WebUI 0.12.4"
PASSWORD = "a long enough password"
TOKEN = b'"response.output_text.delta"'
BACKGROUND_TASKS = {"title_generation": True, "tags_generation": True, "follow_up_generation": True}


class OpenWebUi(Peer):
    title = TITLE
    ready_paths = ("/", "/health", "/api/config")

    def command(self, port: int) -> Sequence[str | Path]:
        return (self.programs / "open-webui", "serve", "--host", "127.0.0.1", "--port", str(port))

    def environment(self) -> Mapping[str, str]:
        return {
            "DATA_DIR": str(self.folder),
            "WEBUI_SECRET_KEY": "bench",
            "OPENAI_API_BASE_URL": f"{self.model_url}/v1",
            "OPENAI_API_KEY": "none",
            "ENABLE_OLLAMA_API": "false",
            "ENABLE_PERSISTENT_CONFIG": "false",
            "BYPASS_MODEL_ACCESS_CONTROL": "true",
            "RAG_EMBEDDING_ENGINE": "openai",
            "OFFLINE_MODE": "true",
            "HF_HUB_OFFLINE": "1",
            "ANONYMIZED_TELEMETRY": "false",
            "DO_NOT_TRACK": "true",
            "SCARF_NO_ANALYTICS": "true",
            "CORS_ALLOW_ORIGIN": "*",
        }

    async def pages(self, count: int) -> Sequence[Page]:
        """The first registered user is the administrator, who adds the others."""
        async with httpx.AsyncClient(base_url=self.url, verify=False, timeout=60) as http:
            admin = {"name": "admin", "email": "admin@example.com", "password": PASSWORD}
            signed_up = await _account(http, "/api/v1/auths/signup", admin)
            http.headers["Authorization"] = f"Bearer {signed_up['token']}"
            found: list[Page] = []
            for number in range(count):
                email = f"bench{number}@example.com"
                user = {"name": f"bench {number}", "email": email, "password": PASSWORD, "role": "user"}
                account = await _account(http, "/api/v1/auths/add", user)
                found.append(_Page(self.url, account["token"], account["id"]))
        return found


async def _account(http: httpx.AsyncClient, path: str, form: Mapping[str, str]) -> dict[str, str]:
    """Creates the account, or signs in if an earlier start created it."""
    answer = await http.post(path, json=form)
    if answer.is_error:
        answer = await http.post("/api/v1/auths/signin", json=form)
    answer.raise_for_status()
    return answer.json()


class _Page(Page):
    def __init__(self, url: str, token: str, user_id: str) -> None:
        self._url = url
        self._token = token
        self._user_id = user_id
        self._answer: Answer | None = None

    async def open(self) -> None:
        self._socket = SocketIo(self._receive)
        await self._socket.open(self._url, {"token": self._token})
        await self._socket.call("user-join", {"auth": {"token": self._token}})
        headers = {"Authorization": f"Bearer {self._token}"}
        self._http = httpx.AsyncClient(base_url=self._url, headers=headers, verify=False, timeout=120)

    async def close(self) -> None:
        await self._socket.close()
        await self._http.aclose()

    async def send(self, message: str) -> Answer:
        answer = self._answer = Answer()
        body = self._message(message, await self._socket.id)
        answer.send()
        response = await self._http.post("/api/chat/completions", json=body)
        if response.is_error:
            answer.finish(f"{response.status_code} {response.text[:200]}")
        else:
            join = {"chat_id": response.json()["chat_id"], "data": {"type": "join"}}
            await self._socket.emit("events:chat", join)
        return answer

    def _message(self, text: str, session_id: str) -> dict[str, Any]:
        """The request that the page sends for the first message of a chat."""
        question, answer = str(uuid4()), str(uuid4())
        user_message = {
            "id": question,
            "parentId": None,
            "childrenIds": [answer],
            "role": "user",
            "user_id": self._user_id,
            "content": text,
            "timestamp": int(time.time()),
            "models": ["local"],
        }
        return {
            "stream": True,
            "model": "local",
            "params": {"model_controls": {}},
            "tool_ids": [],
            "tool_servers": [],
            "features": {"voice": False, "image_generation": False, "code_interpreter": False, "web_search": False},
            "variables": {"{{USER_NAME}}": "bench", "{{CURRENT_DATE}}": time.strftime("%Y-%m-%d")},
            "model_item": {"id": "local", "name": "local", "object": "model", "owned_by": "openai"},
            "session_id": session_id,
            "id": answer,
            "parent_id": None,
            "user_message": user_message,
            "message_ids": [{"model_id": "local", "message_id": answer, "modelIdx": 0}],
            "background_tasks": BACKGROUND_TASKS,
        }

    def _receive(self, event: bytes) -> None:
        if self._answer is None:
            return
        if TOKEN in event:
            return self._answer.receive(event)
        name, value = json.loads(event)[:2]
        if name != "events":
            return
        kind, data = value["data"]["type"], value["data"].get("data")
        if kind == "chat:message:error":
            self._answer.finish(str(data)[:200])
        elif isinstance(data, dict) and data.get("done"):  # a title is a text, tags are a list
            self._answer.finish()
