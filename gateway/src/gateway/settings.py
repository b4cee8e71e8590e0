"""What a person may set, from the environment."""

from pathlib import Path

from pydantic import Field

from servicekit.process import ServiceSettings


class Settings(ServiceSettings):
    """`trusted_proxies`: addresses and networks, separated by commas, whose X-Forwarded-* headers are believed;
    without one, nobody's. `web_dir`: the built page; without it there is none.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    web_dir: Path | None = None
    trusted_proxies: str = ""
    session_days: int = Field(default=30, ge=1, validation_alias="INKSTREAM_SESSION_DAYS")
    run_look_s: float = Field(default=10, gt=0, validation_alias="INKSTREAM_RUN_LOOK_S")
    run_ask_s: float = Field(default=30, gt=0, validation_alias="INKSTREAM_RUN_ASK_S")
    run_limit_s: float = Field(default=90, gt=0, validation_alias="INKSTREAM_RUN_LIMIT_S")
    sockets_per_user: int = Field(default=32, ge=1, validation_alias="INKSTREAM_SOCKETS_PER_USER")
    sockets: int = Field(default=10_000, ge=1, validation_alias="INKSTREAM_SOCKETS")
    sign_ins_per_name: int = Field(default=10, ge=1, validation_alias="INKSTREAM_SIGN_INS_PER_NAME")
    sign_ins_per_address: int = Field(default=100, ge=1, validation_alias="INKSTREAM_SIGN_INS_PER_ADDRESS")
    registrations_per_address: int = Field(default=200, ge=1, validation_alias="INKSTREAM_REGISTRATIONS_PER_ADDRESS")
    import_max_bytes: int = Field(default=100 * 1024**2, ge=1, validation_alias="INKSTREAM_IMPORT_MAX_BYTES")
