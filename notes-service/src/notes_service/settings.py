"""What the environment may change."""

from typing import Literal

from contracts.service import ServiceSettings
from pydantic import Field

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
