"""Process settings: from the environment, or else from the file `.env`. An empty value counts as not set."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv.parser import parse_stream

from standalone.errors import CannotStart

MAX_REPLICAS = 32


@dataclass(frozen=True)
class Settings:
    """`port` 0: any free port; gateway replicas use the following ports. The services inherit `environment`."""

    data_dir: Path
    host: str
    port: int
    agents: int
    notes: int
    gateways: int
    environment: dict[str, str]

    @classmethod
    def read(cls, environment: Mapping[str, str], file: Path, base: Path) -> "Settings":
        """A relative `DATA_DIR` is relative to `base`. Raises `CannotStart` for an invalid value."""
        both = {name: value for name, value in (read_file(file) | dict(environment)).items() if value}
        return cls(
            data_dir=(base / Path(both.get("DATA_DIR", ".data")).expanduser()).resolve(),
            host=both.get("HOST", "127.0.0.1"),
            port=_number(both, "PORT", 8080, 0, 65535),
            agents=_number(both, "AGENTS", 1, 1, MAX_REPLICAS),
            notes=_number(both, "NOTES", 1, 1, MAX_REPLICAS),
            gateways=_number(both, "GATEWAYS", 1, 1, MAX_REPLICAS),
            environment=both,
        )


def read_file(file: Path) -> dict[str, str]:
    """The variables of `file`, none if it does not exist. Passwords in it are for containers and are left out."""
    try:
        with file.open(encoding="utf-8") as stream:
            bindings = list(parse_stream(stream))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise CannotStart(f"{file} cannot be read: {error}") from error
    for binding in bindings:
        if binding.error or (binding.key is not None and binding.value is None):
            text = binding.original.string
            line = binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")
            near = text.strip().partition("=")[0]  # not the value, which may be a secret
            raise CannotStart(f"{file}, line {line}: expected NAME=value near {near!r}")
    return {b.key: b.value for b in bindings if b.key and b.value is not None and not b.key.endswith("_PASSWORD")}


def _number(values: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = values.get(name, str(default)).strip()
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise CannotStart(f"{name} must be a number from {least} to {most}, not {text!r}")
    return int(text)
