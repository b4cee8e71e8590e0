"""Selects the model by the settings."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from agents import ModelSettings, OpenAIResponsesModel
from agents.models.default_models import get_default_model, get_default_model_settings
from agents.models.interface import Model
from openai import AsyncOpenAI, DefaultAioHttpClient, Timeout

from agent_service.models.compatible import CompatibleModel
from agent_service.models.fast_client import FastClient
from agent_service.settings import Settings
from contracts.chat import ModelStatus
from demo_model import DemoModel

CONNECT_SECONDS = 10.0
NO_KEY = "none"
"""Sent to servers that require no key, because the client requires one."""


@dataclass(frozen=True)
class SelectedModel:
    """`timeout`: seconds without an event after which a request to the model is given up."""

    model: Model
    settings: ModelSettings
    status: ModelStatus
    timeout: float
    client: AsyncOpenAI | None = None

    async def close(self) -> None:
        """Closes the connections to the provider."""
        if self.client is not None:
            await self.client.close()


def select_model(settings: Settings) -> SelectedModel:
    """OpenAI with a key; any compatible server with a base URL; with neither, the demo model."""
    timeout = settings.model_timeout_s
    if settings.openai_base_url is None and settings.openai_api_key is None:
        status = ModelStatus(mode="demo", model="demo", provider="Inkstream")
        return SelectedModel(DemoModel(settings.demo_token_delay_ms), ModelSettings(), status, timeout)
    name = settings.model or get_default_model()
    client = _client(settings)
    if settings.openai_base_url is None:
        status = ModelStatus(mode="live", model=name, provider="OpenAI")
        model = OpenAIResponsesModel(name, client)
        return SelectedModel(model, get_default_model_settings(name), status, timeout, client)
    provider = urlsplit(settings.openai_base_url).hostname or settings.openai_base_url
    status = ModelStatus(mode="live", model=name, provider=provider)
    return SelectedModel(CompatibleModel(name, client), ModelSettings(include_usage=True), status, timeout, client)


def _client(settings: Settings) -> AsyncOpenAI:
    """One client for all runs, over aiohttp, whose compiled parser is the cheapest for many small chunks. It does not
    retry: `StreamingModel` does, and publishes an event for each retry."""
    key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else NO_KEY
    timeout = Timeout(2 * settings.model_timeout_s, connect=CONNECT_SECONDS)
    return FastClient(
        api_key=key,
        base_url=settings.openai_base_url,
        max_retries=0,
        timeout=timeout,
        http_client=DefaultAioHttpClient(timeout=timeout),
    )
