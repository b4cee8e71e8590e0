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
    search_language: Language = Field(default="english", validation_alias="INKSTREAM_SEARCH_LANGUAGE")
    """Notes are also found by other forms of their words in this language. Counts for notes written from now on."""
    notes_per_user: int = Field(default=50_000, ge=1, validation_alias="INKSTREAM_NOTES_PER_USER")
    bytes_per_user: int = Field(default=1024**3, ge=1, validation_alias="INKSTREAM_BYTES_PER_USER")
    """Of the notes as they are; their history has a bound of its own. The trash counts."""
    embeddings_model: str | None = Field(default=None, validation_alias="INKSTREAM_EMBEDDINGS_MODEL")
    """Notes are also found by their meaning, as this model of the provider sees it."""
    openai_api_key: SecretStr | None = None
    openai_base_url: str | None = None
