"""Selects the model according to the settings."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from agents import ModelSettings
from agents.models.default_models import get_default_model, get_default_model_settings
from agents.models.interface import Model

from agent_service.models.wire import Api, Dialect, HttpModel, WireClient
from agent_service.settings import Settings
from contracts.chat import ModelStatus
from demo_model import DemoModel

OPENAI_URL = "https://api.openai.com/v1"


@dataclass(frozen=True)
class SelectedModel:
    """`timeout`: seconds without data after which a request to the model is aborted."""

    model: Model
    settings: ModelSettings
    status: ModelStatus
    timeout: float
    client: WireClient | None = None

    def current_status(self) -> ModelStatus:
        """With what the server has shown by now: its model's name, and whether it takes tools."""
        if not isinstance(self.model, HttpModel):
            return self.status
        known = {"model": self.model.known_name or self.status.model, "tools": self.model.dialect.has_tools}
        return self.status.model_copy(update=known)

    async def look_up_name(self) -> None:
        """Asks the server for the name of its model, if none is configured. Raises `ModelFailed` while it is away."""
        if isinstance(self.model, HttpModel):
            await self.model.name()

    async def close(self) -> None:
        """Closes the connections to the provider."""
        if self.client is not None:
            await self.client.close()


def select_model(settings: Settings) -> SelectedModel:
    """OpenAI with a key; any compatible server with a base URL; with neither, the demo model."""
    timeout = settings.model_timeout_s
    url = settings.openai_base_url
    if url is None and settings.openai_api_key is None:
        status = ModelStatus(mode="demo", model="demo", provider="Inkstream")
        return SelectedModel(DemoModel(settings.demo_token_delay_ms), ModelSettings(), status, timeout)
    name = settings.model or (get_default_model() if url is None else None)
    provider = "OpenAI" if url is None else urlsplit(url).hostname or url
    api: Api = settings.api or ("responses" if url is None else "chat")
    client = _client(settings)
    return SelectedModel(
        HttpModel(name, client, api, Dialect.parse(settings.model_omits)),
        _model_settings(name, is_openai=url is None),
        ModelStatus(mode="live", model=name or provider, provider=provider),
        timeout,
        client,
    )


def _model_settings(name: str | None, *, is_openai: bool) -> ModelSettings:
    """OpenAI's own models accept more settings than other servers."""
    return get_default_model_settings(name) if is_openai else ModelSettings()


def _client(settings: Settings) -> WireClient:
    """One client for all runs."""
    key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else None
    account = {"OpenAI-Organization": settings.openai_org_id, "OpenAI-Project": settings.openai_project_id}
    headers = {name: value for name, value in account.items() if value}
    return WireClient(settings.openai_base_url or OPENAI_URL, key, settings.model_timeout_s, headers)
