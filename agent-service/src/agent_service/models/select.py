"""Selects the models according to the settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from agents import ModelSettings
from agents.models.default_models import get_default_model, get_default_model_settings
from agents.models.interface import Model
from openai.types.shared import Reasoning

from agent_service.model_list import ModelEntry, read_model_list
from agent_service.models.wire import Api, ContextWindow, Dialect, HttpModel, WireClient
from agent_service.prices import Prices
from agent_service.settings import Settings
from contracts.chat import AvailableModel, AvailableModels, ModelStatus
from contracts.errors import ValidationFailed
from demo_model import DemoModel

OPENAI_URL = "https://api.openai.com/v1"
_FIELDS = {"OPENAI_API_KEY": "key_env", "OPENAI_BASE_URL": "base_url", "INKSTREAM_MODEL": "name"}
"""The fields of the list of models, by the settings that have their place without a list."""


@dataclass(frozen=True)
class SelectedModel:
    """`timeout`: seconds without data after which a request to the model is aborted. `entry`: of the list of models, if
    there is one; then the model is known by the entry's id."""

    model: Model
    settings: ModelSettings
    status: ModelStatus
    timeout: float
    client: WireClient | None = None
    entry: ModelEntry | None = None
    prices: Prices | None = None
    window: ContextWindow = field(default_factory=lambda: ContextWindow(None, None))

    def current_status(self) -> ModelStatus:
        """With what the server has shown by now: its model's name, and whether it takes tools."""
        if not isinstance(self.model, HttpModel):
            return self.status
        model = self.status.model if self.entry else self.model.known_name or self.status.model
        known = {"model": model, "tools": self.model.dialect.has_tools}
        return self.status.model_copy(update=known)

    def explained(self, message: str) -> str:
        """What is said of a failure, with the fields of the list of models where it names the settings of one model."""
        if self.entry is not None:
            for setting, name in _FIELDS.items():
                message = message.replace(setting, f'"{name}" of the model {self.entry.id} in the list of models')
        return message

    def described(self) -> AvailableModel:
        """With the efforts that its server has not refused, and the context window as far as it is known."""
        window = self.window.known
        if self.entry is not None:
            known: dict[str, Any] = {"context_window": window} | ({} if self._takes_effort else {"reasoning": []})
            return self.entry.described().model_copy(update=known)
        status = self.current_status()
        return AvailableModel(id=status.model, label=status.model, provider=status.provider, context_window=window)

    @property
    def _takes_effort(self) -> bool:
        return not isinstance(self.model, HttpModel) or self.model.dialect.takes_effort

    def settings_for(self, effort: str | None) -> ModelSettings:
        """With this effort, if the model has it."""
        if effort is None or effort not in self.described().reasoning:
            return self.settings
        # a copy is not validated: servers have other efforts than OpenAI's client knows
        reasoning = (self.settings.reasoning or Reasoning()).model_copy(update={"effort": effort})
        return replace(self.settings, reasoning=reasoning)

    async def look_up(self) -> None:
        """Asks the server for the name of its model, if none is configured, and for its context window. Raises
        `ModelFailed` while it is away and the name is not known."""
        if isinstance(self.model, HttpModel):
            await self.window.look_up(await self.model.name())

    async def close(self) -> None:
        """Closes the connections to the provider."""
        if self.client is not None:
            await self.client.close()


@dataclass(frozen=True)
class SelectedModels:
    """`listed`: the models of the list, by id; empty without a list, when there is only the default. `currency`: of
    their prices, if any has one."""

    default: SelectedModel
    listed: Mapping[str, SelectedModel]
    currency: str | None = None

    @property
    def ids(self) -> list[str]:
        return list(self.listed) or [self.default.current_status().model]

    def answering(self, model_id: str) -> SelectedModel:
        """The model of this id; the default, if there is none or none any more."""
        return self.listed.get(model_id, self.default)

    def chain(self, model_id: str) -> list[SelectedModel]:
        """The model that answers for this id, and those that answer where it cannot, in order."""
        first = self.answering(model_id)
        return [first, *(self.listed[other] for other in (first.entry.fallback if first.entry else ()))]

    def check(self, model_id: str | None, effort: str | None) -> None:
        """Raises `ValidationFailed` if a model was named that is not available, or an effort that no model has. A
        conversation keeps an effort that its model does not have: it may get another model."""
        if model_id is not None and model_id not in (ids := self.ids):
            message = f"There is no such model. Available: {', '.join(ids)}"
            raise ValidationFailed(errors=[{"field": "model", "message": message}])
        efforts = [known for model in self.listed.values() if model.entry for known in model.entry.reasoning]
        if effort is not None and effort not in efforts:
            message = f"No model has this effort. Available: {', '.join(dict.fromkeys(efforts)) or 'none'}"
            raise ValidationFailed(errors=[{"field": "effort", "message": message}])

    def available(self) -> AvailableModels:
        models = [model.described() for model in self.listed.values()] or [self.default.described()]
        return AvailableModels(models=models, default=self.default.current_status().model, currency=self.currency)

    async def close(self) -> None:
        for model in {id(model): model for model in (self.default, *self.listed.values())}.values():
            await model.close()


def select_models(settings: Settings) -> SelectedModels:
    """Those of the list, if the settings name one. Raises `InvalidModelList`."""
    found = None if settings.models is None else read_model_list(settings.models)
    if found is None:
        return SelectedModels(select_model(settings), {})
    listed = {entry.id: _listed(entry, settings, found.currency) for entry in found.models}
    has_prices = any(model.prices for model in listed.values())
    return SelectedModels(listed[found.default_id], listed, found.currency if has_prices else None)


def _listed(entry: ModelEntry, settings: Settings, currency: str) -> SelectedModel:
    name, key = entry.name or entry.id, entry.key()
    timeout = settings.model_timeout_s
    client = WireClient(entry.base_url, key.get_secret_value() if key else None, timeout)
    return SelectedModel(
        HttpModel(name, client, entry.format, Dialect.of(entry.omits)),
        _model_settings(name, is_openai=entry.base_url.rstrip("/") == OPENAI_URL),
        ModelStatus(mode="live", model=entry.id, provider=entry.described().provider),
        timeout,
        client,
        entry,
        entry.prices(currency),
        _window(client, entry.context_window or settings.context_window),
    )


def select_model(settings: Settings) -> SelectedModel:
    """OpenAI with a key; any compatible server with a base URL; with neither, the demo model."""
    timeout = settings.model_timeout_s
    url = settings.openai_base_url
    if url is None and settings.openai_api_key is None:
        status = ModelStatus(mode="demo", model="demo", provider="Inkstream")
        window = ContextWindow(None, settings.context_window)
        return SelectedModel(DemoModel(settings.demo_token_delay_ms), ModelSettings(), status, timeout, window=window)
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
        window=_window(client, settings.context_window),
    )


def _window(client: WireClient, configured: int | None) -> ContextWindow:
    """OpenAI's own server tells nothing of windows: it is not asked."""
    return ContextWindow(None if client.base_url == OPENAI_URL else client, configured)


def _model_settings(name: str | None, *, is_openai: bool) -> ModelSettings:
    """OpenAI's own models accept more settings than other servers."""
    return get_default_model_settings(name) if is_openai else ModelSettings()


def _client(settings: Settings) -> WireClient:
    """One client for all runs."""
    key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else None
    account = {"OpenAI-Organization": settings.openai_org_id, "OpenAI-Project": settings.openai_project_id}
    headers = {name: value for name, value in account.items() if value}
    return WireClient(settings.openai_base_url or OPENAI_URL, key, settings.model_timeout_s, headers)
