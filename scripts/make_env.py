"""`make env`: a `.env` with a password for every part of `docker compose`. What the file says already stays."""

import secrets
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / ".env"
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
    """128 bits; a letter first, for NATS reads a leading digit as a number."""
    return f"p{secrets.token_hex(16)}"


def main() -> None:
    if not FILE.exists():
        FILE.touch(mode=0o600)
        shutil.copyfile(ROOT / ".env.example", FILE)
    lines = FILE.read_text().splitlines()
    said = {name for name, _, value in (line.partition("=") for line in lines) if value.strip()}
    missing = [name for name in PASSWORDS if name not in said]
    if not missing:
        print(".env has every password already")
        return
    kept = [line for line in lines if line.partition("=")[0] not in missing]
    text = "\n".join([*kept, *(f"{name}={password()}" for name in missing)]) + "\n"
    draft = FILE.with_name(".env.new")
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(FILE)
    print(f".env has {len(missing)} new passwords; keep the file to yourself")


if __name__ == "__main__":
    main()
