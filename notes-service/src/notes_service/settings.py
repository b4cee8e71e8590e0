"""Process settings, from the environment."""

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
    metrics_port: int | None = Field(default=None, ge=1, le=65535)
    """The port for Prometheus. None: nothing is served."""
    search_language: Language = "english"
    """Notes are also found by other forms of their words in this language. Applies to notes written from now on."""
    notes_per_user: int = Field(default=50_000, ge=1)
    bytes_per_user: int = Field(default=1024**3, ge=1)
    """The bytes of current notes, including the trash. Their history may be as large again."""
    files_url: str | None = None
    """The object store of files: `file:///folder` or `s3://bucket/prefix`. Without it none are stored."""
    file_max_bytes: int = Field(default=50 * 1024**2, ge=1)
    files_per_user: int = Field(default=20_000, ge=1)
    file_bytes_per_user: int = Field(default=2 * 1024**3, ge=1)
    embeddings_model: str | None = None
    """The provider's model for semantic search; without it there is none."""
    openai_api_key: SecretStr | None = Field(default=None, validation_alias="OPENAI_API_KEY")
    openai_base_url: str | None = Field(default=None, validation_alias="OPENAI_BASE_URL")
