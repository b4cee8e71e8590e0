"""`make env`: a `.env` with a password for every part of `docker compose`. Existing values stay.

`make_env.py another-file` writes there instead.
"""

import secrets
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PASSWORDS = (
    "POSTGRES_PASSWORD",
    "DB_ACCOUNTS_PASSWORD",
    "DB_NOTES_PASSWORD",
    "DB_CHAT_PASSWORD",
    "NATS_GATEWAY_PASSWORD",
    "NATS_NOTES_PASSWORD",
    "NATS_AGENT_PASSWORD",
    "NATS_ADMIN_PASSWORD",
)


def password() -> str:
    """128 bits; a letter first, because NATS reads a leading digit as a number."""
    return f"p{secrets.token_hex(16)}"


def main(file: Path) -> None:
    if not file.exists():
        file.touch(mode=0o600)
        shutil.copyfile(ROOT / ".env.example", file)
    lines = file.read_text().splitlines()
    existing = {name for name, _, value in (line.partition("=") for line in lines) if value.strip()}
    missing = [name for name in PASSWORDS if name not in existing]
    if not missing:
        print(f"{file.name} has every password already")
        return
    others = [line for line in lines if line.partition("=")[0] not in missing]
    text = "\n".join([*others, *(f"{name}={password()}" for name in missing)]) + "\n"
    draft = file.with_name(f"{file.name}.new")
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(file)
    print(f"{file.name} has {len(missing)} new passwords; keep the file to yourself")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / ".env")
