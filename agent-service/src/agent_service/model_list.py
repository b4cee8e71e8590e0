"""The file that `INKSTREAM_MODELS` names: the models from which people choose. TOML or JSON.

Errors name the entry and the field, and never quote a value: somebody may have written a key where its variable's name
belongs.
"""

import json
import os
import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self, cast
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from agent_service.prices import Prices
from contracts.chat import AvailableModel, ModelId
from servicekit.errors import Reportable

MAX_MODELS = 100
IN_A_HEADER = re.compile(r"[!-~]+")
A_FIELD = re.compile(r"[a-z_]{1,30}")
"""How names of fields look. Anything else in their place may be a key."""

Price = Annotated[Decimal, Field(ge=0, lt=1_000_000, decimal_places=6)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class InvalidModelList(Reportable):
    """The file cannot be read, or an entry is not valid. The message says which and why."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class ModelEntry(_Strict):
    """One model. `name`: what its server calls it; `key_env`: the environment variable that holds its key; `reasoning`:
    the efforts that it knows; `context_window`: in tokens; `fallback`: the ids of the models that answer where this one
    cannot, in order; `price_in`, `price_out`: of a million tokens, in the list's currency; `omits`: parts of a request
    that its server does not take, as in `INKSTREAM_MODEL_OMITS`."""

    id: ModelId
    base_url: Line
    name: Line = ""
    label: Line = ""
    provider: Line = ""
    key_env: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    format: Literal["chat", "responses"] = "chat"
    context_window: Annotated[int, Field(ge=1)] | None = None
    images: bool = False
    reasoning: list[Line] = []
    fallback: list[ModelId] = []
    price_in: Price | None = None
    price_out: Price | None = None
    omits: list[Line] = []

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be an address that begins with http:// or https://")
        if parts.username is not None or parts.password is not None:
            raise ValueError("must have no name and no password: a key belongs into the variable of key_env")
        try:
            _ = parts.port
        except ValueError:
            raise ValueError("must have a port between 0 and 65535, or none") from None
        return url

    @field_validator("key_env")
    @classmethod
    def _is_set(cls, name: str | None, info: ValidationInfo) -> str | None:
        if name is None:
            return name
        key = _environment(info).get(name, "").strip()
        if not key:
            raise ValueError("the environment has no value for the variable of this name")
        if not IN_A_HEADER.fullmatch(key):
            raise ValueError("the variable of this name has a value that is no key: it has spaces, or is not ASCII")
        return name

    @model_validator(mode="after")
    def _has_both_prices(self) -> Self:
        if (self.price_in is None) != (self.price_out is None):
            raise ValueError("price_in, price_out: must both be there, or none of them")
        return self

    def prices(self, currency: str) -> Prices | None:
        if self.price_in is None or self.price_out is None:
            return None
        return Prices(self.price_in, self.price_out, currency)

    def key(self, environment: Mapping[str, str] = os.environ) -> SecretStr | None:
        return None if self.key_env is None else SecretStr(environment[self.key_env].strip())

    def described(self) -> AvailableModel:
        return AvailableModel(
            id=self.id,
            label=self.label or self.id,
            provider=self.provider or str(urlsplit(self.base_url).hostname),
            context_window=self.context_window,
            images=self.images,
            reasoning=self.reasoning,
            price_in=self.price_in,
            price_out=self.price_out,
        )


class ModelList(_Strict):
    """`default`: the id of the model that answers where nobody has chosen one; the first, if it is left out.
    `currency`: of all prices, as in ISO 4217, so that costs can be added up."""

    models: Annotated[list[ModelEntry], Field(min_length=1, max_length=MAX_MODELS)]
    default: str = ""
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = "USD"

    @field_validator("models")
    @classmethod
    def _ids_are_unique(cls, models: list[ModelEntry]) -> list[ModelEntry]:
        ids = [entry.id for entry in models]
        twice = sorted({id_ for id_ in ids if ids.count(id_) > 1})
        if twice:
            raise ValueError(f"several have the id {', '.join(twice)}")
        return models

    @model_validator(mode="after")
    def _fallbacks_are_in_the_list(self) -> Self:
        ids = {entry.id for entry in self.models}
        for entry in self.models:
            others = entry.fallback
            if entry.id in others or len(set(others)) < len(others) or not ids.issuperset(others):
                raise ValueError(f'model "{entry.id}": fallback: must be ids of other models of the list, each once')
        return self

    @model_validator(mode="after")
    def _default_is_in_the_list(self) -> Self:
        ids = [entry.id for entry in self.models]
        if self.default and self.default not in ids:
            raise ValueError(f"default: must be the id of one of the models: {', '.join(ids)}")
        return self

    @property
    def default_id(self) -> str:
        return self.default or self.models[0].id


def read_model_list(path: Path, environment: Mapping[str, str] = os.environ) -> ModelList | None:
    """None of an empty file: containers are given one where there is no list. Raises `InvalidModelList`."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        raise InvalidModelList(f"INKSTREAM_MODELS: {path}: {reason}") from None
    if not text.strip():
        return None
    try:
        content = _parsed(text)
    except (ValueError, RecursionError) as error:  # their messages have the line, and nothing of it but a character
        raise InvalidModelList(f"INKSTREAM_MODELS: {path}: cannot be read: {error}") from None
    try:
        return ModelList.model_validate(content, context={"environment": environment})
    except ValidationError as error:
        problems = "; ".join(_problem(content, detail) for detail in error.errors(include_input=False))
        raise InvalidModelList(f"INKSTREAM_MODELS: {path}: {problems}") from None


def _parsed(text: str) -> Any:
    """With decimals in place of floats: prices are exact."""
    if text.lstrip().startswith("{"):
        return json.loads(text, parse_float=Decimal)
    return tomllib.loads(text, parse_float=Decimal)


def _environment(info: ValidationInfo) -> Mapping[str, str]:
    return cast("dict[str, Mapping[str, str]]", info.context or {}).get("environment", os.environ)


def _problem(content: Any, detail: Mapping[str, Any]) -> str:
    """`model "fast" (number 2): base_url: Field required`."""
    place = list(detail["loc"])
    words: list[str] = []
    if place[:1] == ["models"] and len(place) > 1:
        number = place[1]
        entry = content["models"][number]
        id_ = cast("dict[str, Any]", entry).get("id") if isinstance(entry, dict) else None
        words.append(f'model "{id_}" (number {number + 1})' if isinstance(id_, str) else f"model number {number + 1}")
        place = place[2:]
    is_unknown = detail["type"] == "extra_forbidden"
    words += [str(part) if not is_unknown or A_FIELD.fullmatch(str(part)) else "one of the names" for part in place]
    message = str(detail["msg"]).removeprefix("Value error, ")
    return ": ".join([*words, "is not a known field" if is_unknown else message])
