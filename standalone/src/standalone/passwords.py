"""A file of generated passwords, one for each name, that only its owner can read."""

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class PasswordFile:
    path: Path

    def ensure(self, names: Iterable[str]) -> None:
        """Creates the missing passwords. Existing ones stay."""
        existing = self.read() if self.path.exists() else {}
        missing = [name for name in names if name not in existing]
        if not missing:
            return
        draft = self.path.with_name(f"{self.path.name}.new")
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(existing | {name: _password() for name in missing}))
        draft.replace(self.path)

    def read(self) -> dict[str, str]:
        return json.loads(self.path.read_text())


def _password() -> str:
    """128 bits; a letter first, because NATS reads a leading digit as a number."""
    return f"p{secrets.token_hex(16)}"
