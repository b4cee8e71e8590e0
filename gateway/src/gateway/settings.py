"""Process settings, from the environment."""

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from gateway.addresses import TrustedProxies
from gateway.allowed_hosts import host_names
from servicekit.process import ServiceSettings

SignUp = Literal["open", "closed"]
"""Who may register: everybody, or nobody after the first account."""


class Settings(ServiceSettings):
    """`trusted_proxies`: addresses and networks, separated by commas, whose X-Forwarded-* headers are trusted; empty
    for none. `public_url`: where people find the page, several separated by commas.
    `sign_ins_per_name` and the two after it: attempts without a delay. `connections_per_address`: without it, see
    `gateway.connections`. `files_url`: the object store, the same as the
    notes service's. `web_dir`: the built page; without it no page is served.
    """

    host: str = Field(default="127.0.0.1", validation_alias="HOST")
    port: int = Field(default=8080, validation_alias="PORT")
    web_dir: Path | None = Field(default=None, validation_alias="WEB_DIR")
    trusted_proxies: str = Field(default="", validation_alias="TRUSTED_PROXIES")
    public_url: str = ""
    sign_up: SignUp = "open"
    session_days: int = Field(default=30, ge=1)
    run_look_s: float = Field(default=10, gt=0)
    run_ask_s: float = Field(default=30, gt=0)
    run_limit_s: float = Field(default=90, gt=0)
    sockets_per_user: int = Field(default=32, ge=1)
    sockets: int = Field(default=10_000, ge=1)
    connections_per_address: int | None = Field(default=None, ge=1)
    request_timeout_s: float = Field(default=30, gt=0)
    sign_ins_per_name: int = Field(default=5, ge=1)
    sign_ins_per_address: int = Field(default=100, ge=1)
    registrations_per_address: int = Field(default=200, ge=1)
    import_max_bytes: int = Field(default=100 * 1024**2, ge=1)
    files_url: str | None = None
    file_max_bytes: int = Field(default=50 * 1024**2, ge=1)
    upload_spool_bytes: int = Field(default=256 * 1024**2, ge=1)

    @field_validator("trusted_proxies")
    @classmethod
    def _has_addresses(cls, value: str) -> str:
        TrustedProxies(value)
        return value

    @field_validator("public_url")
    @classmethod
    def _has_names(cls, value: str) -> str:
        host_names(value)
        return value
