"""The HTTP API under schemathesis: what its description allows, and what it forbids. No response may be a 5xx."""

import asyncio
import sys

from tests.hostile.account import Account

ENDS_THE_SESSION = "/api/auth/logout"


async def fuzz(account: Account, *, phases: str, examples: int, seconds: int) -> tuple[int, str]:
    """Exit code and output of the command `schemathesis run`. `examples`: for each operation; `seconds`: for all."""
    url = str(account.http.base_url).rstrip("/")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json"),
        *("--header", f"Cookie: {account.cookie}", "--exclude-path", ENDS_THE_SESSION),
        *("--checks", "not_a_server_error", "--phases", phases, "--max-examples", str(examples)),
        *("--max-time", str(seconds), "--suppress-health-check", "all", "--warnings", "off", "--no-shrink"),
        *("--request-timeout", "60", "--continue-on-failure"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()
