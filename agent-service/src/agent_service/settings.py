"""What the agent service is told by its environment."""

from pydantic import Field, SecretStr

from servicekit.process import ServiceSettings


class Settings(ServiceSettings):
    openai_api_key: SecretStr | None = Field(default=None, validation_alias="OPENAI_API_KEY")
    openai_base_url: str | None = Field(default=None, validation_alias="OPENAI_BASE_URL")
    model: str | None = None
    demo_token_delay_ms: int = Field(default=25, ge=0)
    model_timeout_s: float = Field(default=60, gt=0)
    """Seconds of silence after which a model is given up."""
    max_runs: int = Field(default=100, ge=1)
    """Runs that one replica works on at a time; the rest wait in the work queue."""
    keep_events_s: float = Field(default=600, gt=0)
    """Seconds for which a finished run's events are kept as they were; after that they are made from the database."""
    runs_per_user: int = Field(default=100, ge=1)
    """Answers that one user may have under way at a time."""
    runs_per_hour: int = Field(default=3600, ge=1)
    """Answers that one user may ask for within an hour."""
