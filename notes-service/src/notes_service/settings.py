"""What the environment may change."""

from typing import Literal

from pydantic import Field, SecretStr

from servicekit.process import ServiceSettings

# fmt: off
Language = Literal[
    "simple", "arabic", "armenian", "basque", "catalan", "danish", "dutch", "english", "estonian", "finnish", "french",
    "german", "greek", "hindi", "hungarian", "indonesian", "irish", "italian", "lithuanian", "nepali", "norwegian",
    "portuguese", "romanian", "russian", "serbian", "spanish", "swedish", "tamil", "turkish", "yiddish",
]
# fmt: on
"""The languages whose word forms PostgreSQL knows; `simple` knows none."""


class Settings(ServiceSettings):
    search_language: Language = "english"
    """Notes are also found by other forms of their words in this language. Counts for notes written from now on."""
    notes_per_user: int = Field(default=50_000, ge=1)
    bytes_per_user: int = Field(default=1024**3, ge=1)
    """Of the notes as they are; their history has a bound of its own. The trash counts."""
    embeddings_model: str | None = None
    """Notes are also found by their meaning, as this model of the provider sees it."""
    openai_api_key: SecretStr | None = Field(default=None, validation_alias="OPENAI_API_KEY")
    openai_base_url: str | None = Field(default=None, validation_alias="OPENAI_BASE_URL")
