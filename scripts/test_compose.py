"""`make test-compose`: builds the containers, starts them scaled, and runs the cross-tab loop through them.

They have a project name and passwords of their own, and are removed at the end, except the images.
Arguments go to pytest.
"""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import make_env

ROOT = Path(__file__).resolve().parents[1]
READY_SECONDS = 180
SCALE = [f"--scale={service}=2" for service in ("gateway", "agent-service", "notes-service")]
LOOP = ["tests/e2e/test_cross_tab.py", "tests/e2e/test_stream.py", "tests/e2e/test_edge.py"]


class Compose:
    """`docker compose`, or the older `docker-compose`, for a project with a unique name."""

    def __init__(self, env_file: Path, port: int) -> None:
        self.project = f"inkstream-test-{secrets.token_hex(4)}"
        self.environment = os.environ | {
            "PORT": str(port),
            "INKSTREAM_DEMO_TOKEN_DELAY_MS": "2",
            "INKSTREAM_SIGN_UP": "open",
        }
        plugin = subprocess.run(["docker", "compose", "version"], capture_output=True).returncode == 0
        self.command = [
            *(["docker", "compose"] if plugin else ["docker-compose"]),
            *("--project-name", self.project, "--env-file", str(env_file)),
        ]

    def __call__(self, *arguments: str, check: bool = True) -> None:
        subprocess.run([*self.command, *arguments], cwd=ROOT, env=self.environment, check=check)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_ready(url: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=5):
                return
        except (OSError, urllib.error.URLError) as error:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the containers are not ready after {READY_SECONDS} s: {error}") from error
        time.sleep(0.5)


def main(arguments: list[str]) -> int | str:
    if not (shutil.which("docker") or shutil.which("docker-compose")):
        sys.exit("Docker is not installed")
    if subprocess.run(["docker", "info"], capture_output=True).returncode:
        sys.exit("no Docker engine answers: is it running, and may you use it?")
    with tempfile.TemporaryDirectory() as folder:
        env_file = Path(folder) / "env"
        make_env.main(env_file)
        port = free_port()
        compose = Compose(env_file, port)
        failed: int | str = "interrupted"
        try:
            compose("build")
            failed = run_tests(compose, port, arguments)
        except subprocess.CalledProcessError as error:
            failed = f"failed: {' '.join(error.cmd)}"
        finally:
            if failed:
                compose("logs", "--tail=40", check=False)
            compose("down", "--volumes", "--remove-orphans", "--timeout=20", check=False)
        return failed


def run_tests(compose: Compose, port: int, arguments: list[str]) -> int:
    began = time.monotonic()
    compose("up", "--detach", *SCALE)
    url = f"http://127.0.0.1:{port}"
    wait_ready(url)
    print(f"containers ready after {time.monotonic() - began:.0f} s at {url}", flush=True)
    compose("ps")
    tests = [ROOT / ".venv" / "bin" / "python", "-m", "pytest", *LOOP, *arguments]
    return subprocess.run(tests, cwd=ROOT, env=os.environ | {"INKSTREAM_URL": url}).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
