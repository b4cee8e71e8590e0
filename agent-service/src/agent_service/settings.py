"""What the agent service is told by its environment."""

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from servicekit.process import ServiceSettings


class Settings(ServiceSettings):
    """An empty variable counts as one that is not set."""

    model_config = SettingsConfigDict(env_ignore_empty=True)

    openai_api_key: SecretStr | None = None
    openai_base_url: str | None = None
    inkstream_model: str | None = None
    demo_token_delay_ms: int = Field(default=25, ge=0, alias="inkstream_demo_token_delay_ms")
    model_timeout_s: float = Field(default=60, gt=0, alias="inkstream_model_timeout_s")
    """Seconds of silence after which a model is given up."""
    max_runs: int = Field(default=100, ge=1, alias="inkstream_max_runs")
    """Runs that one replica works on at a time; the rest wait in the work queue."""
    keep_events_s: float = Field(default=600, gt=0, alias="inkstream_keep_events_s")
    """Seconds for which a finished run's events are kept as they were; after that they are made from the database."""
    runs_per_user: int = Field(default=100, ge=1, alias="inkstream_runs_per_user")
    """Answers that one user may have under way at a time."""
    runs_per_hour: int = Field(default=3600, ge=1, alias="inkstream_runs_per_hour")
    """Answers that one user may ask for within an hour."""
