"""The settings of the agent service, read from the environment."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from servicekit.process import ServiceSettings


class Settings(ServiceSettings):
    metrics_port: int | None = Field(default=None, ge=1, le=65535)
    """The port for Prometheus. None: nothing is served."""
    openai_api_key: SecretStr | None = Field(default=None, validation_alias="OPENAI_API_KEY")
    openai_base_url: str | None = Field(default=None, validation_alias="OPENAI_BASE_URL")
    openai_org_id: str | None = Field(default=None, validation_alias="OPENAI_ORG_ID")
    openai_project_id: str | None = Field(default=None, validation_alias="OPENAI_PROJECT_ID")
    models: Path | None = None
    """A file with the models from which people choose. With it, the settings of one model do not apply."""
    model: str | None = None
    api: Literal["chat", "responses"] | None = None
    """The format that the model's server speaks. None: Responses at OpenAI's own address, else Chat Completions."""
    model_omits: str = ""
    """Parts of a request that the model's server does not take, for example `stream_options, strict, system`. They are
    found out by what the server refuses, too."""
    context_window: int | None = Field(default=None, ge=1024)
    """How many tokens a model takes, for those whose entry in the list of models does not say so. None: the server is
    asked."""
    demo_token_delay_ms: int = Field(default=25, ge=0)
    model_timeout_s: float = Field(default=60, gt=0)
    """Seconds without a byte from the model after which the request is given up."""
    max_runs: int = Field(default=100, ge=1)
    """Concurrent runs of one replica; the others wait. One user has half of them at most."""
    keep_events_s: float = Field(default=600, gt=0)
    """Retention of a finished run's events in the stream, in seconds; later they are rebuilt from the database."""
    runs_per_user: int = Field(default=20, ge=1)
    """Runs of one user that are queued or under way."""
    runs_per_hour: int = Field(default=3600, ge=1)
    """Runs that one user may start within an hour."""
    conversations_per_user: int = Field(default=5_000, ge=1)
    instructions_bytes_per_user: int = Field(default=4 * 1024**2, ge=1)
    """Titles and instructions of all conversations of one user together, in bytes."""
